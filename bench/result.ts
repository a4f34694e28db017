/** One figure of a benchmark beside its rival's, measured in the same run on the same machine. */
export interface BenchResult {
  name: string;
  ours: number;
  /** The rival's figure; null where there is none to measure here. */
  peer: number | null;
  peerName: string;
  /** How many times better we are, whichever way is better; null without a rival. */
  ratio: number | null;
  unit: string;
}

export interface BenchOptions {
  /** Fewer rounds. */
  quick: boolean;
}

/** What a file in bench/ exports as `bench`. */
export type Bench = (options: BenchOptions) => Promise<BenchResult[]>;

/** A figure for which less is better (times, bytes). */
export function less(
  name: string,
  unit: string,
  ours: number,
  peer: number | null,
  peerName: string,
): BenchResult {
  return {
    name,
    ours: round(ours),
    peer: peer === null ? null : round(peer),
    peerName,
    ratio: peer === null ? null : round(peer / ours),
    unit,
  };
}

/** A figure for which more is better (rates). */
export function more(
  name: string,
  unit: string,
  ours: number,
  peer: number | null,
  peerName: string,
): BenchResult {
  return { ...less(name, unit, ours, peer, peerName), ratio: peer === null ? null : round(ours / peer) };
}

/** Three significant digits. */
const round = (value: number): number => Number(value.toPrecision(3));

/** The value below which a share of the samples lies (nearest rank). @param share 0 to 1. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
