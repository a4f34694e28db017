// Reads an arbiter's ledger: the counters of one accelerator and its slices. The layout is `layout.h`, explained in
// `README.md`; no lock is taken, and the arbiter does not notice.
import { closeSync, openSync, readSync } from 'node:fs';

export const LEDGER_MAGIC = 0x4c55504756n;
export const LEDGER_VERSION = 1;
export const MEMORY_KINDS = [
  'device',
  'pool',
  'array',
  'vmm',
  'managed',
  'graph',
  'external',
  'context',
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];
export type Qos = 'guaranteed' | 'burstable' | 'best-effort';

export interface LedgerRow {
  readonly id: string;
  /** milli-GPU */
  readonly shareMilli: number;
  /** milli-GPU; 1000: no ceiling */
  readonly limitMilli: number;
  readonly qos: Qos;
  readonly critical: boolean;
  readonly overcommit: boolean;
  /** bytes; 0: no cap */
  readonly memoryCap: number;
  /** bytes */
  readonly memoryUsed: number;
  /** bytes, by what they are used for */
  readonly memory: Readonly<Record<MemoryKind, number>>;
  /** bytes */
  readonly memoryPeak: number;
  /** allocations that were refused */
  readonly memoryDenied: number;
  /** processes attached now */
  readonly processes: number;
  /** nanoseconds that the slice held the device; under MPS weighed by its part of the multiprocessors */
  readonly deviceNs: number;
  /** nanoseconds that its processes waited for a turn */
  readonly waitNs: number;
  readonly turns: number;
  readonly launches: number;
  /** turns given back more than 5 ms late */
  readonly overruns: number;
  /** turns taken from a dead, stopped or hung process */
  readonly strips: number;
  /** of the last second, of the whole device: 0 to 1000 */
  readonly utilisationPermille: number;
  /** nanoseconds from asking the holder before to this slice's turn */
  readonly handoverNsLast: number;
  readonly handoverNsMax: number;
  /** who holds its control group to its memory as well: NVIDIA's driver, or the kernel; undefined: nobody */
  readonly fence: 'driver' | 'kernel' | undefined;
  /** under MPS: milli of the multiprocessors that its processes may use; 0: not under MPS */
  readonly mpsMilli: number;
  /** under MPS: those are its own, and it runs at the same time as all others */
  readonly spatial: boolean;
  /** what of the memory can leave the device, and how it comes and goes; undefined where the slice is not over-committed */
  readonly paging: LedgerPaging | undefined;
}

export interface LedgerPaging {
  /** bytes of memory that cannot leave the device: the bound (0: none), and what is taken of it */
  readonly physicalCap: number;
  readonly physicalUsed: number;
  /** bytes in use; what of them is on the device, as far as the slice's processes know */
  readonly workingSet: number;
  readonly resident: number;
  /** bytes that were moved to the device and from it ahead of use, and the nanoseconds that took */
  readonly pagedIn: number;
  readonly pagedOut: number;
  readonly movingNs: number;
  /** nanoseconds of its longest turn now, while others wait */
  readonly quantumNs: number;
  /** bytes a second between host and device, as its processes observed; 0: not yet */
  readonly bandwidth: number;
}

export interface LedgerSnapshot {
  readonly version: number;
  readonly device: string;
  readonly arbiterPid: number;
  /** milliseconds since the epoch */
  readonly startedAt: number;
  /** slice that has the turn now */
  readonly holder: string | undefined;
  readonly deviceBusyNs: number;
  readonly deviceIdleNs: number;
  readonly handovers: number;
  /** bytes, from NVML; 0 where unknown */
  readonly memoryTotal: number;
  readonly memoryPhysicalUsed: number;
  readonly slices: readonly LedgerRow[];
}

/** Thrown where a file is no ledger, or one of another version. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

const FENCES = [undefined, 'driver', 'kernel'] as const;
const QOS: readonly Qos[] = ['guaranteed', 'burstable', 'best-effort'];
const text = (b: Buffer, at: number, length: number): string => {
  const end = b.indexOf(0, at);
  return b.toString('utf8', at, end < at || end > at + length ? at + length : end);
};

function parseRow(b: Buffer, at: number): LedgerRow | undefined {
  const word = (i: number): number => Number(b.readBigUInt64LE(at + i * 8));
  if (word(1) === 0 || word(0) % 2 === 1) return undefined;
  const w = 8; // words 2 to 7 are the id
  const kinds = MEMORY_KINDS.map((kind, i) => [kind, word(w + 7 + i)] as const);
  return {
    id: text(b, at + 16, 48),
    shareMilli: word(w),
    limitMilli: word(w + 1),
    qos: QOS[word(w + 2)] ?? 'best-effort',
    critical: word(w + 3) !== 0,
    overcommit: word(w + 4) !== 0,
    memoryCap: word(w + 5),
    memoryUsed: word(w + 6),
    memory: Object.fromEntries(kinds) as Record<MemoryKind, number>,
    memoryPeak: word(w + 15),
    memoryDenied: word(w + 16),
    processes: word(w + 17),
    deviceNs: word(w + 18),
    waitNs: word(w + 19),
    turns: word(w + 20),
    launches: word(w + 21),
    overruns: word(w + 22),
    strips: word(w + 23),
    utilisationPermille: word(w + 24),
    handoverNsLast: word(w + 25),
    handoverNsMax: word(w + 26),
    fence: FENCES[word(w + 53)],
    mpsMilli: word(w + 54),
    spatial: word(w + 55) !== 0,
    paging:
      word(w + 4) === 0
        ? undefined
        : {
            physicalCap: word(w + 27),
            physicalUsed: word(w + 28),
            workingSet: word(w + 29),
            resident: word(w + 30),
            pagedIn: word(w + 31),
            pagedOut: word(w + 32),
            movingNs: word(w + 33),
            quantumNs: word(w + 34),
            bandwidth: word(w + 35),
          },
  };
}

/** Interprets a ledger's bytes. A row that the arbiter is just changing is left out. Throws LedgerError. */
export function parseLedger(b: Buffer): LedgerSnapshot {
  if (b.length < 4096 || b.readBigUInt64LE(0) !== LEDGER_MAGIC) throw new LedgerError('not a ledger');
  const version = b.readUInt32LE(8);
  if (version !== LEDGER_VERSION)
    throw new LedgerError(`ledger of version ${version}; this reader knows ${LEDGER_VERSION}`);
  const rowSize = b.readUInt32LE(12);
  const rows = b.readUInt32LE(16);
  const header = b.readUInt32LE(20);
  if (b.length < header + rows * rowSize || rowSize < 280) throw new LedgerError('ledger cut short');
  const word = (at: number): number => Number(b.readBigUInt64LE(at));
  const slices: LedgerRow[] = [];
  const at = new Map<number, string>();
  for (let i = 0; i < rows; i++) {
    const row = parseRow(b, header + i * rowSize);
    if (!row) continue;
    slices.push(row);
    at.set(i + 1, row.id);
  }
  return {
    version,
    device: text(b, 48, 96),
    arbiterPid: word(24),
    startedAt: word(32) / 1e6,
    holder: at.get(word(144)),
    deviceBusyNs: word(152),
    deviceIdleNs: word(160),
    handovers: word(168),
    memoryTotal: word(176),
    memoryPhysicalUsed: word(184),
    slices,
  };
}

/** Reads the ledger at `path`. Throws LedgerError, or what the file system throws. */
export function readLedger(path: string): LedgerSnapshot {
  const fd = openSync(path, 'r');
  try {
    const size = 4096 + 512 * 256;
    const b = Buffer.alloc(size);
    let length = 0;
    for (let n = 1; n > 0 && length < size; length += n) n = readSync(fd, b, length, size - length, length);
    return parseLedger(b.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}
