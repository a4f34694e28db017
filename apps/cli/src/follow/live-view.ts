import { stripVTControlCharacters } from 'node:util';
import type { Progress, Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import { createLogUpdate } from 'log-update';
import { plain } from '../output/plain.ts';
import { stateStyle, style } from '../output/style.ts';
import { cut } from '../output/table.ts';
import { displayWidth } from '../output/width.ts';
import { duration, score } from '../output/words.ts';
import type { JobListener } from './watch-job.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const drawEveryMs = 80;
const barWidth = 16;

interface Row {
  task: Task;
  progress: Progress | null;
  line: string | null;
}

/** A bar such as `██████░░░░`. */
export function bar(fraction: number, width: number = barWidth): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return '█'.repeat(full) + style.dim('░'.repeat(width - full));
}

const pad = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));

/** One line for each worker, drawn again in place while the job runs. */
export class LiveView implements JobListener {
  readonly #rows = new Map<string, Row>();
  readonly #update = createLogUpdate(process.stdout);
  readonly #timer: NodeJS.Timeout;
  #tick = 0;
  #closed = false;

  constructor() {
    this.#timer = setInterval(() => this.#draw(), drawEveryMs);
  }

  onTask(task: Task): void {
    const row = this.#rows.get(task.id);
    this.#rows.set(task.id, { task, progress: task.progress ?? row?.progress ?? null, line: task.lastLine });
  }

  onLive(id: string, progress: Progress | null, line: string | null): void {
    const row = this.#rows.get(id);
    if (!row) return;
    row.progress = progress ?? row.progress;
    row.line = line ?? row.line;
  }

  /** Leaves the last picture on the screen. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#draw();
    this.#update.done();
  }

  #draw(): void {
    this.#tick++;
    const width = process.stdout.columns || 80;
    const height = Math.max(3, (process.stdout.rows || 24) - 2);
    const rows = [...this.#rows.values()];
    const active = rows.filter((row) => !isTerminal(row.task.state));
    const shown =
      rows.length <= height ? rows : [...active, ...rows.filter((row) => isTerminal(row.task.state))];
    const lines = shown
      .slice(0, rows.length <= height ? height : height - 1)
      .map((row) => this.#line(row, width));
    if (rows.length > lines.length) lines.push(style.dim(`… and ${rows.length - lines.length} more`));
    this.#update(lines.join('\n'));
  }

  #line({ task, progress, line }: Row, width: number): string {
    const over = isTerminal(task.state);
    const mark = over
      ? task.state === 'COMPLETED'
        ? style.green('✓')
        : style.red('✗')
      : task.state === 'QUEUED'
        ? style.dim('·')
        : style.cyan(frames[this.#tick % frames.length]!);
    const name = pad(cut(plain(task.name), 18), 18);
    const worker = pad(task.worker ?? '', 14);
    const state = stateStyle(task.state) + ' '.repeat(Math.max(0, 10 - task.state.length));
    const fraction = over && task.state === 'COMPLETED' ? 1 : (progress?.fraction ?? null);
    const gauge =
      fraction === null
        ? ' '.repeat(barWidth + 5)
        : `${bar(fraction)} ${String(Math.round(fraction * 100)).padStart(3)}%`;
    const head = `${mark} ${style.dim(worker)} ${name} ${state} ${gauge} `;
    return (
      head +
      style.dim(
        cut(this.#detail(task, line), Math.max(0, width - displayWidth(stripVTControlCharacters(head)) - 1)),
      )
    );
  }

  #detail(task: Task, line: string | null): string {
    if (task.reason) return plain(task.reason.message);
    if (isTerminal(task.state)) {
      const best = Object.entries(task.metrics).slice(0, 3);
      return [duration(task.timings.run), ...best.map(([name, value]) => `${name} ${score(value)}`)].join(
        ' · ',
      );
    }
    if (task.state === 'QUEUED') return task.waiting ? plain(task.waiting.message) : '';
    return plain(line ?? '');
  }
}
