import { Text } from '@mantine/core';
import type { CleaningReport } from '@vgpu/api';
import { Histogram } from '../charts/histogram.tsx';
import { count, percent, score } from '../ui/figures.ts';
import { TableBox } from '../ui/scroll-box.tsx';

type Column = CleaningReport['columns'][number];

const figure = (value: number | string | null | undefined): string =>
  value === null || value === undefined ? '' : typeof value === 'number' ? score(value) : value;

function Range({ column }: { column: Column }) {
  if (column.min === null || column.min === undefined) {
    return (
      <>
        {column.distinct !== null && column.distinct !== undefined ? `${count(column.distinct)} values` : '–'}
      </>
    );
  }
  return (
    <>
      {figure(column.min)} to {figure(column.max)}
      {column.unit ? ` ${column.unit}` : ''}
    </>
  );
}

interface ColumnTableProps {
  columns: readonly Column[];
  rows: number;
  target: string | null;
  /** Shows what cleaning would do instead of the statistics of the result. */
  plan?: boolean;
}

/** Columns with their type, spread and histogram. */
export function ColumnTable({ columns, rows, target, plan = false }: ColumnTableProps) {
  return (
    <TableBox label="Columns">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Distribution</th>
            <th scope="col">Range</th>
            {!plan && (
              <>
                <th scope="col" className="right">
                  Mean
                </th>
                <th scope="col" className="right">
                  Median
                </th>
                <th scope="col" className="right">
                  Deviation
                </th>
              </>
            )}
            <th scope="col" className="right">
              Missing
            </th>
            {plan ? (
              <th scope="col">Plan</th>
            ) : (
              <>
                <th scope="col" className="right">
                  Filled
                </th>
                <th scope="col" className="right">
                  Clipped
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <td>
                <Text component="span" size="sm" fw={550}>
                  {column.name}
                </Text>
                <Text size="xs" c="dimmed">
                  {column.type}
                  {column.name === target ? ' · target' : ''}
                </Text>
              </td>
              <td>
                {column.histogram ? (
                  <Histogram
                    name={column.name}
                    counts={column.histogram.counts}
                    edges={column.histogram.edges}
                    labels={column.histogram.labels}
                  />
                ) : (
                  <Text component="span" c="dimmed" size="xs">
                    –
                  </Text>
                )}
              </td>
              <td style={{ whiteSpace: 'nowrap' }}>
                <Range column={column} />
              </td>
              {!plan && (
                <>
                  <td className="right">{score(column.mean)}</td>
                  <td className="right">{score(column.median)}</td>
                  <td className="right">{score(column.std)}</td>
                </>
              )}
              <td className="right">
                {column.missing
                  ? `${count(column.missing)} (${percent(column.missing / Math.max(1, rows), 1)})`
                  : 'none'}
              </td>
              {plan ? (
                <td style={{ minWidth: 240 }}>
                  <Text component="span" size="xs">
                    {column.plan ?? 'keep as it is'}
                  </Text>
                </td>
              ) : (
                <>
                  <td className="right">{count(column.imputed ?? 0)}</td>
                  <td className="right">{count(column.clipped ?? 0)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
