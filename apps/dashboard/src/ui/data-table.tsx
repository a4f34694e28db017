import { VisuallyHidden } from '@mantine/core';
import type { CSSProperties, ReactNode } from 'react';
import { TableBox } from './scroll-box.tsx';

export interface Column<T> {
  /** Heading; of a column of buttons only screen readers hear it. */
  title: string;
  cell: (row: T) => ReactNode;
  /** Numbers and buttons stand right. */
  right?: boolean;
  /** Says the title to screen readers alone. */
  quiet?: boolean;
  style?: CSSProperties;
}

interface DataTableProps<T> {
  /** What a screen reader calls the table's area. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** What tells a row from the others. */
  keyOf: (row: T) => string | number;
}

/** A table with its columns as data: the frame, the headings and the alignment are the same everywhere. */
export function DataTable<T>({ label, columns, rows, keyOf }: DataTableProps<T>) {
  return (
    <TableBox label={label}>
      <table className="table">
        <thead>
          <tr>
            {columns.map(({ title, right, quiet, style }) => (
              <th key={title} scope="col" className={right ? 'right' : undefined} style={style}>
                {quiet ? <VisuallyHidden>{title}</VisuallyHidden> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, right, style }) => (
                <td key={title} className={right ? 'right' : undefined} style={style}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
