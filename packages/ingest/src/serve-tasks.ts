import { parentPort } from 'node:worker_threads';

/** What a task gives back; the buffers in `transfer` move to the asker instead of being copied. */
export interface Answer<T> {
  answer: T;
  transfer?: ArrayBuffer[];
}

/** What a thread can be asked for, by name. Tasks and answers are plain data. */
// biome-ignore lint/suspicious/noExplicitAny: each has tasks of its own.
export type Handlers = Record<string, (task: any) => Answer<unknown> | Promise<Answer<unknown>>>;

export type TaskOf<H extends Handlers, K extends keyof H> = Parameters<H[K]>[0];
export type AnswerOf<H extends Handlers, K extends keyof H> = Awaited<ReturnType<H[K]>>['answer'];

export interface Asked {
  kind: string;
  task: unknown;
}

/** An error's parts that survive the way between threads. */
export interface Failure {
  name: string;
  message: string;
  code: string | undefined;
  stack: string | undefined;
}

export type Reply = { answer: unknown } | { failure: Failure };

const failureOf = (error: unknown): Failure => {
  const { name, message, code, stack }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  return { name, message, code, stack };
};

/** Answers the tasks that a `TableWorkers` sends to this thread, one after the other. */
export function serveTasks(handlers: Handlers): void {
  const port = parentPort!;
  port.on('message', async ({ kind, task }: Asked) => {
    try {
      const { answer, transfer } = await handlers[kind]!(task);
      port.postMessage({ answer } satisfies Reply, transfer ?? []);
    } catch (error) {
      port.postMessage({ failure: failureOf(error) } satisfies Reply);
    }
  });
}
