import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Accelerator, Vendor } from '../../accelerator.ts';
import { runProbe } from '../../probe-process.ts';
import type { Provider } from '../../provider.ts';
import type { ClDevice } from './cl.ts';

const probe = new URL('./probe.ts', import.meta.url);

/** Tells this machine from another: systemd's machine id, else its name. */
function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || hostname();
  } catch {
    return hostname();
  }
}

/**
 * A UUID for a device that has none of its own: a hash of machine, platform, device name and ordinal among equals.
 * Driver versions stay out of it, so that it survives upgrades.
 */
export function clUuid(
  machine: string,
  device: Pick<ClDevice, 'platform' | 'name'>,
  ordinal: number,
): string {
  const hash = createHash('sha256')
    .update([machine, device.platform, device.name, ordinal].join('\0'))
    .digest('hex');
  return `OCL-${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
}

const vendorOf = (text: string): Vendor =>
  /nvidia/i.test(text)
    ? 'nvidia'
    : /amd|advanced micro/i.test(text)
      ? 'amd'
      : /intel/i.test(text)
        ? 'intel'
        : 'other';

/** `pthread-skylake-avx512-Intel(R) Xeon(R) Processor` → `Intel(R) Xeon(R) Processor`: PoCL prefixes its target. */
const modelOf = (device: ClDevice): string =>
  /portable computing/i.test(device.platform)
    ? device.name.replace(/^(pthread|basic|cpu(-minimal)?)(-[a-z0-9._-]+?)?-(?=[A-Z])/, '')
    : device.name;

/** Every OpenCL device of the host, CPUs through PoCL included. */
export class OpenClProvider implements Provider {
  readonly name = 'opencl';

  async discover(): Promise<{ accelerators: Accelerator[]; problem: string | null }> {
    const { value, problem } = await runProbe<{ devices: ClDevice[] }>(probe, []);
    if (!value) {
      const absent = /cannot open shared object|no such file/i.test(problem ?? '');
      return { accelerators: [], problem: absent ? null : problem };
    }
    const machine = machineId();
    const seen = new Map<string, number>();
    const accelerators = value.devices.map((device, index): Accelerator => {
      const alike = `${device.platform}\0${device.name}`;
      const ordinal = seen.get(alike) ?? 0;
      seen.set(alike, ordinal + 1);
      return {
        uuid: clUuid(machine, device, ordinal),
        index,
        provider: 'opencl',
        vendor: vendorOf(device.vendor),
        model: modelOf(device),
        kind: device.type === 'accelerator' ? 'fpga' : device.type,
        host: hostname(),
        memory: device.memory,
        computeUnits: device.computeUnits,
        driverVersion: device.driverVersion,
        pciBusId: device.pci,
        numaNode: null,
        migEnabled: null,
        minor: null,
      };
    });
    return { accelerators, problem: null };
  }

  /** OpenCL has no live figures; what slices use comes from the limiter's ledger. */
  watch(): { stop(): void } {
    return { stop: () => {} };
  }
}
