import {
  type LedgerPaging,
  type LedgerRow,
  type LedgerSnapshot,
  readLedger,
} from '../../../../native/ledger/reader.ts';

/** What a slice uses now, from the arbiter's ledger. */
export interface SliceUse {
  readonly id: string;
  readonly processes: number;
  /** Bytes that it holds now. */
  readonly bytes: number;
  /** Most bytes that it ever held. */
  readonly peakBytes: number;
  /** Milli-GPU over the last seconds; null until there are two readings. */
  readonly milli: number | null;
  /** Nanoseconds that it held the device since it was made. */
  readonly deviceNs: number;
  /** Nanoseconds that its processes waited for a turn. */
  readonly waitNs: number;
  readonly launches: number;
  /** Allocations that were refused because they did not fit. */
  readonly denied: number;
  /** Bounds: milli-GPU, and bytes (0: none). */
  readonly shareMilli: number;
  readonly capBytes: number;
  /** How the memory of an over-committed slice comes and goes; undefined for others. */
  readonly paging: LedgerPaging | undefined;
  /** Who holds its control group to its memory, beside the limiter: NVIDIA's driver, or the kernel; undefined: nobody. */
  readonly fence: 'driver' | 'kernel' | undefined;
  /** Under MPS: milli of the multiprocessors that its processes may use; 0: not under MPS. */
  readonly mpsMilli: number;
  /** Under MPS: those are its own. */
  readonly spatial: boolean;
}

/** What the slices of one device use together. */
export interface DeviceUse {
  readonly slices: readonly SliceUse[];
  /** Milli-GPU of all slices over the last seconds; null until there are two readings. */
  readonly milli: number | null;
  readonly bytes: number;
}

/** Rates are over this long; a shorter span says little, since turns come in quanta of 10 ms. */
const SPAN_MS = 3000;
/** Readings closer than this are not kept, however often somebody looks. */
const SPACING_MS = 250;

interface Point {
  readonly at: number;
  readonly ns: number;
}

/** Reads the ledgers of arbiters, without locks and without their noticing, and turns counters into rates. */
export class UsageMeter {
  readonly #points = new Map<string, Point[]>();
  readonly #clock: () => number;
  readonly #read: (path: string) => LedgerSnapshot;

  /** @param clock milliseconds that only grow. @param read how a ledger is read. */
  constructor(clock: () => number = () => performance.now(), read = readLedger) {
    this.#clock = clock;
    this.#read = read;
  }

  /** What the slices of the arbiter in this folder use; null where it never ran. */
  look(dir: string): DeviceUse | null {
    let rows: readonly LedgerRow[];
    try {
      rows = this.#read(`${dir}/ledger`).slices;
    } catch {
      return null;
    }
    const ids = new Set(rows.map((row) => `${dir}/${row.id}`));
    for (const key of this.#points.keys()) {
      if (key.startsWith(`${dir}/`) && !ids.has(key)) this.#points.delete(key);
    }
    const slices = rows.map(
      (row): SliceUse => ({
        id: row.id,
        processes: row.processes,
        bytes: row.memoryUsed,
        peakBytes: row.memoryPeak,
        milli: this.#rate(`${dir}/${row.id}`, row.deviceNs),
        deviceNs: row.deviceNs,
        waitNs: row.waitNs,
        launches: row.launches,
        denied: row.memoryDenied,
        shareMilli: row.shareMilli,
        capBytes: row.memoryCap,
        paging: row.paging,
        fence: row.fence,
        mpsMilli: row.mpsMilli,
        spatial: row.spatial,
      }),
    );
    const rates = slices.flatMap((slice) => (slice.milli === null ? [] : [slice.milli]));
    return {
      slices,
      milli: slices.length > 0 && rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0),
      bytes: slices.reduce((sum, slice) => sum + slice.bytes, 0),
    };
  }

  #rate(key: string, ns: number): number | null {
    const now = this.#clock();
    const points = this.#points.get(key) ?? [];
    this.#points.set(key, points);
    // an arbiter that was started again may count from less than before
    if (points.length > 0 && ns < points.at(-1)!.ns) points.length = 0;
    const last = points.at(-1);
    if (!last || now - last.at >= SPACING_MS) points.push({ at: now, ns });
    while (points.length > 2 && now - points[1]!.at >= SPAN_MS) points.shift();
    const first = points[0]!;
    if (now - first.at < SPACING_MS) return null;
    return ((ns - first.ns) / ((now - first.at) * 1e6)) * 1000;
  }
}
