import { VgpuError } from '@vgpu/core';
import type { CleanedTable } from './clean-table.ts';
import type { WrittenColumn } from './written-column.ts';

type Output = CleanedTable['output'][number];

/** A filler for a column of words, as its values are written. */
function wordFill({ name, from }: Output): string | null {
  const { plan, type } = from!;
  if (plan.fill === null) return null;
  const text = String(plan.fill);
  if (type !== 'date' && type !== 'datetime') return text;
  const day = text.slice(0, 10);
  const time = text.slice(11).padEnd(8, text.length > 10 ? ':00' : '00:00:00');
  const at = new Date(`${day}T${time.slice(0, 8)}Z`);
  // The first of March is no 31st of February.
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== day)
    throw new VgpuError('BAD_SPEC', {
      path: `clean.columns.${name}.value`,
      problem: `"${text}" is no day of the calendar`,
    });
  return type === 'date' ? day : `${day} ${time}`;
}

/** The final columns as the threads need to know them. */
export function writtenColumns({
  output,
  outcomes,
}: Pick<CleanedTable, 'output' | 'outcomes'>): WrittenColumn[] {
  return output.map((one): WrittenColumn => {
    const none = { limits: { min: -Infinity, max: Infinity }, fill: null, decimals: null, tally: null };
    if (!one.from) return { ...none, column: one.indicates!, name: one.name, type: 'indicator' };
    const { index, type, plan } = one.from;
    const own = { ...none, column: index, name: one.name, type };
    if (type !== 'integer' && type !== 'number') return { ...own, fill: wordFill(one) };
    return {
      ...own,
      limits: { min: plan.clip?.min ?? -Infinity, max: plan.clip?.max ?? Infinity },
      fill: plan.fill === null ? null : Number(plan.fill),
      decimals: one.decimals?.count ?? null,
      tally: outcomes.tallies.get(index)?.plan ?? null,
    };
  });
}
