import { Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { routes } from '@vgpu/api';
import { useRef } from 'react';
import { useRoute } from '../server/use-route.ts';
import { count } from '../ui/figures.ts';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { Answer } from '../ui/states.tsx';

const window_ = 100;
const rowHeight = 32;

function Row({ dataset, index }: { dataset: string; index: number }) {
  const page = Math.floor(index / window_);
  const rows = useRoute(
    routes.datasets.preview,
    { params: { dataset }, query: { limit: window_, offset: page * window_ } },
    { staleTime: Number.POSITIVE_INFINITY },
  );
  const cells = rows.data?.rows[index - page * window_];
  const columns = rows.data?.columns ?? [];
  return (
    <>
      <span style={{ ...cell, color: 'var(--mantine-color-dimmed)', width: 80, textAlign: 'right' }}>
        {count(index + 1)}
      </span>
      {columns.map((name, i) => {
        const value = cells?.[i];
        return (
          <span key={name} style={cell} className="ellipsis" title={value ?? undefined}>
            {value === null ? (
              <em style={{ color: 'var(--mantine-color-dimmed)' }}>missing</em>
            ) : (
              (value ?? '…')
            )}
          </span>
        );
      })}
    </>
  );
}

const cell: React.CSSProperties = { width: 150, flex: 'none', padding: '6px 12px', fontSize: 13 };

/** The rows of a version; those out of view are neither fetched nor drawn. */
export function PreviewTable({ dataset }: { dataset: string }) {
  const first = useRoute(
    routes.datasets.preview,
    { params: { dataset }, query: { limit: window_, offset: 0 } },
    { staleTime: Number.POSITIVE_INFINITY },
  );
  return (
    <Answer query={first}>
      {({ columns, total }) => <Rows dataset={dataset} columns={columns} total={total} />}
    </Answer>
  );
}

function Rows({ dataset, columns, total }: { dataset: string; columns: readonly string[]; total: number }) {
  const area = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: Math.min(total, 200_000),
    getScrollElement: () => area.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  const width = 80 + columns.length * 150;
  return (
    <>
      <ScrollBox
        ref={area}
        className="num"
        label="Rows"
        style={{ overflow: 'auto', height: 'min(640px, calc(100dvh - 320px))', minHeight: 320 }}
      >
        <div
          style={{
            position: 'sticky',
            top: 0,
            zIndex: 2,
            width,
            minWidth: '100%',
            display: 'flex',
            background: 'var(--vg-surface)',
            borderBottom: '1px solid var(--vg-border)',
          }}
        >
          <span style={{ ...cell, width: 80 }} />
          {columns.map((name) => (
            <span
              key={name}
              style={{ ...cell, fontWeight: 570, fontSize: 12 }}
              className="ellipsis"
              title={name}
            >
              {name}
            </span>
          ))}
        </div>
        <div style={{ height: virtual.getTotalSize(), width, minWidth: '100%', position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              style={{
                position: 'absolute',
                top: 0,
                left: 0,
                minWidth: '100%',
                display: 'flex',
                height: rowHeight,
                transform: `translateY(${item.start}px)`,
                borderBottom: '1px solid var(--vg-border)',
              }}
            >
              <Row dataset={dataset} index={item.index} />
            </div>
          ))}
        </div>
      </ScrollBox>
      <Text size="xs" c="dimmed" p="xs" px="md">
        {count(total)} rows, as a worker reads them
      </Text>
    </>
  );
}
