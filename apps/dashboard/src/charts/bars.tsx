import { Text } from '@mantine/core';
import { score } from '../ui/figures.ts';

interface BarsProps {
  title: string;
  items: readonly { name: string; value: number | null; best: boolean }[];
}

/** Horizontal bars from zero, the best one set off; sorted by nobody, so that they keep the table's order. */
export function Bars({ title, items }: BarsProps) {
  const values = items
    .map((one) => one.value)
    .filter((one): one is number => one !== null && Number.isFinite(one));
  const high = Math.max(0, ...values);
  const low = Math.min(0, ...values);
  const span = high - low || 1;
  const at = (value: number) => ((value - low) / span) * 100;
  return (
    <div
      role="img"
      aria-label={`${title}: ${items.map((one) => `${one.name} ${score(one.value)}`).join(', ')}`}
    >
      {items.map(({ name, value, best }) => (
        <div
          key={name}
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(80px, 200px) 1fr 84px',
            gap: 12,
            alignItems: 'center',
            padding: '4px 0',
          }}
        >
          <Text size="sm" className="ellipsis" fw={best ? 600 : 400}>
            {name}
          </Text>
          <div style={{ position: 'relative', height: 16, borderRadius: 4, background: 'var(--vg-track)' }}>
            {value !== null && Number.isFinite(value) && (
              <div
                style={{
                  position: 'absolute',
                  left: `${at(Math.min(0, value))}%`,
                  width: `${at(Math.max(0, value)) - at(Math.min(0, value))}%`,
                  height: '100%',
                  borderRadius: 4,
                  background: best
                    ? 'var(--vg-completed)'
                    : 'color-mix(in srgb, var(--vg-running) 70%, var(--vg-track))',
                }}
              />
            )}
          </div>
          <Text size="sm" className="num" ta="right" fw={best ? 650 : 450}>
            {score(value)}
          </Text>
        </div>
      ))}
    </div>
  );
}
