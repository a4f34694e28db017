import { expect, test } from 'vitest';
import { proxyPolicy, proxyRedirect } from './proxy-policy.ts';

const at = { host: 'lab:8470', prefix: '/proxy/task_1/6006', path: '/a/b' };

test('a page of a task may reach what is its own, by every scheme, and nothing else', () => {
  const policy = proxyPolicy(at.host, at.prefix);
  const sources = policy.match(/\bdefault-src ([^;]*)/)![1]!.split(' ');
  const addresses = sources.filter((source) => source.includes('//'));
  expect(addresses).toEqual(['http', 'https', 'ws', 'wss'].map((s) => `${s}://lab:8470/proxy/task_1/6006/`));
  for (const wide of ["'self'", '*', 'http:', 'https:', 'ws:', 'wss:']) expect(sources).not.toContain(wide);
  const [sandbox] = policy.split(';');
  expect(sandbox).not.toContain('allow-popups');
  expect(sandbox).not.toContain('allow-top-navigation');
});

test.each([
  ['/login', '/proxy/task_1/6006/login'],
  ['/proxy/task_1/6006/x?y#z', '/proxy/task_1/6006/x?y#z'],
  ['c', '/proxy/task_1/6006/a/c'],
  ['../c', '/proxy/task_1/6006/c'],
  ['http://127.0.0.1:6006/lab', '/proxy/task_1/6006/lab'],
  ['https://example.org/x', 'https://example.org/x'],
  // What would lead to the API or to another task, past the policy.
  ['../../../../v1/jobs', undefined],
  ['http://lab:8470/v1/jobs', undefined],
  ['https://lab:8470/v1/jobs', undefined],
  ['//lab:8470/v1/jobs', undefined],
  ['\\\\lab:8470/v1/jobs', undefined],
  ['/\\lab:8470/v1/jobs', undefined],
  ['/proxy/task_1/6006/../../../v1/jobs', '/proxy/task_1/6006/v1/jobs'],
  ['/proxy/task_1/6006/%2e%2e/%2e%2e/%2e%2e/v1/jobs', '/proxy/task_1/6006/v1/jobs'],
  ['/proxy/task_2/6006/', '/proxy/task_1/6006/proxy/task_2/6006/'],
  ['http://[', undefined],
])('a redirect to %s leads to %s', (location, expected) => {
  expect(proxyRedirect(location, at)).toBe(expected);
});
