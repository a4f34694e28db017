import type { Job, Task } from '@vgpu/api';
import { formatBytes, formatMilli, knownScores } from '@vgpu/core';
import { plain } from '../output/plain.ts';
import { stateStyle, style } from '../output/style.ts';
import { type Column, renderTable } from '../output/table.ts';
import { ago, count, duration, score, until } from '../output/words.ts';

/** The scores that say most come first; then the others that have a name of their own. */
const known = [...new Set(['accuracy', 'f1', 'roc_auc', 'mse', 'r2', ...Object.keys(knownScores)])];

/** Names of the scores that any of the tasks has: the primary first, then the known ones, then the others. */
export function scoreNames(tasks: readonly Task[], primary: string | null, limit = 5): string[] {
  // Averages beside the plain score would crowd the table; `vgpu metrics` has them.
  const crowding = (name: string) => /_(macro|weighted|micro)$/.test(name) && name !== primary;
  const names = new Set(tasks.flatMap((task) => Object.keys(task.metrics)).filter((name) => !crowding(name)));
  const rank = (name: string): number => {
    if (name === primary) return -1;
    const i = known.indexOf(name);
    return i < 0 ? known.length : i;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, limit);
}

const titleOf = (name: string): string =>
  (knownScores as Record<string, { title: string } | undefined>)[name]?.title ?? name;

/** Tasks with states, scores and timings. */
export function taskTable(job: Job): string {
  const names = scoreNames(job.tasks, job.primary);
  const columns: Column[] = [
    { title: '', paint: style.yellow },
    { title: 'worker', paint: style.dim },
    { title: 'task', shrinks: true, key: true },
    { title: 'state', paint: stateStyle },
    ...names.map((name): Column => ({ title: titleOf(name), align: 'right' })),
    { title: 'start', align: 'right', paint: style.dim },
    { title: 'run', align: 'right', paint: style.dim },
    { title: 'teardown', align: 'right', paint: style.dim },
  ];
  const rows = job.tasks.map((task) => [
    job.best?.task === task.id && job.tasks.length > 1 ? '★' : '',
    task.worker,
    task.name,
    task.state,
    ...names.map((name) => score(task.metrics[name])),
    duration(task.timings.start),
    duration(task.timings.run),
    duration(task.timings.teardown),
  ]);
  return renderTable(columns, rows);
}

/** One paragraph for each task that did not complete: why, and what to do. */
export function failures(job: Job): string[] {
  return job.tasks
    .filter((task) => task.reason)
    .map((task) => {
      const hint = task.reason?.hint ? `\n  ${style.dim(plain(task.reason.hint))}` : '';
      return `${style.red(plain(task.name))}: ${plain(task.reason!.message)}${hint}`;
    });
}

/** Tasks whose wait is told; of thousands the next ones say enough. */
const TOLD = 5;

/** One line for each of the next waiting tasks: its turn, why it waits, and when it is thought to start. */
export function waits(job: Job): string[] {
  const waiting = job.tasks
    .flatMap(({ name, waiting }) => (waiting ? [{ name, waiting }] : []))
    .sort((a, b) => a.waiting.position - b.waiting.position);
  const lines = waiting
    .slice(0, TOLD)
    .map(({ name, waiting: { position, message, hint, estimatedStart } }) => {
      const turn = position > 0 ? ` (number ${position} in the queue)` : '';
      const start = estimatedStart === null ? '' : ` Expected to start: ${until(estimatedStart)}.`;
      const advice = hint ? `\n  ${style.dim(plain(hint))}` : '';
      return `${style.yellow(plain(name))} waits${turn}: ${plain(message)}${start}${advice}`;
    });
  const more = waiting.length - lines.length;
  return more > 0 ? [...lines, style.dim(`${count(more, 'more task')} wait: vgpu queue`)] : lines;
}

function resourcesLine(job: Job): string {
  const { gpu, vram, cpu, memory } = job.resources;
  const parts = [`${formatMilli(cpu)} CPU`, formatBytes(memory)];
  if (gpu > 0) parts.push(`${formatMilli(gpu)} GPU`);
  if (vram > 0) parts.push(`${formatBytes(vram)} VRAM`);
  return parts.join(', ');
}

/** What its tasks hold of accelerators, alike ones together, and what keeps them to it. */
function slices(job: Job): string[] {
  const words = job.tasks.flatMap((task) =>
    task.slices.map(
      ({ milli, bytes, model, enforcement }) =>
        `${formatMilli(milli)} of ${plain(model)}, ${formatBytes(bytes)}${enforcement ? `, enforced by: ${enforcement}` : ''}`,
    ),
  );
  return [...new Set(words)].map((word) => {
    const n = words.filter((other) => other === word).length;
    return n > 1 ? `${n} × ${word}` : word;
  });
}

/** The head of a job: what it is, and when. */
export function jobHead(job: Job): string {
  const line = (name: string, value: string) => `${style.dim(name.padEnd(10))}${value}`;
  return [
    `${style.bold(plain(job.name))}  ${stateStyle(job.state)}  ${style.dim(job.id)}`,
    line('script', `${plain(job.script)} in ${plain(job.image)}, ${resourcesLine(job)} each`),
    line(
      'tasks',
      Object.entries(job.counts)
        .filter(([, n]) => n > 0)
        .map(([state, n]) => `${n} ${state.toLowerCase()}`)
        .join(', ') || count(job.tasksTotal, 'task'),
    ),
    ...slices(job).map((text, i) => line(i === 0 ? 'slices' : '', text)),
    line('submitted', `${ago(job.submittedAt)} by ${plain(job.user)}`),
  ].join('\n');
}
