import { expect, test } from 'vitest';
import { failureIn } from './server-failure.ts';

test('a server that knew what was wrong is quoted', () => {
  const said =
    '{"level":30,"msg":"store open"}\nvgpu: 127.0.0.1:8470 is taken by another program\nStop it.\n{"level":30}\n';
  expect(failureIn(said, '/x/server.log')).toEqual({
    problem: '127.0.0.1:8470 is taken by another program',
    advice: 'Stop it.',
  });
});

test('of any other the end of the log is shown, and where the rest is', () => {
  const trace = Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n');
  const { problem, advice } = failureIn(`${trace}\n\n`, '/x/server.log');
  expect(problem).toMatch(/line 25\n[\s\S]*line 39$/);
  expect(problem).not.toContain('line 24');
  expect(advice).toContain('/x/server.log');
  expect(failureIn('', '/x/server.log').problem).toBe('it ended without a word');
});
