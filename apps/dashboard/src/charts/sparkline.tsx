import { decimate } from './decimate.ts';

interface SparklineProps {
  values: readonly number[];
  colour: string;
  width?: number;
  height?: number;
  label: string;
}

/** A line without axes, the size of a word. */
export function Sparkline({ values, colour, width = 96, height = 24, label }: SparklineProps) {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2)
    return <svg width={width} height={height} role="img" aria-label={`${label}: no data yet`} />;
  const { x, y } = decimate({ x: finite.map((_, i) => i), y: finite }, width);
  const low = Math.min(...y);
  const high = Math.max(...y);
  const span = high - low || 1;
  const last = x.at(-1) || 1;
  const at = (i: number) =>
    `${((x[i]! / last) * (width - 4) + 2).toFixed(1)},${(height - 3 - ((y[i]! - low) / span) * (height - 6)).toFixed(1)}`;
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label={label}
      style={{ display: 'block', flexShrink: 0 }}
    >
      <polyline
        points={x.map((_, i) => at(i)).join(' ')}
        fill="none"
        stroke={colour}
        strokeWidth={1.6}
        strokeLinejoin="round"
      />
    </svg>
  );
}
