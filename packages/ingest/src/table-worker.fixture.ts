import { threadId } from 'node:worker_threads';
import { type Shared, serveTasks } from './serve-tasks.ts';

/** Tasks that try what can happen to one. */
const handlers = {
  double: (task: { values: Float64Array<ArrayBuffer> }) => {
    const answer = task.values.map((value) => value * 2);
    return { answer, transfer: [answer.buffer] };
  },
  thread: async (task: { milliseconds: number }) => {
    await new Promise((resolve) => setTimeout(resolve, task.milliseconds));
    return { answer: threadId };
  },
  shared: ({ name }: { name: string }, shared: Shared) => ({ answer: shared.get(name) }),
  fail: (_: object): { answer: never } => {
    throw Object.assign(new RangeError('too far'), { code: 'ENOSPC' });
  },
  die: (_: object): { answer: never } => process.exit(3),
  spin: (_: object): { answer: never } => {
    for (;;);
  },
};

export type FixtureHandlers = typeof handlers;

serveTasks(handlers);
