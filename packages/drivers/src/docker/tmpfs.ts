import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorMap } from 'node:util';

/** Flags of mount(2) and umount2(2), as in the kernel's uapi/linux/mount.h. */
const MS = { nosuid: 2, nodev: 4, noexec: 8, remount: 32 } as const;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

export interface TmpfsOptions {
  bytes: number;
  inodes: number;
  /** Owner and mode of its root folder; only at the first mount. */
  owner?: { uid: number; gid: number };
  noexec?: boolean;
}

type Koffi = typeof import('koffi');

/** The C library's calls, looked up at the first use: most commands never mount. */
function openLibc() {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const library = koffi.load(null);
  const mount = library.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  );
  return { koffi, mount, umount2: library.func('int umount2(const char *target, int flags)') };
}

// Called in this process: a `mount` or `umount` of its own costs 4 ms of CPU and stops the event loop while Node
// forks, which 20 workers that end at once would all wait for. Called directly it is 10 to 60 µs.
let opened: ReturnType<typeof openLibc> | undefined;
function libc(): ReturnType<typeof openLibc> {
  opened ??= openLibc();
  return opened;
}

function mountOrThrow(source: string, target: string, flags: number, data: string): void {
  const { koffi, mount } = libc();
  if (mount(source, target, 'tmpfs', flags, data) === 0) return;
  const errno = koffi.errno();
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'mount failed'];
  throw Object.assign(new Error(`${code}: ${text}, mount '${target}'`), {
    code,
    errno: -errno,
    syscall: 'mount',
    path: target,
  });
}

const flagsOf = (options: TmpfsOptions): number => MS.nosuid | MS.nodev | (options.noexec ? MS.noexec : 0);
const boundsOf = (options: TmpfsOptions): string => `size=${options.bytes},nr_inodes=${options.inodes}`;

/**
 * Mounts a file system in memory, without devices or set-user-id programs. Takes CAP_SYS_ADMIN.
 * @param source what /proc/mounts shows for it
 * @throws the system's error, e.g. EPERM
 */
export function mountTmpfs(source: string, target: string, options: TmpfsOptions): void {
  const { uid, gid } = options.owner ?? { uid: 0, gid: 0 };
  mountOrThrow(source, target, flagsOf(options), `${boundsOf(options)},uid=${uid},gid=${gid},mode=0755`);
}

/** Changes a mounted one's bounds. @throws the system's error: EINVAL when more is in use than the new bounds allow. */
export function resizeTmpfs(target: string, options: TmpfsOptions): void {
  mountOrThrow('tmpfs', target, MS.remount | flagsOf(options), boundsOf(options));
}

/**
 * Unmounts, off the event loop: the memory of what lies in it is freed meanwhile. Lazy, so that an open descriptor of
 * a collector holds up nothing. False where nothing was mounted (or it may not).
 */
export function unmount(target: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    libc().umount2.async(target, MNT_DETACH | UMOUNT_NOFOLLOW, (error: Error | null, result: number) =>
      error ? reject(error) : resolve(result === 0),
    );
  });
}

/** Mount points at or below `root`, deepest first. */
export function mountsUnder(root: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  return points.filter((p) => p === root || p.startsWith(`${root}/`)).sort((a, b) => b.length - a.length);
}
