import type { Progress } from '@vgpu/api';
import { createLogUpdate } from 'log-update';
import { bar } from '../follow/live-view.ts';
import { plain } from '../output/plain.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { cut } from '../output/table.ts';

type Shown = { type: 'step'; step: string; progress: Progress | null } | { type: 'output'; text: string };
const keptLines = 20;

/** `unpack: sklearn/science: scipy 1.18.1` is one of many of the same kind: their step, and what it is at. */
export function splitStep(step: string): [step: string, at: string | undefined] {
  const [, kind, at] = /^((?:download|unpack|compile|pack): \S+): (.*)$/s.exec(step) ?? [];
  return kind === undefined ? [step, undefined] : [kind, at];
}

/** A build for people: one line for each step; on a terminal the running one has a bar and its last output, elsewhere every line. */
export class BuildView {
  step = '';
  readonly #quiet: boolean;
  readonly #live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  readonly #lines: string[] = [];

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  take(event: Shown): void {
    if (event.type === 'output') {
      const lines = event.text.split('\n').flatMap((line) => (line.trim() ? [plain(line)] : []));
      this.#lines.push(...lines);
      if (!this.#live && !this.#quiet) for (const line of lines) note(style.dim(`    ${line}`));
      this.#lines.splice(0, Math.max(0, this.#lines.length - keptLines));
    } else if (event.step !== this.step) {
      const [before] = splitStep(this.step);
      const [step, at] = splitStep(event.step);
      this.step = event.step;
      this.#lines.length = 0;
      if (at) this.#lines.push(plain(at));
      if (step !== before && !this.#quiet) {
        if (!this.#live) note(`  ${plain(step)}`);
        else if (before) {
          this.#live(`${style.green('✓')} ${plain(before)}`);
          this.#live.done();
        }
      }
    }
    if (this.#live && !this.#quiet) this.#draw(event.type === 'step' ? event.progress : null);
  }

  /** Shows the last lines of the step that failed, unless they were seen. */
  fail(): void {
    this.#live?.clear();
    note(`${style.red('✗')} ${plain(this.step || 'build')}`);
    if (!this.#live && !this.#quiet) return;
    for (const line of this.#lines) note(style.dim(`    ${line}`));
  }

  close(): void {
    this.#live?.clear();
    this.#live?.done();
  }

  #draw(progress: Progress | null): void {
    const width = process.stderr.columns || 80;
    const gauge = progress?.fraction === null || progress === null ? '' : ` ${bar(progress.fraction)}`;
    const last = this.#lines.at(-1);
    const head = `${style.cyan('…')} ${plain(splitStep(this.step)[0])}${gauge}`;
    this.#live?.(last ? `${head}\n${style.dim(cut(`  ${last}`, width - 1))}` : head);
  }
}
