import { parentPort } from 'node:worker_threads';

/** What a task gives back; the buffers in `transfer` move to the asker instead of being copied. */
export interface Answer<T> {
  answer: T;
  transfer?: ArrayBuffer[];
}

/** What all tasks of a thread may see, by name. */
export type Shared = ReadonlyMap<string, unknown>;

/** What a thread can be asked for, by name. Tasks and answers are plain data. */
export type Handlers = Record<
  string,
  // biome-ignore lint/suspicious/noExplicitAny: each has tasks of its own.
  (task: any, shared: Shared) => Answer<unknown> | Promise<Answer<unknown>>
>;

export type TaskOf<H extends Handlers, K extends keyof H> = Parameters<H[K]>[0];
export type AnswerOf<H extends Handlers, K extends keyof H> = Awaited<ReturnType<H[K]>>['answer'];

export interface Asked {
  kind: string;
  task: unknown;
}

/** Something that all tasks after it may see. */
export interface Told {
  name: string;
  value: unknown;
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
  const shared = new Map<string, unknown>();
  port.on('message', async (message: Asked | Told) => {
    if ('name' in message) {
      shared.set(message.name, message.value);
      return;
    }
    try {
      const { answer, transfer } = await handlers[message.kind]!(message.task, shared);
      port.postMessage({ answer } satisfies Reply, transfer ?? []);
    } catch (error) {
      port.postMessage({ failure: failureOf(error) } satisfies Reply);
    }
  });
}
