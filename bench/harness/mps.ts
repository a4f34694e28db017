/**
 * The limiter's bounds under MPS, which the fake driver plays: slices with multiprocessors of their own, and slices that
 * share turns. The rival is the same limiter without MPS, where turns are exclusive.
 */
import { Bed, fields, type Load, sideBySide } from '../../native/tests/bed.ts';
import { MpsDaemon } from '../../native/tests/mps-daemon.ts';
import { type BenchResult, less, more, quantile } from '../result.ts';

const GiB = 1 << 30;
const ASKED = 0.3;

interface Shape {
  readonly name: string;
  readonly small: readonly string[];
  readonly large: readonly string[];
}

/** Runs in a bed of its own, with or without an MPS daemon; `slice` adds a slice of the right kind. */
async function inBed<T>(
  mps: boolean,
  run: (bed: Bed, slice: (id: string, settings: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const bed = new Bed();
  let daemon: MpsDaemon | undefined;
  try {
    await bed.start();
    if (mps) {
      daemon = new MpsDaemon(bed);
      await daemon.start();
    }
    return await run(bed, (id, settings) =>
      daemon
        ? daemon.slice(id, `${settings} memory=${2 * GiB}`)
        : bed.slice(id, `${settings} memory=${2 * GiB}`),
    );
  } finally {
    daemon?.stop();
    await bed.close();
  }
}

/** The first slice's part of the device time of both, by the arbiter's clock. */
async function part(bed: Bed, loads: readonly Load[], windowMs: number): Promise<number> {
  const lead = 600;
  const read = (after: number): Promise<number[]> =>
    new Promise((resolve) =>
      setTimeout(() => {
        const by = new Map(bed.ledger().slices.map((s) => [s.id, s.deviceNs]));
        resolve(loads.map((load) => by.get(load.slice ?? '') ?? 0));
      }, after),
    );
  const [from, to] = await Promise.all([
    read(lead),
    read(lead + windowMs),
    sideBySide(bed, loads, windowMs + 300, lead - 200),
  ]);
  const had = to.map((ns, i) => ns - (from[i] ?? 0));
  return (had[0] ?? 0) / had.reduce((a, b) => a + b, 0);
}

async function shares(shapes: readonly Shape[], windowMs: number): Promise<BenchResult[]> {
  const out: BenchResult[] = [];
  for (const qos of ['guaranteed', 'burstable']) {
    for (const shape of shapes) {
      // Small grids of slices that share run at once, each all the time: see `together`.
      if (qos === 'burstable' && shape.small.some((word) => /^blocks=\d$/.test(word))) continue;
      const error = await inBed(true, async (bed, slice) => {
        await slice('small', `share=300 qos=${qos}`);
        await slice('large', `share=700 qos=${qos}`);
        const loads = [
          { slice: 'small', args: shape.small },
          { slice: 'large', args: shape.large },
        ];
        return Math.abs((await part(bed, loads, windowMs)) - ASKED) * 100;
      });
      out.push(
        less(`MPS, ${qos}: share error at 30:70, ${shape.name}: device time`, 'points', error, null, ''),
      );
    }
  }
  return out;
}

/** Four slices whose kernels are small: what all of them get done in a second, in seconds of one alone. */
async function together(mps: boolean): Promise<number> {
  return inBed(mps, async (bed, slice) => {
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) await slice(id, 'share=250');
    const loads = ids.map((id) => ({ slice: id, args: ['ns=5000000', 'blocks=8'] }));
    return (await sideBySide(bed, loads, 2000, 800)).reduce((a, b) => a + b, 0) / 1e9;
  });
}

/** A slice of 30 % with kernels of 100 µs beside one with kernels of 20 ms: the longest it waits for one to end, ms. */
async function longestWait(mps: boolean): Promise<number> {
  return inBed(mps, async (bed, slice) => {
    await slice('small', 'share=300 qos=guaranteed');
    await slice('large', 'share=700');
    const [small] = await Promise.all([
      bed.run('small', 'bench/cuda_load', ['ns=100000', 'depth=2', 'ms=3000']),
      bed.run('large', 'bench/cuda_load', ['ns=20000000', 'ms=3000']),
    ]);
    return (fields(small.out).longest_wait_ns ?? Number.NaN) / 1e6;
  });
}

/** A burstable slice of 30 % while the other one is idle: % of what the same program gets with no limiter. */
async function lent(rounds: number): Promise<number> {
  return inBed(true, async (bed, slice) => {
    await slice('small', 'share=300');
    await slice('large', 'share=700');
    const ratios: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const [ours] = await sideBySide(bed, [{ slice: 'small', args: ['ns=100000'] }], 1500);
      const [alone] = await sideBySide(bed, [{ slice: undefined, args: ['ns=100000'] }], 1500);
      ratios.push(((ours ?? 0) / (alone ?? 1)) * 100);
    }
    return quantile(ratios, 0.5);
  });
}

/** Hand-overs between two burstable slices whose kernels fill the device, ms. */
async function handovers(): Promise<number[]> {
  return inBed(true, async (bed, slice) => {
    await slice('small', 'share=300');
    await slice('large', 'share=700');
    const seen: number[] = [];
    let turns = 0;
    const timer = setInterval(() => {
      const row = bed.ledger().slices.find((s) => s.id === 'small');
      if (!row || row.turns === turns) return;
      turns = row.turns;
      seen.push(row.handoverNsLast / 1e6);
    }, 25);
    await sideBySide(
      bed,
      ['small', 'large'].map((id) => ({ slice: id, args: ['ns=100000'] })),
      4000,
    );
    clearInterval(timer);
    return seen;
  });
}

/** The part of MPS in `bench limiter`. */
export async function benchMps(shapes: readonly Shape[], quick: boolean): Promise<BenchResult[]> {
  const out = await shares(shapes, quick ? 1500 : 4000);
  const seen = await handovers();
  return [
    ...out,
    more(
      'MPS: four slices of small kernels, work of all',
      's/s',
      await together(true),
      await together(false),
      'turns',
    ),
    less(
      'MPS: longest wait of a guaranteed slice beside kernels of 20 ms',
      'ms',
      await longestWait(true),
      await longestWait(false),
      'turns',
    ),
    more(
      'MPS: idle share lent to a burstable slice of 30 %',
      '% of a whole device',
      await lent(quick ? 2 : 4),
      100,
      'no limiter',
    ),
    less('MPS: hand-over, kernels of 100 µs, p50', 'ms', quantile(seen, 0.5), null, ''),
    less('MPS: hand-over, kernels of 100 µs, p99', 'ms', quantile(seen, 0.99), null, ''),
  ];
}
