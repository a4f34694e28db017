import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What the tests use beside Node, and what for. */
export const testPackages: readonly (readonly [name: string, reason: string])[] = [
  ['ca-certificates', 'certificates'],
  ['git', 'checks of the repository'],
  ['make', 'native code'],
  ['gcc', 'native code'],
  ['libc6-dev', 'native code'],
  ['python3', 'the worker’s runtime'],
  ['python3-venv', 'scikit-learn to check scores against'],
  ['docker.io', 'container engine'],
  ['crun', 'container engine'],
  ['iptables', 'networks of the container engine'],
  ['xz-utils', 'base of the worker image'],
  ['zsh', 'completion'],
  ['fish', 'completion'],
  ['chromium', 'dashboard'],
  ['fonts-dejavu-core', 'dashboard'],
  ['ocl-icd-libopencl1', 'OpenCL slices'],
  ['ocl-icd-opencl-dev', 'OpenCL slices'],
  ['opencl-headers', 'OpenCL slices'],
  ['pocl-opencl-icd', 'OpenCL slices on the CPU'],
  // Where systemd runs, installing it opens a registry to the network at once: there it is left to the user.
  ...(existsSync('/run/systemd/system')
    ? []
    : [['docker-registry', 'images pulled from a registry'] as const]),
];

// Fields of dpkg-query, not of a template.
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own syntax
const statusFormat = '${Package} ${db:Status-Status}\n';

/** Those of the packages that dpkg does not have installed. */
export function missingPackages(names: readonly string[]): string[] {
  const asked = spawnSync('dpkg-query', ['-W', '-f', statusFormat, ...names], {
    encoding: 'utf8',
  });
  const installed = new Set(
    (asked.stdout ?? '')
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]!),
  );
  return names.filter((name) => !installed.has(name));
}

/** Whether Debian packages can be installed here: apt-get, and root. */
export const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

/**
 * Installs Debian packages.
 * @returns what went wrong, or undefined.
 */
export function installPackages(names: readonly string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (args: string[]) => spawnSync('apt-get', args, { env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  let done = run(['install', '-y', '--no-install-recommends', ...names]);
  if (done.status !== 0) {
    run(['update']);
    done = run(['install', '-y', '--no-install-recommends', ...names]);
  }
  if (done.status === 0) return undefined;
  return (done.stderr || done.stdout || String(done.error)).trim().split('\n').slice(-8).join('\n');
}
