import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ContainerSettings, containerSpec, cpuQuotaUs, limitsOf, outputPlan } from './container-spec.ts';
import { ociResources } from './engine-containers.ts';
import { engineDialect } from './engine-dialect.ts';
import { seccompProfile } from './seccomp.ts';
import { workerPaths } from './worker-folders.ts';

const paths = workerPaths(
  { diskRoot: '/home/x/workers', volatileRoot: '/dev/shm/x', uid: 10001, gid: 10001, canMount: true },
  'key',
);
const settings: ContainerSettings = {
  image: 'i',
  paths,
  runtimeDir: '/r',
  uid: 10001,
  gid: 10001,
  labels: {},
  cpuMilli: 1500,
  memoryBytes: 1 << 29,
  pidsLimit: 99,
  network: 'none',
  egressNetwork: '',
  preload: [],
  dialect: engineDialect('docker', false, '/unused'),
  grant: {
    devices: [{ path: '/dev/nvidia0' }],
    cdi: ['nvidia.com/gpu=0'],
    env: { VGPU_SLICE: '1' },
    mounts: [{ source: '/a', target: '/b', readOnly: true }],
  },
};

const spec = containerSpec(settings) as {
  HostConfig: Record<string, unknown> & { Mounts: { Source: string; Target: string; ReadOnly: boolean }[] };
  User: string;
  Env: string[];
};

test('the isolation contract, line by line', () => {
  expect(spec.User).toBe('10001:10001');
  expect(spec.HostConfig).toMatchObject({
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    Privileged: false,
    NetworkMode: 'none',
    IpcMode: 'private',
    PidsLimit: 99,
    Memory: 1 << 29,
    MemorySwap: 1 << 29,
    CpuQuota: 150_000,
    CpuPeriod: 100_000,
  });
  expect((spec.HostConfig.SecurityOpt as string[])[0]).toBe('no-new-privileges:true');
  expect(spec.HostConfig.Mounts.filter((m) => !m.ReadOnly).map((m) => m.Target)).toEqual([
    '/vgpu/ctl',
    '/vgpu/out',
  ]);
  expect(spec.HostConfig.Tmpfs).toMatchObject({
    '/run/secrets': 'rw,nosuid,nodev,noexec,size=2097152,nr_inodes=64,mode=0700,uid=10001,gid=10001',
  });
  expect(JSON.stringify(spec)).not.toMatch(/docker\.sock|podman\.sock|containerd\.sock/);
});

test('a grant’s devices, names, environment and mounts arrive', () => {
  expect(spec.HostConfig.Devices).toEqual([
    { PathOnHost: '/dev/nvidia0', PathInContainer: '/dev/nvidia0', CgroupPermissions: 'rw' },
  ]);
  expect(spec.HostConfig.DeviceRequests).toEqual([{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0'] }]);
  expect(spec.Env).toContain('VGPU_SLICE=1');
  expect(spec.HostConfig.Mounts).toContainEqual(
    expect.objectContaining({ Source: '/a', Target: '/b', ReadOnly: true }),
  );
});

test('the system-call filter denies by default and holds nothing that reaches other processes or the kernel', () => {
  const profile = seccompProfile();
  expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
  const free = profile.syscalls
    .filter((r) => r.action === 'SCMP_ACT_ALLOW' && !r.args)
    .flatMap((r) => r.names);
  const denied = [
    'ptrace',
    'process_vm_readv',
    'process_vm_writev',
    'mount',
    'umount2',
    'unshare',
    'setns',
    'clone',
    'clone3',
    'bpf',
    'perf_event_open',
    'keyctl',
    'add_key',
    'request_key',
    'userfaultfd',
    'io_uring_setup',
    'kexec_load',
    'init_module',
    'finit_module',
    'open_by_handle_at',
    'pivot_root',
    'chroot',
    'reboot',
    'swapon',
    'kcmp',
    'pidfd_getfd',
    'socket',
    'personality',
    'move_pages',
    'process_madvise',
  ];
  expect(free.filter((name) => denied.includes(name))).toEqual([]);
  expect(new Set(free).size).toBe(free.length);
});

test('bounds on outputs follow the memory that they count as', () => {
  expect(outputPlan({ memoryBytes: 512 << 20 })).toEqual({
    limits: { bytes: 128 << 20, files: 10_000 },
    onDisk: false,
  });
  expect(outputPlan({ memoryBytes: 8 * 2 ** 30 }).limits.bytes).toBe(256 << 20);
  expect(outputPlan({ memoryBytes: 1 << 30, outputLimits: { bytes: 2 * 2 ** 30, files: 5 } }).onDisk).toBe(
    true,
  );
});

test('a CPU share is never below what the kernel takes', () => {
  expect(cpuQuotaUs(1)).toBe(1000);
  expect(cpuQuotaUs(250)).toBe(25_000);
});

test('Podman is asked for the same in its own words', () => {
  const home = mkdtempSync(join(tmpdir(), 'vgpu-dialect-'));
  const podman = containerSpec({ ...settings, dialect: engineDialect('podman', true, home) }) as {
    HostConfig: {
      SecurityOpt: string[];
      Tmpfs: Record<string, string>;
      UsernsMode: string;
      Ulimits: { Name: string; Hard: number }[];
    };
  };
  const { SecurityOpt, Tmpfs, UsernsMode, Ulimits } = podman.HostConfig;
  const [, file = ''] = /^seccomp=(.*)$/.exec(SecurityOpt[1]!) ?? [];
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(seccompProfile());
  expect(engineDialect('podman', true, home).seccomp).toBe(file);
  for (const options of Object.values(Tmpfs)) expect(options).not.toMatch(/nr_inodes|uid=|gid=/);
  expect(UsernsMode).toBe('keep-id');
  expect(Ulimits.find((one) => one.Name === 'nproc')!.Hard).toBeLessThanOrEqual(32_768);
  rmSync(home, { recursive: true });
});

test('limits in the words of the runtime specification', () => {
  expect(ociResources(limitsOf({ cpuMilli: 500, memoryBytes: 1 << 29, pidsLimit: 9 }))).toEqual({
    memory: { limit: 1 << 29, swap: 1 << 29 },
    cpu: { period: 100_000, quota: 50_000 },
    pids: { limit: 9 },
  });
  expect(ociResources({ PidsLimit: 9 })).toEqual({ pids: { limit: 9 } });
});
