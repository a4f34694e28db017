import type { Accelerator, RouteOutput, routes, Topology } from '@vgpu/api';
import { formatBytes, formatMilli } from '@vgpu/core';
import { bar } from '../follow/live-view.ts';
import { stateStyle, style } from '../output/style.ts';
import { type Column, renderTable } from '../output/table.ts';
import { ago } from '../output/words.ts';

type Capacity = RouteOutput<typeof routes.machine.capacity>;

const gauge = (name: string, used: number, total: number, text: string): string =>
  `${style.dim(name.padEnd(8))}${bar(total > 0 ? used / total : 0, 20)} ${text}`;

/** What is in use of what there is, one line each. */
export function capacityText({ cpu, memory, gpu, vram, workers }: Capacity): string {
  const lines = [
    gauge('CPU', cpu.used, cpu.total, `${formatMilli(cpu.used)} of ${formatMilli(cpu.total)} cores`),
    gauge('memory', memory.used, memory.total, `${formatBytes(memory.used)} of ${formatBytes(memory.total)}`),
  ];
  if (gpu.total > 0) {
    lines.push(gauge('GPU', gpu.used, gpu.total, `${formatMilli(gpu.used)} of ${formatMilli(gpu.total)}`));
    lines.push(
      gauge('VRAM', vram.used, vram.total, `${formatBytes(vram.used)} of ${formatBytes(vram.total)}`),
    );
  }
  lines.push(`${style.dim('workers ')}${workers.running} running, ${workers.warm} warm`);
  return lines.join('\n');
}

const percent = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} %`);

/** Characters of a UUID that tell devices apart: `GPU-5d1f7a1e`. */
const SHORT_UUID = 12;

/** Accelerators with what they carry. @param show whether the beginning of each UUID is shown; default: no */
export function acceleratorTable(
  accelerators: readonly Accelerator[],
  show: { uuid?: boolean } = {},
): string {
  const columns: Column[] = [
    { title: '#', align: 'right' },
    { title: 'accelerator', shrinks: true, key: true },
    ...(show.uuid ? [{ title: 'uuid' }] : []),
    { title: 'kind' },
    { title: 'mode' },
    { title: 'pool' },
    { title: 'health', paint: stateStyle },
    { title: 'use', align: 'right' },
    { title: 'memory', align: 'right' },
    { title: 'temp', align: 'right' },
    { title: 'power', align: 'right' },
    { title: 'slices', align: 'right' },
    { title: 'allocated', align: 'right' },
  ];
  const rows = accelerators.map((one) => [
    one.index,
    one.model,
    ...(show.uuid ? [one.uuid.slice(0, SHORT_UUID)] : []),
    one.kind,
    one.mode,
    one.pool,
    one.health,
    percent(one.utilisation),
    one.memoryUsed === null
      ? formatBytes(one.memory)
      : `${formatBytes(one.memoryUsed)} / ${formatBytes(one.memory)}`,
    one.temperature === null ? '–' : `${one.temperature} °C`,
    one.power === null ? '–' : `${Math.round(one.power)} W`,
    one.slices.length,
    `${one.allocatedMilli / 10} %`,
  ]);
  return renderTable(columns, rows);
}

/** The topology as one table: services and workers, then the accelerators. */
export function topologyText(topology: Topology): string {
  const columns: Column[] = [
    { title: 'service', shrinks: true },
    { title: 'image', shrinks: true },
    { title: 'tag' },
    { title: 'created', paint: style.dim },
    { title: 'ports' },
    { title: 'state', paint: stateStyle },
    { title: 'CPU', align: 'right' },
    { title: 'memory', align: 'right' },
    { title: 'last line', shrinks: true, paint: style.dim },
  ];
  const rows = topology.services.map((service) => [
    service.job ? `${service.name} (${service.task ?? service.job})` : service.name,
    service.image,
    service.tag,
    ago(service.created),
    service.ports.join(', '),
    service.state,
    service.cpu === null ? '–' : service.cpu.toFixed(2),
    service.memory === null ? '–' : formatBytes(service.memory),
    service.lastLine ?? '',
  ]);
  const parts = [renderTable(columns, rows)];
  if (topology.accelerators.length > 0) parts.push(acceleratorTable(topology.accelerators));
  return parts.join('\n\n');
}
