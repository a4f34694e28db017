import { Counter, Gauge, type Registry } from 'prom-client';
import type { Devices } from './devices.ts';
import type { Execution } from './execution.ts';

interface Sample {
  labels: Record<string, string>;
  value: number;
}

const deviceLabels = ['uuid', 'model'] as const;
const sliceLabels = ['uuid', 'slice', 'job', 'task', 'worker', 'project'] as const;
const NS = 1e9;

/** Accelerators and slices for Prometheus: live readings, and the counters of the arbiters' ledgers. */
export function registerAcceleratorMetrics(
  registry: Registry,
  { devices, execution }: { devices: Devices; execution: Execution },
): void {
  const registers = [registry];
  const { inventory } = devices;

  const ofDevices = (read: (uuid: string, memory: number) => number | null | undefined): Sample[] =>
    inventory.accelerators.flatMap(({ uuid, model, memory }) => {
      const value = read(uuid, memory);
      return value === null || value === undefined ? [] : [{ labels: { uuid, model }, value }];
    });
  type Use = NonNullable<ReturnType<Devices['usage']>>['slices'][number];
  const ofSlices = (read: (use: Use) => number | undefined): Sample[] => {
    const owners = new Map(execution.active().map((active) => [active.attempt, active]));
    return inventory.accelerators.flatMap(({ uuid }) =>
      (devices.usage(uuid)?.slices ?? []).flatMap((use): Sample[] => {
        const owner = owners.get(use.id.slice(0, use.id.lastIndexOf('.')));
        const labels = {
          uuid,
          slice: use.id,
          job: owner?.job.id ?? '',
          task: owner?.task.id ?? '',
          worker: owner?.task.worker ?? '',
          project: owner?.task.project ?? '',
        };
        const value = read(use);
        return value === undefined ? [] : [{ labels, value }];
      }),
    );
  };
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Sample[]) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.set(labels, value);
      },
    });
  // The ledger counts; what is kept here is only what it says now, so that the counter is set anew each time.
  const counter = (name: string, help: string, samples: () => Sample[]) =>
    new Counter({
      name,
      help,
      labelNames: sliceLabels,
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.inc(labels, value);
      },
    });

  const allocated = (uuid: string, what: 'milli' | 'bytes') =>
    devices.slices.reduce((sum, slice) => sum + (slice.uuid === uuid ? slice[what] : 0), 0);
  gauge('vgpu_accelerator_allocated_milli', 'Thousandths that are given out.', deviceLabels, () =>
    ofDevices((uuid) => allocated(uuid, 'milli')),
  );
  gauge('vgpu_accelerator_allocated_bytes', 'Memory that is given out.', deviceLabels, () =>
    ofDevices((uuid) => allocated(uuid, 'bytes')),
  );
  gauge('vgpu_accelerator_memory_bytes', 'Memory of the device.', deviceLabels, () =>
    ofDevices((_, memory) => memory),
  );
  gauge('vgpu_accelerator_memory_used_bytes', 'Memory in use.', deviceLabels, () =>
    ofDevices((uuid) => inventory.reading(uuid)?.memoryUsed),
  );
  gauge('vgpu_accelerator_utilisation_ratio', 'Part of the time that it worked, 0 to 1.', deviceLabels, () =>
    ofDevices((uuid) => {
      const percent = inventory.reading(uuid)?.utilisation;
      return percent === null || percent === undefined ? null : percent / 100;
    }),
  );
  gauge('vgpu_accelerator_temperature_celsius', 'Temperature.', deviceLabels, () =>
    ofDevices((uuid) => inventory.reading(uuid)?.temperature),
  );
  gauge('vgpu_accelerator_power_watts', 'Power.', deviceLabels, () =>
    ofDevices((uuid) => inventory.reading(uuid)?.power),
  );
  gauge('vgpu_accelerator_healthy', '1 while the device is healthy.', deviceLabels, () =>
    ofDevices((uuid) => (inventory.health(uuid).health === 'healthy' ? 1 : 0)),
  );
  gauge('vgpu_slice_memory_bytes', 'Accelerator memory that the slice holds.', sliceLabels, () =>
    ofSlices((use) => use.bytes),
  );
  gauge('vgpu_slice_memory_peak_bytes', 'Most that the slice ever held.', sliceLabels, () =>
    ofSlices((use) => use.peakBytes),
  );
  gauge('vgpu_slice_memory_limit_bytes', 'Cap of the slice; 0: none.', sliceLabels, () =>
    ofSlices((use) => use.capBytes),
  );
  gauge('vgpu_slice_share_milli', 'Thousandths of the device that the slice is given.', sliceLabels, () =>
    ofSlices((use) => use.shareMilli),
  );
  gauge(
    'vgpu_slice_working_set_bytes',
    'Over-committed: memory in use that can leave the device.',
    sliceLabels,
    () => ofSlices((use) => use.paging?.workingSet),
  );
  gauge('vgpu_slice_resident_bytes', 'Over-committed: of it on the device.', sliceLabels, () =>
    ofSlices((use) => use.paging?.resident),
  );
  gauge('vgpu_slice_quantum_seconds', 'Over-committed: longest turn now.', sliceLabels, () =>
    ofSlices((use) => use.paging && use.paging.quantumNs / NS),
  );
  counter('vgpu_slice_paged_in_bytes_total', 'Over-committed: moved to the device ahead of use.', () =>
    ofSlices((use) => use.paging?.pagedIn),
  );
  counter('vgpu_slice_paged_out_bytes_total', 'Over-committed: moved to the host for others.', () =>
    ofSlices((use) => use.paging?.pagedOut),
  );
  counter('vgpu_slice_paging_seconds_total', 'Over-committed: time that its moves took.', () =>
    ofSlices((use) => use.paging && use.paging.movingNs / NS),
  );
  counter('vgpu_slice_device_seconds_total', 'Seconds that the slice held the device.', () =>
    ofSlices((use) => use.deviceNs / NS),
  );
  counter('vgpu_slice_wait_seconds_total', 'Seconds that its processes waited for a turn.', () =>
    ofSlices((use) => use.waitNs / NS),
  );
  counter('vgpu_slice_launches_total', 'Kernels that it launched.', () => ofSlices((use) => use.launches));
  counter('vgpu_slice_memory_denied_total', 'Allocations that were refused.', () =>
    ofSlices((use) => use.denied),
  );
}
