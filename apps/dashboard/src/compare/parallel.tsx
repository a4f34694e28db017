import { Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import { colourOf } from '../charts/colours.ts';
import { metricTitle, score } from '../ui/figures.ts';
import { ScrollBox } from '../ui/scroll-box.tsx';
import { type Trial, valueAt } from './trials.ts';

const height = 300;
const top = 46;
const bottom = 30;

/** Parallel coordinates: an axis for each setting and metric, a line for each task. */
export function Parallel({ trials, axes }: { trials: readonly Trial[]; axes: readonly string[] }) {
  const { ref, width } = useElementSize();
  const [over, setOver] = useState<string | null>(null);
  const wide = Math.max(width, axes.length * 96);
  const x = (i: number) => 50 + (i * (wide - 100)) / Math.max(1, axes.length - 1);
  const ranges = axes.map((axis) => {
    const values = trials
      .map((trial) => valueAt(trial, axis))
      .filter((one): one is number => one !== undefined && Number.isFinite(one));
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const y = (i: number, value: number) => {
    const { low, high } = ranges[i]!;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return height - bottom - share * (height - top - bottom);
  };
  const lineOf = (trial: Trial) =>
    axes.flatMap((axis, i) => {
      const value = valueAt(trial, axis);
      return value === undefined || !Number.isFinite(value) ? [] : [`${x(i)},${y(i, value)}`];
    });
  const hovered = trials.find((trial) => trial.key === over);
  return (
    <>
      <ScrollBox ref={ref} style={{ overflowX: 'auto' }} label="Parallel coordinates">
        <svg
          width={wide}
          height={height}
          role="img"
          aria-label={`${trials.length} tasks over ${axes.map(metricTitle).join(', ')}`}
          style={{ display: 'block' }}
        >
          {trials.map((trial) => {
            const points = lineOf(trial).join(' ');
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: pointing only brings a line forward
              <g key={trial.key} onMouseEnter={() => setOver(trial.key)} onMouseLeave={() => setOver(null)}>
                <polyline points={points} fill="none" stroke="transparent" strokeWidth={12} />
                <polyline
                  points={points}
                  fill="none"
                  stroke={colourOf(trial.index)}
                  strokeWidth={over === trial.key ? 3.5 : 2}
                  opacity={over === null ? 0.8 : over === trial.key ? 1 : 0.18}
                  strokeLinejoin="round"
                />
              </g>
            );
          })}
          {axes.map((axis, i) => (
            <g
              key={axis}
              pointerEvents="none"
              fontSize={11.5}
              textAnchor="middle"
              style={{ fontVariantNumeric: 'tabular-nums' }}
            >
              <line
                x1={x(i)}
                x2={x(i)}
                y1={top}
                y2={height - bottom}
                stroke="var(--mantine-color-dimmed)"
                opacity={0.6}
              />
              <text x={x(i)} y={16} fontWeight={600} fill="var(--mantine-color-text)">
                {metricTitle(axis).slice(0, 18)}
              </text>
              <text x={x(i)} y={top - 10} fill="var(--mantine-color-dimmed)">
                {score(ranges[i]!.high)}
              </text>
              <text x={x(i)} y={height - bottom + 18} fill="var(--mantine-color-dimmed)">
                {score(ranges[i]!.low)}
              </text>
              {hovered && valueAt(hovered, axis) !== undefined && (
                <circle
                  cx={x(i)}
                  cy={y(i, valueAt(hovered, axis)!)}
                  r={4.5}
                  fill={colourOf(hovered.index)}
                  stroke="var(--vg-surface)"
                  strokeWidth={2}
                />
              )}
            </g>
          ))}
        </svg>
      </ScrollBox>
      <Text size="sm" c="dimmed" mih={22} className="num">
        {hovered
          ? `${hovered.title}: ${axes.map((axis) => `${metricTitle(axis)} ${score(valueAt(hovered, axis))}`).join(', ')}`
          : 'Point at a line to read it.'}
      </Text>
    </>
  );
}
