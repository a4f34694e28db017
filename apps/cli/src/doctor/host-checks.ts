import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { formatBytes } from '@vgpu/core';
import { type Finding, fail, ok, warn } from './finding.ts';

/** First release that runs TypeScript as it is and has node:sqlite without a flag. */
const neededNode = [22, 18] as const;

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fine = major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1]);
  if (fine) return ok('node', `Node ${version}`);
  return fail('node', `Node ${version} is too old`, 'Run ./vgpu: the launcher fetches a current one.');
}

/** Controllers that a worker's bounds need. */
const controllers = ['cpu', 'memory', 'pids'];

/** @param root where the cgroup file systems are mounted. */
export function checkCgroups(root = '/sys/fs/cgroup'): Finding {
  if (!existsSync(root)) {
    return fail(
      'cgroups',
      `${root} is not there`,
      'Mount the cgroup file system: workers cannot be bounded without.',
    );
  }
  const unified = existsSync(`${root}/cgroup.controllers`);
  const have = unified
    ? readFileSync(`${root}/cgroup.controllers`, 'utf8').trim().split(/\s+/)
    : readdirSync(root);
  const missing = controllers.filter((name) => !have.some((one) => one.split(',').includes(name)));
  const version = unified ? 'cgroup v2' : 'cgroup v1';
  if (missing.length === 0) return ok('cgroups', `${version} with ${controllers.join(', ')}`);
  return fail(
    'cgroups',
    `${version} without ${missing.join(', ')}`,
    unified
      ? `Delegate the controllers: echo "${missing.map((name) => `+${name}`).join(' ')}" > ${root}/cgroup.subtree_control`
      : 'Boot with the controllers (cgroup_enable=memory), or with systemd.unified_cgroup_hierarchy=1.',
  );
}

const wantedDisk = 10 * 2 ** 30;
const neededDisk = 3 * 2 ** 30;

/** Free space where a folder is, or will be made. */
export function checkDisk(name: string, path: string): Finding {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const text = `${formatBytes(free)} free for ${path}`;
  if (free >= wantedDisk) return ok(name, text);
  const advice = 'Free space, or put VGPU_HOME elsewhere: images and datasets take a few GiB.';
  return free >= neededDisk ? warn(name, text, advice) : fail(name, text, advice);
}

export function checkMachine(): Finding {
  const cores = availableParallelism();
  const memory = totalmem();
  const text = `${cores} cores, ${formatBytes(memory)} of memory`;
  if (memory >= 2 * 2 ** 30) return ok('machine', text);
  return warn(
    'machine',
    text,
    'A worker takes 512 MiB unless told otherwise: run few at a time, or ask for less.',
  );
}

/** Proxy settings and the certificates of the site, which builds and downloads must use as well. */
export function checkProxy(env: NodeJS.ProcessEnv = process.env): Finding {
  const proxy = env.HTTPS_PROXY ?? env.https_proxy ?? env.HTTP_PROXY ?? env.http_proxy;
  const bundle = [
    env.SSL_CERT_FILE,
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
  ].find((path) => path && existsSync(path));
  if (!bundle) {
    return warn('network', 'no bundle of certificate authorities was found', 'Install ca-certificates.');
  }
  const via = proxy ? `proxy ${proxy.replace(/\/\/[^@/]*@/, '//')}` : 'no proxy';
  return ok('network', `${via}, certificates from ${bundle}`);
}
