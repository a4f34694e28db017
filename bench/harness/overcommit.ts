/**
 * Over-commitment on the fake driver: programs whose working sets do not fit on the device together. Beside them the
 * same programs with managed memory and no limiter, where contexts are time-sliced and the driver moves what faults,
 * and one after the other, each alone on the device, which is the most that can be had.
 */
import { Bed, fields, now } from '../../native/tests/bed.ts';
import { type BenchResult, less, more } from '../result.ts';

const MiB = 1 << 20;
const DEVICE = 1024 * MiB;
const CONTEXT = 64 * MiB;

interface Case {
  readonly name: string;
  readonly programs: number;
  /** bytes that each of them works through, again and again */
  readonly set: number;
}

/** Together 1.5 and 2 times the device. */
const CASES: readonly Case[] = [
  { name: '2 programs, 1.5 × the device', programs: 2, set: 768 * MiB },
  { name: '3 programs, 2 × the device', programs: 3, set: 683 * MiB },
];

interface Run {
  /** work done, as a part of the window */
  readonly done: number;
  readonly wrong: number;
}

async function run(
  bed: Bed,
  c: Case,
  slices: readonly (string | undefined)[],
  windowMs: number,
): Promise<Run> {
  const from = now() + 1_500_000_000n; // all have seen their sets by then
  const args = [
    `bytes=${c.set}`,
    'parts=16',
    'ns=2000000',
    'depth=8',
    'managed=1',
    `from=${from}`,
    `to=${from + BigInt(windowMs) * 1_000_000n}`,
  ];
  const results = await Promise.all(
    slices.map(async (slice) => {
      const own = slice === undefined ? args : args.filter((word) => word !== 'managed=1');
      const r = await bed.run(slice, 'bench/cuda_set', own);
      if (r.code !== 0) throw new Error(`cuda_set ended with ${r.code ?? r.signal}: ${r.err}${r.out}`);
      return fields(r.out.trim().split('\n').at(-1) ?? '');
    }),
  );
  const sum = (name: string): number => results.reduce((n, f) => n + (f[name] ?? 0), 0);
  return { done: sum('work_ns') / (windowMs * 1e6), wrong: sum('wrong') };
}

/** Device time and the part of it that went into moving memory, of all slices so far. */
function moved(bed: Bed): { device: number; moving: number } {
  const { slices } = bed.ledger();
  return {
    device: slices.reduce((n, s) => n + s.deviceNs, 0),
    moving: slices.reduce((n, s) => n + (s.paging?.movingNs ?? 0), 0),
  };
}

/** Some half a minute; a quarter of that in haste. */
export async function overcommit(quick: boolean): Promise<BenchResult[]> {
  const out: BenchResult[] = [];
  for (const c of quick ? CASES.slice(0, 1) : CASES) {
    const bed = new Bed({ env: { VGPU_FAKE_MEMORY: String(DEVICE), VGPU_FAKE_CONTEXT: String(CONTEXT) } });
    const windowMs = quick ? 3000 : 8000;
    try {
      await bed.start();
      const ids = Array.from({ length: c.programs }, (_, i) => `p${i}`);
      for (const id of ids) await bed.slice(id, `share=300 memory=${c.set + 128 * MiB} overcommit=1`);
      const none = ids.map(() => undefined);
      const alone = await run(bed, c, [undefined], windowMs);
      const ours = await run(bed, c, ids, windowMs);
      const { device, moving } = moved(bed);
      const bare = await run(bed, c, none, windowMs);
      const part = (r: Run): number => (r.done / alone.done) * 100;
      out.push(
        more(
          `over-commit, ${c.name}: throughput`,
          '% of one after another',
          part(ours),
          part(bare),
          'driver paging',
        ),
        less(
          `over-commit, ${c.name}: time spent moving memory`,
          '% of the turns',
          (moving / device) * 100,
          null,
          '',
        ),
        {
          ...less(`over-commit, ${c.name}: wrong results`, 'words', ours.wrong + bare.wrong, null, ''),
          ratio: null,
        },
      );
    } finally {
      await bed.close();
    }
  }
  return out;
}
