import type { Accelerator } from '@vgpu/api';
import { formatBytes, formatMilli } from '@vgpu/core';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';

type Slice = Accelerator['slices'][number];

/** What only over-committed slices have: `on the device / in use`, moved so far, the turn's length. */
const pagingCells = ({ paging }: Slice): string[] =>
  paging
    ? [
        `${formatBytes(paging.residentBytes)} / ${formatBytes(paging.workingSetBytes)}`,
        formatBytes(paging.pagedInBytes + paging.pagedOutBytes),
        `${Math.round(paging.quantumMs)} ms`,
      ]
    : ['–', '–', '–'];

/** The slices of these accelerators, with how their memory moves where any is over-committed. */
export function slicesTable(items: readonly Accelerator[]): string {
  const slices = items.flatMap((one) =>
    one.slices.map((slice) => ({ ...slice, model: `${one.index} ${one.model}` })),
  );
  if (slices.length === 0) return style.dim('no slices in use');
  const paged = slices.some((slice) => slice.paging);
  const columns = [
    { title: 'accelerator', shrinks: true },
    { title: 'worker' },
    { title: 'job', shrinks: true },
    { title: 'enforced by' },
    { title: 'share', align: 'right' as const },
    { title: 'using', align: 'right' as const },
    { title: 'memory', align: 'right' as const },
    { title: 'holding', align: 'right' as const },
    ...(paged ? ['resident', 'paged', 'quantum'].map((title) => ({ title, align: 'right' as const })) : []),
  ];
  const rows = slices.map((slice) => [
    slice.model,
    slice.worker,
    slice.job,
    slice.enforcement,
    formatMilli(slice.milli),
    slice.usedMilli === null ? '–' : formatMilli(Math.round(slice.usedMilli)),
    formatBytes(slice.bytes),
    slice.usedBytes === null ? '–' : formatBytes(slice.usedBytes),
    ...(paged ? pagingCells(slice) : []),
  ]);
  return renderTable(columns, rows);
}
