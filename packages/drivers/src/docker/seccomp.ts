/**
 * The system calls that a worker may make; every other one fails with EPERM. Chosen from what CPython, the C
 * library, OpenMP, Python's multiprocessing and GPU runtimes use. Left out although engines' defaults allow
 * some of them: tracing and reading other processes (ptrace, process_vm_*, kcmp, pidfd_getfd), new namespaces and
 * mounts, kernel keyrings, io_uring, userfaultfd, bpf, perf, and everything that needs a capability.
 */
const ALLOWED = `
accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_getres_time64
clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat
dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat
exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat
fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
ftruncate ftruncate64 futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue futimesat get_mempolicy
get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername
getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname
getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl
ioprio_get ioprio_set kill lchown lgetxattr link linkat listen listxattr llistxattr lseek lsetxattr lstat lstat64
madvise map_shadow_stack mbind membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2
mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd
msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 pselect6 pselect6_time64
pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield select semctl semget
semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy set_robust_list
set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid
setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd
signalfd4 socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range sysinfo tee tgkill
time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 umask
uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork wait4 waitid waitpid write writev
`;

/** CLONE_NEW* flags (clone(2)): none may be set. */
const NAMESPACE_FLAGS = 0x7e020080;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const EPERM = 1;
const ENOSYS = 38;

interface Rule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}

export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet: number;
  archMap: { architecture: string; subArchitectures: string[] }[];
  syscalls: Rule[];
}

/** The profile, in the form that Docker and Podman read. */
export function seccompProfile(): SeccompProfile {
  const allow = (names: string[], args?: Rule['args']): Rule => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    ...(args ? { args } : {}),
  });
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls: [
      allow(ALLOWED.trim().split(/\s+/)),
      // personality: only what asks or asks for the default.
      allow(['personality'], [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }]),
      allow(['personality'], [{ index: 0, value: 0xffffffff, op: 'SCMP_CMP_EQ' }]),
      allow(['clone'], [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
      // Its flags sit behind a pointer, out of a filter's sight; "no such call" makes the C library use clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...[AF_UNIX, AF_INET, AF_INET6, AF_NETLINK].map((family) =>
        allow(
          ['socket'],
          [
            { index: 0, value: family, op: 'SCMP_CMP_EQ' },
            // The type's low bits; raw sockets would also need a capability. Netlink is raw by nature (interface lists).
            ...(family === AF_NETLINK ? [] : [{ index: 1, value: SOCK_RAW, op: 'SCMP_CMP_NE' }]),
          ],
        ),
      ),
    ],
  };
}
