import { Group, Text, Tooltip } from '@mantine/core';
import { percent } from './figures.ts';

export interface Segment {
  name: string;
  value: number;
  text: string;
  colour: string;
}

interface MeterProps {
  label: string;
  total: number;
  used: number;
  /** Writes a value with its unit. */
  write: (value: number) => string;
  segments?: readonly Segment[];
}

/** How much of something is in use, and by what. */
export function Meter({ label, total, used, write, segments }: MeterProps) {
  const parts = segments ?? [{ name: 'In use', value: used, text: write(used), colour: 'var(--vg-running)' }];
  const fraction = total > 0 ? used / total : 0;
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={6} wrap="nowrap">
        <Text size="sm" fw={550}>
          {label}
        </Text>
        <Text size="sm" fw={550} className="num">
          {percent(fraction)}
        </Text>
      </Group>
      {/* biome-ignore lint/a11y/useSemanticElements: the element of that name cannot show parts */}
      <div
        className="meter"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={used}
        aria-valuetext={`${write(used)} of ${write(total)}`}
      >
        {parts
          .filter((part) => part.value > 0)
          .map((part) => (
            <Tooltip key={part.name} label={`${part.name}: ${part.text}`}>
              <span
                style={{
                  width: `${Math.min(100, (part.value / Math.max(total, 1)) * 100)}%`,
                  background: part.colour,
                }}
              />
            </Tooltip>
          ))}
      </div>
      <Text size="xs" c="dimmed" className="num" mt={5}>
        {write(used)} of {write(total)} in use
      </Text>
    </div>
  );
}
