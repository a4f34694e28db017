import type { Wait } from '@vgpu/scheduler';

/** Why a task waits, for people and for programs. */
export interface Waiting {
  /** 1 for the one whose turn comes first; 0 while it has no turn. */
  position: number;
  code: string;
  message: string;
  hint: string | null;
  /** Epoch ms; null where nobody knows. */
  estimatedStart: number | null;
}

export type WaitReason = Omit<Waiting, 'position' | 'estimatedStart'>;

export const NOT_LOOKED_AT: WaitReason = {
  code: 'new',
  message: 'It came to the queue a moment ago.',
  hint: null,
};

/** What the last plan said of those who wait: the reason by kind, turn and start of those that it looked at. */
export class WaitReasons {
  readonly #byKind = new Map<string, WaitReason>();
  readonly #byTask = new Map<string, { position: number; start: number | undefined }>();

  clear(): void {
    this.#byKind.clear();
    this.#byTask.clear();
  }

  /** Takes over what a plan says of a task of this kind. */
  note(wait: Wait, kind: string): void {
    const { taskId, code, message, unblock, position, estimatedStart } = wait;
    this.#byTask.set(taskId, { position, start: estimatedStart });
    if (!this.#byKind.has(kind)) this.#byKind.set(kind, { code, message, hint: unblock || null });
  }

  /** How many tasks the plan looked at and left waiting. */
  get size(): number {
    return this.#byTask.size;
  }

  ofKind(kind: string): WaitReason | undefined {
    return this.#byKind.get(kind);
  }

  position(taskId: string): number | undefined {
    return this.#byTask.get(taskId)?.position;
  }

  /** When a task starts; one whose time has come is late, and starts soon. Null where it is not known. */
  start(taskId: string): number | null {
    const start = this.#byTask.get(taskId)?.start;
    return start === undefined ? null : Math.max(start, Date.now());
  }
}
