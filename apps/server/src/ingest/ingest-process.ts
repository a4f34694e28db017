import { type ChildProcess, fork } from 'node:child_process';
import { VgpuError } from '@vgpu/core';
import type { CheckResult, ColumnReport, Preview, VersionResult } from '@vgpu/ingest';
import type { IngestAnswer, IngestRequest, IngestWork } from './messages.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  file: string;
}

type AnswerOf<W extends IngestWork> = W['kind'] extends 'check'
  ? CheckResult
  : W['kind'] extends 'import'
    ? VersionResult
    : W['kind'] extends 'preview'
      ? Preview
      : ColumnReport[];

/** Works that one process does at a time; more wait. DuckDB bounds its memory for each. */
const AT_ONCE = 2;
/** An idle process ends after this, and its memory with it. */
const IDLE_MS = 30_000;

/** Reads users' files in a process of its own, started when there is something to read. */
export class IngestProcess {
  readonly #module: URL;
  readonly #temporary: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #queue: (() => void)[] = [];
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #running = 0;
  #next = 1;

  /** @param temporary folder for spilled data. */
  constructor(temporary: string, module: URL = new URL(import.meta.resolve('./child.ts'))) {
    this.#temporary = temporary;
    this.#module = module;
  }

  /** @throws VgpuError of the reader, or `BAD_DATASET` where the file brought the reading process down. */
  async run<W extends IngestWork>(work: W, file: string): Promise<AnswerOf<W>> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
    clearTimeout(this.#idle);
    try {
      return (await this.#ask(work, file)) as AnswerOf<W>;
    } finally {
      this.#running--;
      this.#queue.shift()?.();
      if (this.#running === 0) this.#endWhenIdle();
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #ask(work: IngestWork, file: string): Promise<unknown> {
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject, file });
    const child = this.#ensure();
    child.send({ ...work, id } satisfies IngestRequest, (error) => {
      if (error) this.#fail(id, error.message);
    });
    return promise;
  }

  #ensure(): ChildProcess {
    if (this.#child) return this.#child;
    const child = fork(this.#module, {
      env: { ...process.env, TMPDIR: this.#temporary },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    child.unref();
    child.channel?.unref();
    child.on('message', (answer: IngestAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error) waiting?.reject(VgpuError.fromBody(answer.error));
      else waiting?.resolve(answer.value);
    });
    const gone = (why: string) => {
      if (this.#child === child) this.#child = undefined;
      for (const id of [...this.#waiting.keys()]) this.#fail(id, why);
    };
    child.once('error', (error) => gone(error.message));
    child.once('exit', (code, signal) => gone(`reading it ended with ${signal ?? `exit code ${code}`}`));
    this.#child = child;
    return child;
  }

  #fail(id: number, problem: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(new VgpuError('BAD_DATASET', { file: waiting.file, problem }));
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => this.close(), IDLE_MS);
    this.#idle.unref();
  }
}
