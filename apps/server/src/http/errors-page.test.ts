import { readFileSync } from 'node:fs';
import { catalogue, type ErrorEntry } from '@vgpu/core';
import { expect, test } from 'vitest';

/** A row of docs/errors.md: code, HTTP status, exit code, message, hint. */
const row = /^\| `([A-Z_]+)` \| (\d+) \| (\d) \| (.+?) \| (.+?) \|$/;

test('docs/errors.md says what the catalogue says, entry by entry, and nothing else', () => {
  const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const documented = Object.fromEntries(
    page.split('\n').flatMap((line) => {
      const [, code, status, exit, message, hint] = row.exec(line) ?? [];
      return code ? [[code, { status: Number(status), exit: Number(exit), message, hint }]] : [];
    }),
  );
  const escaped = (text: string) => text.replaceAll('|', '\\|');
  const known = Object.fromEntries(
    (Object.entries(catalogue) as [string, ErrorEntry][]).map(([code, entry]) => [
      code,
      { ...entry, message: escaped(entry.message), hint: escaped(entry.hint) },
    ]),
  );
  expect(documented).toEqual(known);
});
