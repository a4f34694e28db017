import {
  type Store,
  type Transaction,
  type TransitionRequest,
  type TransitionResult,
  transition,
} from '@vgpu/store';
import type { Changes } from './changes.ts';

/** Moves tasks between states: durable first, then told to whoever listens. */
export class TaskStates {
  readonly #store: Store;
  readonly #changes: Changes;

  constructor(store: Store, changes: Changes) {
    this.#store = store;
    this.#changes = changes;
  }

  /** @throws VgpuError as {@link transition}. */
  async move(...requests: TransitionRequest[]): Promise<TransitionResult> {
    return this.moveWith(async () => {}, ...requests);
  }

  /** Steps of one task, and other writes that belong to them, in one commit. Returns the last step's result. */
  async moveWith(
    also: (trx: Transaction, last: TransitionResult) => Promise<void>,
    ...requests: TransitionRequest[]
  ): Promise<TransitionResult> {
    const last = await this.#store.write(async (trx) => {
      let result: TransitionResult | undefined;
      for (const request of requests) result = await transition(trx, this.#store.dialect, request);
      await also(trx, result!);
      return result!;
    });
    const { task, seq } = last;
    this.#changes.publish({ seq, project: task.project, job: task.job, task: task.id });
    return last;
  }
}
