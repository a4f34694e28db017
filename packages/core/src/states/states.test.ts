import { describe, expect, it } from 'vitest';
import { jobStateOf } from './job-state.ts';
import { assertTransition, canTransition, isTerminal, taskStates, taskTransitions } from './task-state.ts';

describe('task states', () => {
  it('reach an end from everywhere', () => {
    for (const start of taskStates) {
      const seen = new Set([start]);
      for (const state of seen) for (const next of taskTransitions[state]) seen.add(next);
      expect([...seen].some(isTerminal)).toBe(true);
    }
  });
  it('never leave COMPLETED', () => {
    for (const to of taskStates) expect(canTransition('COMPLETED', to)).toBe(false);
    expect(() => assertTransition('COMPLETED', 'QUEUED')).toThrow(/is COMPLETED and cannot become QUEUED/);
  });
});

describe('job state', () => {
  it.each([
    [['QUEUED', 'QUEUED'], 'QUEUED'],
    [['QUEUED', 'COMPLETED'], 'RUNNING'],
    [['COMPLETED', 'FAILED', 'CANCELLED'], 'FAILED'],
    [['COMPLETED', 'CANCELLED'], 'CANCELLED'],
    [['COMPLETED'], 'COMPLETED'],
  ] as const)('of %j is %s', (tasks, state) => expect(jobStateOf(tasks)).toBe(state));
});
