import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { AnswerOf, Asked, Failure, Handlers, Reply, TaskOf, Told } from './serve-tasks.ts';
import type { TableHandlers } from './table-worker.ts';

interface Waiting {
  asked: Asked;
  transfer: readonly ArrayBuffer[];
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

interface Thread {
  worker: Worker;
  /** What it works on. */
  current: Waiting | null;
}

/** Memory of a thread's own objects, in MiB; its buffers come on top. */
const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 };

/** Compiled modules are kept beside the program's own: a thread is there three times as fast. */
const env = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../dist/.compile-cache', import.meta.url)),
  ...process.env,
};

/** Whether the process runs a program that stands in its flags: threads would run that one. */
const isInline = (): boolean =>
  process.execArgv.some((flag) => /^(-e|--eval|-p|--print|-pe|--input-type)(=|$)/.test(flag));

const errorOf = ({ name, message, code, stack }: Failure): Error =>
  Object.assign(new Error(message), { name, stack }, code === undefined ? {} : { code });

/**
 * A few threads that take tasks in the order asked. A thread starts when there is a task and no idle one.
 * An idle pool does not keep the process alive.
 */
export class TableWorkers<H extends Handlers = TableHandlers> implements AsyncDisposable {
  /** How many threads there may be. */
  readonly size: number;
  readonly #module: URL;
  readonly #signal: AbortSignal | undefined;
  readonly #threads: Thread[] = [];
  readonly #queue: Waiting[] = [];
  readonly #shared = new Map<string, unknown>();
  readonly #abort = (): void => this.#end(this.#signal!.reason);
  #ended: { reason: unknown } | null = null;

  /**
   * @param size threads at most.
   * @param signal ends all tasks, with its reason.
   * @param module what a thread runs: it calls `serveTasks`.
   */
  constructor(
    size: number,
    signal?: AbortSignal,
    module: URL = new URL('./table-worker.ts', import.meta.url),
  ) {
    this.size = size;
    this.#module = module;
    this.#signal = signal;
    if (signal?.aborted) this.#ended = { reason: signal.reason };
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /**
   * Has a task done by the next free thread.
   * @param transfer buffers of the task that move there.
   * @throws what the task threw (name, message and code), the signal's reason, or an error when a thread died
   * or the pool was closed.
   */
  run<K extends keyof H & string>(
    kind: K,
    task: TaskOf<H, K>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<H, K>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended.reason);
      this.#queue.push({
        asked: { kind, task },
        transfer,
        resolve: resolve as (answer: unknown) => void,
        reject,
      });
      this.#assign();
    });
  }

  /** Starts all threads, before there are tasks for them. */
  start(): void {
    for (let thread = this.#ended ? null : this.#start(); thread; thread = this.#start())
      thread.worker.unref();
  }

  /** Gives all threads something that every later task may see under this name, until another takes its place. */
  share(name: string, value: unknown): void {
    this.#shared.set(name, value);
    for (const { worker } of this.#threads) worker.postMessage({ name, value } satisfies Told);
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    const workers = this.#threads.map(({ worker }) => worker);
    this.#end(new Error('The threads of this table are closed.'));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const free = this.#threads.find(({ current }) => current === null) ?? this.#start();
      if (!free) return;
      const waiting = this.#queue.shift()!;
      free.current = waiting;
      free.worker.ref();
      try {
        free.worker.postMessage(waiting.asked, waiting.transfer as ArrayBuffer[]);
      } catch (error) {
        // A task that cannot be sent.
        this.#release(free);
        waiting.reject(error);
      }
    }
  }

  #release(thread: Thread): void {
    thread.current = null;
    thread.worker.unref();
  }

  #start(): Thread | null {
    if (this.#threads.length >= this.size) return null;
    // Flags for all of a process, such as the bound of its memory, are refused where they are handed on by name.
    const flags = isInline() ? { execArgv: [] } : {};
    const worker = new Worker(this.#module, { resourceLimits, env, ...flags });
    const thread: Thread = { worker, current: null };
    this.#threads.push(thread);
    for (const [name, value] of this.#shared) worker.postMessage({ name, value } satisfies Told);
    worker.on('message', (reply: Reply) => {
      const done = thread.current;
      if (!done) return;
      this.#release(thread);
      if ('failure' in reply) done.reject(errorOf(reply.failure));
      else done.resolve(reply.answer);
      this.#assign();
    });
    worker.on('error', (error) => this.#end(error));
    worker.on('exit', (code) => this.#end(new Error(`A thread of this table ended with code ${code}.`)));
    return thread;
  }

  /** Nothing goes on after this; the first reason is told. */
  #end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = { reason };
    this.#signal?.removeEventListener('abort', this.#abort);
    const waiting = this.#queue.splice(0);
    for (const thread of this.#threads) {
      if (thread.current) waiting.push(thread.current);
      thread.current = null;
      void thread.worker.terminate();
    }
    for (const one of waiting) one.reject(reason);
  }
}
