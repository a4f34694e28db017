import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findMpsControl } from '@vgpu/devices';
import { type Finding, ok, warn } from './finding.ts';

/** Compute modes of the devices, as nvidia-smi tells them; empty where it does not. */
function computeModes(): string[] {
  try {
    const args = ['--query-gpu=compute_mode', '--format=csv,noheader'];
    return execFileSync('nvidia-smi', args, { encoding: 'utf8', timeout: 5000, stdio: 'pipe' })
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  } catch {
    return [];
  }
}

/**
 * NVIDIA's MPS: whether its control program is there, and whether the devices' compute mode lets it and others work.
 * vgpu never changes that mode. None where there is no NVIDIA driver.
 */
export function checkMps(
  control: string | null = findMpsControl(),
  driver = existsSync('/proc/driver/nvidia/version'),
  modes: readonly string[] = driver ? computeModes() : [],
): Finding[] {
  if (!driver && !control) return [];
  const exclusive = modes.flatMap((mode, i) => (/exclusive/i.test(mode) ? [i] : []));
  const prohibited = modes.flatMap((mode, i) => (/prohibited/i.test(mode) ? [i] : []));
  const findings: Finding[] = [
    control
      ? ok('mps', `${control}; a pool turns it on: vgpu gpu pool set <pool> --mps auto`)
      : ok('mps', 'nvidia-cuda-mps-control is not installed: slices take turns, enforced by the limiter'),
  ];
  if (exclusive.length > 0) {
    findings.push(
      warn(
        'compute mode',
        `GPU ${exclusive.join(', ')}: exclusive process, so one process, or one MPS server, has it at a time`,
        'Slices of several processes fail there without MPS. To change it, as root: nvidia-smi -c DEFAULT. vgpu never does.',
      ),
    );
  }
  if (prohibited.length > 0) {
    findings.push(
      warn(
        'compute mode',
        `GPU ${prohibited.join(', ')}: prohibited, so no program can compute there`,
        'To change it, as root: nvidia-smi -c DEFAULT. vgpu never does.',
      ),
    );
  }
  return findings;
}
