import type { Accelerator } from '../accelerator.ts';
import { offered, type Pool } from '../pool.ts';

export type Qos = 'guaranteed' | 'burstable' | 'best-effort';

/** A share of one accelerator as the scheduler gave it out. */
export interface Share {
  readonly uuid: string;
  readonly milli: number;
  readonly bytes: number;
}

/** A slice that a task holds. */
export interface Slice extends Share {
  /** Unique over all accelerators: `<attempt>.<n>`. */
  readonly id: string;
  readonly attempt: string;
  readonly task: string;
  readonly mode: 'passthrough' | 'shared';
  readonly isolation: 'soft' | 'hard';
  readonly qos: Qos;
  readonly project: string | null;
}

/** What is asked for an attempt. */
export interface SliceRequest {
  readonly attempt: string;
  readonly task: string;
  readonly shares: readonly Share[];
  /** Absent: nobody's in particular, and so never under one MPS server with others'. */
  readonly project?: string;
  readonly qos: Qos;
}

/**
 * The slice that a share becomes. All of an NVIDIA device is passed through: nobody else is on it, and a limiter
 * would only cost. Everything else goes through the limiter. Under deviceCoreScaling 2 a device hands out 2000 milli,
 * so that 1000 are no longer all of it.
 */
export function sliceOf(request: SliceRequest, n: number, device: Accelerator, pool: Pool): Slice {
  const share = request.shares[n]!;
  const whole = device.provider === 'nvidia' && share.milli >= Math.max(1000, offered(device, pool).milli);
  return {
    ...share,
    id: `${request.attempt}.${n}`,
    attempt: request.attempt,
    task: request.task,
    mode: whole ? 'passthrough' : 'shared',
    isolation: whole ? 'hard' : 'soft',
    qos: request.qos,
    project: request.project ?? null,
  };
}
