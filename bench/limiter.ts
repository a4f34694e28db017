/**
 * Whether the limiter's bounds hold: share error over kernel shapes, work conservation, hand-over latency, exactness of
 * the memory cap, what it costs a program that is alone, how fast processes attach, and what is left of the throughput
 * where memory is over-committed. On the fake driver (a GPU
 * timeline shared by processes, native/fakedriver) and, where there is one, on the first OpenCL device. The rival is
 * the same pair of programs without a limiter, which is what hardware time slicing gives; and HAMi-core, where
 * VGPU_BENCH_HAMI names its library.
 */

import { Bed, build, fields, type Load, sideBySide } from '../native/tests/bed.ts';
import { hamiCore } from './harness/hami.ts';
import { benchMps } from './harness/mps.ts';
import { overcommit } from './harness/overcommit.ts';
import { type Bench, type BenchOptions, type BenchResult, less, more, quantile } from './result.ts';

const GiB = 1 << 30;
const ASKED = 0.3; // the first of two slices; the second one has the rest

interface Shape {
  readonly name: string;
  /** arguments of cuda_load, for the slice of 30 % and for that of 70 % */
  readonly small: readonly string[];
  readonly large: readonly string[];
  /** processes of the larger slice */
  readonly processes?: number;
  /** instead of cuda_load */
  readonly program?: string;
}

/** Grid size × duration × streams × graphs × processes. The first four are the quick ones. */
const SHAPES: readonly Shape[] = [
  { name: '132 blocks of 100 µs', small: ['ns=100000'], large: ['ns=100000'] },
  { name: '8 blocks of 5 ms', small: ['ns=5000000', 'blocks=8'], large: ['ns=5000000', 'blocks=8'] },
  { name: '5 µs against 20 ms', small: ['ns=5000', 'chunk=20'], large: ['ns=20000000'] },
  {
    name: 'graphs of 20 against 4 streams',
    small: ['ns=100000', 'graph=20'],
    large: ['ns=100000', 'streams=4'],
  },
  { name: '4096 blocks of 100 µs', small: ['ns=100000', 'blocks=4096'], large: ['ns=100000', 'blocks=4096'] },
  { name: '20 ms against 5 µs', small: ['ns=20000000'], large: ['ns=5000', 'chunk=20'] },
  { name: 'cooperative 1 ms against 300 µs', small: ['ns=1000000', 'coop=1'], large: ['ns=300000'] },
  { name: '1 process against 3', small: ['ns=200000'], large: ['ns=200000'], processes: 3 },
  {
    name: '8 streams of tiny grids against graphs',
    small: ['ns=2000000', 'blocks=4', 'streams=8'],
    large: ['ns=50000', 'graph=50'],
  },
];

interface Shares {
  /** the first program's part of the work done */
  readonly work: number;
  /** the first slice's part of the time that the device was held, by the arbiter's clock */
  readonly held: number;
}

/** @param lead milliseconds until the window begins: programs have to be there by then. */
async function share(
  bed: Bed,
  shape: Shape,
  limited: boolean,
  windowMs: number,
  lead = 600,
): Promise<Shares> {
  const n = shape.processes ?? 1;
  const load = (slice: string, args: readonly string[]): Load => ({
    slice: limited ? slice : undefined,
    args,
    ...(shape.program ? { program: shape.program } : {}),
  });
  const loads = [load('small', shape.small)];
  for (let i = 0; i < n; i++) loads.push(load('large', shape.large));
  const held = (): [number, number] => {
    const by = new Map(bed.ledger().slices.map((s) => [s.id, s.deviceNs]));
    return [by.get('small') ?? 0, by.get('large') ?? 0];
  };
  let from: [number, number] = [0, 0];
  let to: [number, number] = [0, 0];
  const timers = [
    setTimeout(() => {
      from = held();
    }, lead),
    setTimeout(() => {
      to = held();
    }, lead + windowMs),
  ];
  const done = await sideBySide(bed, loads, windowMs, lead);
  for (const t of timers) clearTimeout(t);
  const [a, b] = [to[0] - from[0], to[1] - from[1]];
  return { work: (done[0] ?? 0) / done.reduce((x, y) => x + y, 0), held: a / (a + b) };
}

const points = (part: number): number => Math.abs(part - ASKED) * 100;

async function shares(bed: Bed, quick: boolean): Promise<BenchResult[]> {
  const out: BenchResult[] = [];
  for (const shape of quick ? SHAPES.slice(0, 4) : SHAPES) {
    const windowMs = quick ? 1500 : 4000;
    const ours = await share(bed, shape, true, windowMs);
    const none = await share(bed, shape, false, windowMs);
    out.push(
      less(`share error at 30:70, ${shape.name}: device time`, 'points', points(ours.held), null, ''),
      less(
        `share error at 30:70, ${shape.name}: work`,
        'points',
        points(ours.work),
        points(none.work),
        'no limiter',
      ),
    );
  }
  return out;
}

/** What one slice of two gets done while the other one is idle, next to the same program without a limiter. */
async function conservation(bed: Bed, quick: boolean): Promise<BenchResult> {
  const ratios: number[] = [];
  for (let i = 0; i < (quick ? 2 : 4); i++) {
    const [lent] = await sideBySide(bed, [{ slice: 'small', args: ['ns=100000'] }], 1500);
    const [alone] = await sideBySide(bed, [{ slice: undefined, args: ['ns=100000'] }], 1500);
    ratios.push(((lent ?? 0) / (alone ?? 1)) * 100);
  }
  return more(
    'idle share lent: throughput of a 30 % slice, others idle',
    '% of a whole device',
    quantile(ratios, 0.5),
    100,
    'no limiter',
  );
}

/** From the moment a turn is over to the next slice's, as the arbiter sees it. */
async function handover(bed: Bed): Promise<BenchResult[]> {
  const seen: number[] = [];
  let turns = 0;
  const timer = setInterval(() => {
    for (const s of bed.ledger().slices) {
      if (s.id !== 'small' || s.turns === turns) continue;
      turns = s.turns;
      seen.push(s.handoverNsLast / 1e6);
    }
  }, 25);
  await sideBySide(
    bed,
    [
      { slice: 'small', args: ['ns=100000'] },
      { slice: 'large', args: ['ns=100000'] },
    ],
    4000,
  );
  clearInterval(timer);
  return [
    less('hand-over, kernels of 100 µs, p50', 'ms', quantile(seen, 0.5), null, ''),
    less('hand-over, kernels of 100 µs, p99', 'ms', quantile(seen, 0.99), null, ''),
  ];
}

/** Bytes between the cap and what could be had. */
async function exactness(bed: Bed): Promise<BenchResult> {
  const r = await bed.run('small', 'tests/cuda_probe', ['exhaust', String(32 << 20)]);
  const f = fields(r.out);
  const off = f.exact === 0 && f.over === 2 && f.one === 2 && f.async === 2 ? 0 : Number.NaN;
  return { ...less('memory cap, bytes off', 'bytes', off, null, ''), ratio: null };
}

async function overhead(bed: Bed, quick: boolean): Promise<BenchResult[]> {
  const [ours, none]: [number[], number[]] = [[], []];
  for (let i = 0; i < (quick ? 3 : 7); i++) {
    for (const slice of ['whole', undefined]) {
      const r = await bed.run(slice, 'bench/cuda_launch', ['3000', 'nothing_0']);
      (slice ? ours : none).push(fields(r.out).median_ns ?? Number.NaN);
    }
  }
  const ratios: number[] = [];
  for (let i = 0; i < (quick ? 2 : 5); i++) {
    const [limited] = await sideBySide(bed, [{ slice: 'whole', args: ['ns=50000', 'streams=2'] }], 1500);
    const [plain] = await sideBySide(bed, [{ slice: undefined, args: ['ns=50000', 'streams=2'] }], 1500);
    ratios.push((1 - (limited ?? 0) / (plain ?? 1)) * 100);
  }
  return [
    less(
      'host time added to a launch, alone',
      'ns',
      Math.max(0, quantile(ours, 0.5) - quantile(none, 0.5)),
      null,
      '',
    ),
    less('throughput lost, alone on the device', '%', Math.max(0, quantile(ratios, 0.5)), null, ''),
  ];
}

async function attach(bed: Bed): Promise<BenchResult> {
  const r = await bed.run(undefined, 'tests/attach', [`${bed.dir}/slices/whole/arbiter.sock`, '300']);
  return less(
    '300 processes attach at once, p99',
    'ms',
    (fields(r.out).p99_us ?? Number.NaN) / 1000,
    null,
    '',
  );
}

/** The same on a real OpenCL device, whose kernels are checked. None where there is no device. */
async function opencl(quick: boolean): Promise<BenchResult[]> {
  const bed = new Bed({ opencl: true });
  try {
    await bed.start();
    if ((await bed.run(undefined, 'tests/opencl_probe', ['info'])).code !== 0) return [];
    await bed.slice('small', `share=300 memory=${GiB}`);
    await bed.slice('large', `share=700 memory=${GiB}`);
    const program = 'bench/opencl_load';
    const shapes: Shape[] = [
      { name: 'the same kernels', small: ['rounds=4000'], large: ['rounds=4000'], program },
      {
        name: '3 queues against 1',
        small: ['rounds=4000', 'queues=3', 'depth=6'],
        large: ['rounds=4000'],
        program,
      },
    ];
    const out: BenchResult[] = [];
    for (const shape of shapes) {
      const windowMs = quick ? 3000 : 6000;
      const ours = await share(bed, shape, true, windowMs, 2000);
      const none = await share(bed, shape, false, windowMs, 2000);
      const name = `OpenCL share error at 30:70, ${shape.name}`;
      out.push(
        less(`${name}: device time`, 'points', points(ours.held), null, ''),
        less(`${name}: work`, 'points', points(ours.work), points(none.work), 'no limiter'),
      );
    }
    return out;
  } finally {
    await bed.close();
  }
}

/** Runs all of it: about a minute, or three. */
export async function benchLimiter(options: BenchOptions): Promise<BenchResult[]> {
  build();
  const bed = new Bed();
  try {
    await bed.start();
    await bed.slice('small', `share=300 memory=${2 * GiB}`);
    await bed.slice('large', `share=700 memory=${4 * GiB}`);
    const out = [
      ...(await shares(bed, options.quick)),
      await conservation(bed, options.quick),
      ...(await handover(bed)),
      await exactness(bed),
      ...(await hamiCore(bed, options.quick ? SHAPES.slice(0, 4) : SHAPES, options.quick)),
    ];
    await bed.control('remove id=small');
    await bed.control('remove id=large');
    await bed.slice('whole', `share=1000 memory=${8 * GiB}`);
    out.push(...(await overhead(bed, options.quick)), await attach(bed));
    const shapes = options.quick ? SHAPES.slice(0, 4) : SHAPES.filter((shape) => !shape.processes);
    out.push(...(await benchMps(shapes, options.quick)));
    return [...out, ...(await overcommit(options.quick)), ...(await opencl(options.quick))];
  } finally {
    await bed.close();
  }
}

export const bench: Bench = benchLimiter;
