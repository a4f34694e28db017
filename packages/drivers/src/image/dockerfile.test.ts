import { expect, test } from 'vitest';
import { withCaBundle } from './dockerfile.ts';

test('the site’s CA bundle enters every stage, and stays out of the environment', () => {
  const text = withCaBundle('# comment\nFROM a \\\n  AS one\nRUN x\nfrom b\nCOPY --from=one /x /x\n');
  const lines = text.split('\n');
  expect(lines.filter((l) => l.startsWith('COPY .vgpu-ca'))).toHaveLength(2);
  expect(lines.indexOf('  AS one') + 1).toBe(lines.findIndex((l) => l.startsWith('COPY .vgpu-ca')));
  expect(text).toContain('ARG PIP_CERT=');
  expect(text).not.toMatch(/^ENV/m);
});
