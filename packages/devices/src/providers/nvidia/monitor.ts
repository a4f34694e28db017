/**
 * A process of its own that loads NVML and prints JSON lines: first `{accelerators}`, then, unless `--once`,
 * `{readings, health}` every second. See probe-process.ts for why it is apart.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Accelerator, HealthReport, Reading } from '../../accelerator.ts';
import { healthAfterXid } from './health.ts';
import { Nvml, NvmlError } from './nvml.ts';

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

function numaNodeOf(busId: string | null): number | null {
  if (!busId) return null;
  try {
    // sysfs has four digits of domain where NVML gives eight
    const path = `/sys/bus/pci/devices/${busId.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '')}/numa_node`;
    const node = Number(readFileSync(path, 'utf8'));
    return node >= 0 ? node : null;
  } catch {
    return null;
  }
}

function describe(nvml: Nvml, device: unknown, index: number, driverVersion: string): Accelerator {
  const busId = nvml.pciBusId(device);
  return {
    uuid: nvml.uuid(device),
    index,
    provider: 'nvidia',
    vendor: 'nvidia',
    model: nvml.name(device),
    kind: 'gpu',
    host: hostname(),
    memory: nvml.memory(device)?.total ?? 0,
    computeUnits: nvml.cores(device),
    driverVersion,
    pciBusId: busId,
    numaNode: numaNodeOf(busId),
    migEnabled: nvml.migEnabled(device),
    minor: nvml.minor(device),
  };
}

function read(nvml: Nvml, device: unknown, uuid: string): Reading {
  return {
    uuid,
    time: Date.now(),
    utilisation: nvml.utilisation(device),
    memoryUsed: nvml.memory(device)?.used ?? null,
    temperature: nvml.temperature(device),
    power: nvml.power(device),
    processes: nvml.processes(device),
  };
}

const nvml = new Nvml();
const handles = nvml.devices();
const driverVersion = nvml.driverVersion();
const accelerators = handles.map((device, index) => describe(nvml, device, index, driverVersion));
say({ accelerators });

if (!process.argv.includes('--once')) {
  const xids = nvml.watchXid(handles);
  setInterval(() => {
    const readings: Reading[] = [];
    const health: HealthReport[] = [];
    handles.forEach((device, i) => {
      const { uuid } = accelerators[i]!;
      try {
        nvml.uuid(device); // fails once the device has fallen off the bus
        readings.push(read(nvml, device, uuid));
      } catch (error) {
        const lost = error instanceof NvmlError && error.lost;
        health.push({
          uuid,
          health: 'unhealthy',
          reason: lost ? 'the device is lost' : (error as Error).message,
          recovers: true,
        });
      }
    });
    for (const { uuid, xid } of xids?.poll() ?? []) {
      const report = healthAfterXid(uuid, xid);
      if (report) health.push(report);
    }
    say({ readings, health });
  }, 1000);
  // the parent's end closes the pipe: nothing may outlive it
  process.stdout.on('error', () => process.exit(0));
} else {
  nvml.close();
}
