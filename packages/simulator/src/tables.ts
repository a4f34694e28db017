import type { SaturationResult } from './saturation.ts';

/** A result as people read it. */
export function saturationTable(r: Omit<SaturationResult, 'placements' | 'curve'>): string {
  const lines = [
    `policy ${r.policy}, seed ${r.seed}: ${r.arrivals} pods on ${r.nodes} nodes (${r.capacityMilli / 1000} GPUs)`,
    '',
    'arrived %    allocated %',
  ];
  for (const [mark, value] of Object.entries(r.allocation).sort((a, b) => Number(a[0]) - Number(b[0])))
    lines.push(`${mark.padStart(9)}    ${value === null ? 'not reached' : value.toFixed(2).padStart(11)}`);
  lines.push(
    '',
    `refused ${r.refused}, of no use to typical work at the end ${r.fragmentation.toFixed(2)} %`,
    `${r.decisionsPerSecond} decisions/s; one decision p50 ${r.decisionMicros.p50.toFixed(1)} µs, ` +
      `p99 ${r.decisionMicros.p99.toFixed(0)} µs, max ${r.decisionMicros.max.toFixed(0)} µs; ` +
      `set-up ${r.setupSeconds.toFixed(2)} s`,
  );
  return lines.join('\n');
}
