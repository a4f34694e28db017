import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { count } from '../output/words.ts';
import { type Finding, ok, warn } from './finding.ts';

/** The NVIDIA kernel driver, by what it says under /proc. */
export function checkNvidia(version = '/proc/driver/nvidia/version', devices = '/dev'): Finding {
  const nodes = existsSync(devices) ? readdirSync(devices).filter((name) => /^nvidia\d+$/.test(name)) : [];
  if (existsSync(version)) {
    const release = /(\d+\.\d+(\.\d+)?)/.exec(readFileSync(version, 'utf8'))?.[1] ?? 'of unknown version';
    if (nodes.length > 0) return ok('gpu', `NVIDIA driver ${release}, ${count(nodes.length, 'device')}`);
    return warn(
      'gpu',
      `NVIDIA driver ${release}, but no device nodes`,
      'Run nvidia-smi once as root; it makes them.',
    );
  }
  const amd = existsSync(`${devices}/kfd`);
  const dri = existsSync(`${devices}/dri`);
  if (amd || dri) return ok('gpu', amd ? 'an AMD accelerator (/dev/kfd)' : 'a graphics device (/dev/dri)');
  return ok('gpu', 'no GPU driver: jobs run on the CPU');
}

/** OpenCL platforms, by the files that the loader reads. */
export function checkOpenCl(folder = '/etc/OpenCL/vendors'): Finding {
  const platforms = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.icd')) : [];
  if (platforms.length > 0) return ok('opencl', `${platforms.map((name) => name.slice(0, -4)).join(', ')}`);
  return warn(
    'opencl',
    'no OpenCL platform',
    'Not needed for Python jobs. For OpenCL on the CPU: apt-get install pocl-opencl-icd.',
  );
}

/** Whether a driver of some accelerator is installed: what `vgpu gpu ls` could find devices with. */
export const hasAccelerator = (): boolean =>
  existsSync('/proc/driver/nvidia/version') || checkOpenCl().level === 'ok';
