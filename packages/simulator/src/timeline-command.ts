import type { RankingName } from '@vgpu/scheduler';

export interface TimelineFlags {
  /** Replay arrivals and departures by the times in the trace instead of filling the cluster. */
  timeline?: boolean;
  /** Mean hours between failures of one node. Default: no failures. */
  mtbf?: number;
  /** Mean hours until a failed node is back. Default 1. */
  repair?: number;
  /** Queue tree as JSON. */
  queues?: string;
}

export async function runTimeline(
  _options: TimelineFlags,
  _policy: RankingName,
  _out: (line: string) => void,
): Promise<number> {
  throw new Error('The timeline is not wired yet.');
}
