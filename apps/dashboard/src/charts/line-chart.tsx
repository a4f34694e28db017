import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { score } from '../ui/figures.ts';
import { decimate, type Points } from './decimate.ts';
import { drawSoon } from './draw-queue.ts';
import 'uplot/dist/uPlot.min.css';
import './line-chart.css';

export interface Line {
  name: string;
  colour: string;
  /** Read at each drawing, so that a live line needs no render of React. */
  points: () => Points;
}

interface LineChartProps {
  lines: readonly Line[];
  /** What a screen reader says. */
  label: string;
  height?: number;
  /** `time`: x in seconds since 1970. */
  x?: 'step' | 'time';
  /** Charts of one group share their cursor. */
  sync?: string;
  /** Tells when points were added; answers how to stop. */
  listen?: (changed: () => void) => () => void;
  /** Writes a value of y. */
  write?: (value: number) => string;
  /** Fixed range of y. */
  range?: [number, number];
  /** Draws anew when it changes: for data that comes by rendering, not by `listen`. */
  data?: unknown;
}

/** A live chart is drawn again at most this often, in milliseconds. */
const redrawEvery = 250;

/** uPlot's one x for all lines: the union of theirs, with gaps spanned. */
function align(lines: readonly Line[], limit: number): uPlot.AlignedData {
  const tables = lines.map((line): uPlot.AlignedData => {
    const { x, y } = decimate(line.points(), limit);
    return [x, y];
  });
  if (tables.length === 0) return [[]];
  if (tables.length === 1) return tables[0]!;
  return uPlot.join(
    tables,
    tables.map(() => [2]),
  );
}

/** A value of an axis, without idle zeros: `0.4`, `1,500`, `2e-5`. */
const tick = (value: number): string => {
  const short = Number(value.toPrecision(4));
  const size = Math.abs(short);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? short.toExponential()
    : short.toLocaleString('en', { maximumFractionDigits: 4 });
};

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const clockTimes = (_: uPlot, ticks: number[]): string[] => ticks.map((at) => clock.format(at * 1000));

/** Lines over steps or time. */
export function LineChart(props: LineChartProps) {
  const { lines, label, height = 180, x = 'step', sync, listen } = props;
  const host = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  const latest = useRef(props);
  latest.current = props;
  const redraw = useRef<() => void>(() => undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `data` says that there is something new
  useEffect(() => redraw.current(), [props.data]);
  const shape = `${scheme} ${height} ${x} ${sync} ${lines.map((one) => one.name + one.colour).join('|')}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` says when the chart must be made anew
  useEffect(() => {
    const box = host.current;
    if (!box) return;
    const style = getComputedStyle(document.documentElement);
    const dim = style.getPropertyValue('--mantine-color-dimmed').trim();
    const grid = style.getPropertyValue('--vg-border').trim();
    const font = '11px "Inter Variable", system-ui, sans-serif';
    const write = (value: number) => (latest.current.write ?? score)(value);
    const axis: uPlot.Axis = {
      stroke: dim,
      font,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      gap: 4,
    };
    const plot = new uPlot(
      {
        width: Math.max(120, box.clientWidth),
        height,
        padding: [10, 18, 0, 0],
        legend: { show: false },
        cursor: {
          points: { size: 6 },
          drag: { x: true, y: false },
          ...(sync ? { sync: { key: sync, setSeries: false } } : {}),
        },
        scales: {
          x: { time: x === 'time' },
          ...(latest.current.range ? { y: { range: latest.current.range } } : {}),
        },
        axes: [
          {
            ...axis,
            size: 22,
            grid: { show: false },
            space: 60,
            ...(x === 'time' ? { values: clockTimes } : {}),
          },
          { ...axis, size: 54, values: (_, ticks) => ticks.map(latest.current.write ?? tick), space: 34 },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.name,
            stroke: line.colour,
            width: 1.75,
            spanGaps: true,
            points: { show: (_: uPlot, __: number, first: number, last: number) => last - first < 3 },
          })),
        ],
        plugins: [tip(() => latest.current, write)],
      },
      align(latest.current.lines, box.clientWidth * 2),
      box,
    );
    const size = new ResizeObserver(() => plot.setSize({ width: Math.max(120, box.clientWidth), height }));
    size.observe(box);
    let seen = true;
    let stale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let cancel: (() => void) | undefined;
    const draw = () => {
      timer = undefined;
      if (!seen || document.hidden) {
        stale = true;
        return;
      }
      stale = false;
      cancel = drawSoon(() => plot.setData(align(latest.current.lines, plot.width * 2)));
    };
    const changed = () => {
      timer ??= setTimeout(draw, redrawEvery);
    };
    const view = new IntersectionObserver(([entry]) => {
      seen = entry?.isIntersecting ?? true;
      if (seen && stale) changed();
    });
    view.observe(box);
    const stop = listen?.(changed);
    redraw.current = changed;
    return () => {
      stop?.();
      cancel?.();
      clearTimeout(timer);
      view.disconnect();
      size.disconnect();
      plot.destroy();
    };
  }, [shape, listen]);

  return <div ref={host} role="img" aria-label={label} className="vg-chart" style={{ height }} />;
}

/** A small table of the values under the cursor. */
function tip(props: () => LineChartProps, write: (value: number) => string): uPlot.Plugin {
  const box = document.createElement('div');
  box.className = 'vg-chart-tip';
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => {
        plot.over.append(box);
      },
      setCursor: (plot) => {
        const { idx, left = -1 } = plot.cursor;
        if (idx === null || idx === undefined || left < 0) {
          box.hidden = true;
          return;
        }
        const at = plot.data[0][idx];
        if (at === undefined) return;
        const head = document.createElement('div');
        head.textContent =
          props().x === 'time' ? new Date(at * 1000).toLocaleTimeString() : `Step ${at.toLocaleString('en')}`;
        const rows = props().lines.flatMap((line, i) => {
          const value = nearest(plot.data[i + 1] as (number | null | undefined)[], idx);
          if (value === null) return [];
          const row = document.createElement('div');
          const dot = document.createElement('i');
          dot.style.background = line.colour;
          row.append(dot, `${line.name}  ${write(value)}`);
          return [row];
        });
        box.replaceChildren(head, ...rows.slice(0, 12));
        box.hidden = rows.length === 0;
        const flip = left > plot.over.clientWidth / 2;
        box.style.left = flip ? '' : `${left + 12}px`;
        box.style.right = flip ? `${plot.over.clientWidth - left + 12}px` : '';
      },
    },
  };
}

/** The value at an index, or the nearest one before it within the same stretch. */
function nearest(values: readonly (number | null | undefined)[], index: number): number | null {
  for (let i = index; i >= 0 && i > index - 40; i--) {
    const value = values[i];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}
