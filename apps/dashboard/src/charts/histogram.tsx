import { count, score } from '../ui/figures.ts';

interface HistogramProps {
  counts: readonly number[];
  edges: readonly number[] | null;
  labels: readonly string[] | null;
  name: string;
  width?: number;
  height?: number;
}

/** The spread of a column: bins of numbers, or the most frequent values. */
export function Histogram({ counts, edges, labels, name, width = 132, height = 34 }: HistogramProps) {
  const most = Math.max(1, ...counts);
  const bar = width / Math.max(1, counts.length);
  const bin = (i: number) =>
    edges ? `${score(edges[i])} to ${score(edges[i + 1])}` : (labels?.[i] ?? `bin ${i + 1}`);
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label={`Distribution of ${name}: ${counts.length} ${edges ? 'bins' : 'values'}, the fullest holds ${count(most)}`}
      style={{ display: 'block' }}
    >
      {counts.map((value, i) => {
        const size = value === 0 ? 0 : Math.max(1.5, (value / most) * (height - 2));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
          <g key={i}>
            <rect x={i * bar} y={0} width={bar} height={height} fill="transparent">
              <title>{`${bin(i)}: ${count(value)}`}</title>
            </rect>
            <rect
              x={i * bar + 0.5}
              y={height - size}
              width={Math.max(1, bar - 1.5)}
              height={size}
              rx={1}
              fill="var(--vg-running)"
              opacity={edges ? 0.75 : 0.5}
              pointerEvents="none"
            />
          </g>
        );
      })}
    </svg>
  );
}
