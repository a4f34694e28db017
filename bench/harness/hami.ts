/**
 * HAMi-core beside the limiter, on the same fake GPU: build it elsewhere (its sources are no part of this repository),
 * and name its library in VGPU_BENCH_HAMI. Each of its programs is limited as a container is: by CUDA_DEVICE_SM_LIMIT,
 * with a shared region of its own.
 */
import { join } from 'node:path';
import { type Bed, type Load, sideBySide } from '../../native/tests/bed.ts';
import { type BenchResult, less } from '../result.ts';

interface Shape {
  readonly name: string;
  readonly small: readonly string[];
  readonly large: readonly string[];
  readonly processes?: number;
}

/** It settles within seconds. */
const LEAD_MS = 3000;

/** A program under HAMi-core. @param percent of the device's time that it is to have. */
function under(library: string, bed: Bed, percent: number, args: readonly string[]): Load {
  return {
    slice: undefined,
    args,
    env: {
      LD_PRELOAD: library,
      CUDA_REDIRECT: library, // where it looks for its own functions
      CUDA_DEVICE_SM_LIMIT: String(percent),
      CUDA_DEVICE_MEMORY_LIMIT: '4g',
      CUDA_DEVICE_MEMORY_SHARED_CACHE: join(bed.dir, `hami-${percent}`),
      GPU_CORE_UTILIZATION_POLICY: 'FORCE',
      LIBCUDA_LOG_LEVEL: '0',
    },
  };
}

/**
 * How far two programs of 30 and 70 % are from their shares by the work that they get done, and one alone from its
 * limit, under each of the two. Slices `small` and `large` are there. Nothing where there is no HAMi-core.
 */
export async function hamiCore(bed: Bed, shapes: readonly Shape[], quick: boolean): Promise<BenchResult[]> {
  const library = process.env.VGPU_BENCH_HAMI;
  if (!library) return [];
  const windowMs = quick ? 2000 : 4000;
  const out: BenchResult[] = [];
  for (const { name, small, large, processes = 1 } of shapes) {
    const part = async (first: Load, second: Load): Promise<number> => {
      const loads = [first, ...Array.from({ length: processes }, () => second)];
      const done = await sideBySide(bed, loads, windowMs, LEAD_MS);
      return (done[0] ?? 0) / done.reduce((a, b) => a + b, 0);
    };
    const ours = await part({ slice: 'small', args: small }, { slice: 'large', args: large });
    const theirs = await part(under(library, bed, 30, small), under(library, bed, 70, large));
    const points = (one: number) => Math.abs(one - 0.3) * 100;
    out.push(
      less(
        `beside HAMi-core: share error at 30:70, ${name}: work`,
        'points',
        points(ours),
        points(theirs),
        'HAMi-core',
      ),
    );
  }
  for (const percent of quick ? [30] : [10, 30, 50]) {
    const id = `hami-${percent}`;
    await bed.slice(id, `share=${percent * 10} qos=guaranteed memory=${4 * 2 ** 30}`);
    for (const { name, small } of shapes.slice(0, quick ? 1 : 3)) {
      const error = async (load: Load): Promise<number> => {
        const [work] = await sideBySide(bed, [load], windowMs, LEAD_MS);
        return Math.abs((work ?? 0) / 1e7 - percent);
      };
      const ours = await error({ slice: id, args: small });
      const theirs = await error(under(library, bed, percent, small));
      out.push(
        less(
          `beside HAMi-core: error of a limit of ${percent} %, alone, ${name}`,
          'points',
          ours,
          theirs,
          'HAMi-core',
        ),
      );
    }
    await bed.control(`remove id=${id}`);
  }
  return out;
}
