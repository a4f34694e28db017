import type { SaturationResult } from './saturation.ts';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Lowest value of the y axis. Default: that of the data. */
  readonly from?: number;
}

/** Colour-blind safe (Okabe and Ito). */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 48;

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

/** Four to eight round values that cover [low, high]. */
function ticks(low: number, high: number): number[] {
  const span = high - low || 1;
  const raw = span / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw)!;
  const values: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step)
    values.push(Number(v.toPrecision(12)));
  return values;
}

/** A line chart as a self-contained SVG document. The same input gives the same bytes. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const all = series.flatMap((s) => s.points);
  const xs = all.map((p) => p[0]);
  const ys = all.map((p) => p[1]);
  const x0 = Math.min(...xs, Number.POSITIVE_INFINITY);
  const x1 = Math.max(...xs, x0 + 1e-9);
  const y0 = options.from ?? Math.min(...ys);
  const y1 = Math.max(...ys, y0 + 1e-9);
  const px = (x: number) => (LEFT + ((x - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const py = (y: number) => (HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const parts: string[] = [];
  for (const v of ticks(y0, y1)) {
    parts.push(`<path d="M${LEFT} ${py(v)}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${py(v)}" text-anchor="end" dominant-baseline="middle">${v}</text>`);
  }
  for (const v of ticks(x0, x1))
    parts.push(`<text x="${px(v)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${v}</text>`);
  series.forEach((s, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const inside = s.points.filter(([, y]) => y >= y0);
    const d = inside.map(([x, y], j) => `${j ? 'L' : 'M'}${px(x)} ${py(y)}`).join('');
    parts.push(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    parts.push(
      `<text x="${LEFT + 12}" y="${TOP + 16 * i + 8}" fill="${colour}" font-weight="bold">${escaped(s.name)}</text>`,
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
    `font-family="system-ui,sans-serif" font-size="12" role="img" aria-label="${escaped(options.title)}">` +
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>` +
    `<text x="${LEFT}" y="20" font-size="14">${escaped(options.title)}</text>` +
    parts.join('') +
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(options.x)}</text>` +
    `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(options.y)}</text></svg>\n`
  );
}

/** A page of charts and a table, with nothing loaded from elsewhere. */
export function page(title: string, charts: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    `<tr>${row.map((c) => `<${tag}>${escaped(c)}</${tag}>`).join('')}</tr>`;
  const [head, ...body] = rows;
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>` +
    '<style>body{font:14px system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}' +
    'table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:right}' +
    'td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}</style>' +
    `<h1>${escaped(title)}</h1>${charts.join('\n')}` +
    (head
      ? `<table><thead>${cells(head, 'th')}</thead><tbody>${body.map((r) => cells(r, 'td')).join('')}</tbody></table>`
      : '') +
    '</html>\n'
  );
}

/** Allocation against arrived demand. */
export function saturationSvg(results: readonly SaturationResult[]): string {
  return lineChart(
    results.map((r) => ({ name: `${r.policy} (seed ${r.seed})`, points: r.curve.filter(([x]) => x >= 70) })),
    {
      title: 'GPU allocation as demand arrives',
      x: 'arrived demand, % of capacity',
      y: 'allocated, % of capacity',
    },
  );
}

export function saturationPage(results: readonly SaturationResult[]): string {
  const marks = Object.keys(results[0]?.allocation ?? {}).sort((a, b) => Number(a) - Number(b));
  return page(
    'vgpu sim',
    [saturationSvg(results)],
    [
      ['policy', ...marks.map((m) => `${m} %`), 'decisions/s'],
      ...results.map((r) => [
        r.policy,
        ...marks.map((m) => r.allocation[m]?.toFixed(2) ?? '–'),
        String(r.decisionsPerSecond),
      ]),
    ],
  );
}
