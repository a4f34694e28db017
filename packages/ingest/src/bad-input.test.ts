import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { checkFile } from './check-file.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { dir, file } = temporaryFolder();
const refusal = (path: string): Promise<string> =>
  checkFile(path).then(
    (result) => `accepted ${result.rows} rows`,
    (error) => `${error.code}: ${error.message}`,
  );

it.each([
  ['an empty file', '', 'is empty'],
  ['blank lines', '\n\n  \n', 'holds nothing but blank lines'],
  ['a lone header', 'alpha,beta,gamma\n', 'has a header and no rows'],
  ['a ZIP archive', Buffer.from('504b030414000000', 'hex'), 'is a ZIP archive'],
  ['gzip', gzipSync('a,b\n1,2\n'), 'is gzip data'],
  ['binary', Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919) % 256)), 'is binary data'],
  ['HTML', '<!DOCTYPE html>\n<html><body>404</body></html>', 'is an HTML'],
  ['JSON', '[{"a": 1, "b": 2}]', 'is JSON'],
  ['UTF-32', Buffer.from('fffe0000610000002c000000', 'hex'), 'is UTF-32'],
])('refuses %s in words', async (name, content, words) => {
  const message = await refusal(file(`bad-${name.replaceAll(' ', '-')}.csv`, content));
  expect(message).toContain('BAD_DATASET: bad-');
  expect(message).toContain(words);
});

it('refuses what is not a regular file', async () => {
  mkdirSync(join(dir, 'folder'));
  expect(await refusal(join(dir, 'folder'))).toContain('FILE_UNREADABLE');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  expect(await refusal(join(dir, 'pipe'))).toContain('named pipe');
  symlinkSync(join(dir, 'round'), join(dir, 'round'));
  expect(await refusal(join(dir, 'round'))).toContain('FILE_UNREADABLE');
  expect(await refusal('/dev/null')).toContain('device');
  expect(await refusal(join(dir, 'missing.csv'))).toContain('FILE_NOT_FOUND');
});

it('reads a file of one column', async () => {
  const result = await checkFile(file('one.csv', 'value\n1\n\n2.5\n3\n'));
  expect(result.dialect.delimiter).toBe('');
  expect(result.columns).toMatchObject([{ name: 'value', type: 'number', missing: 1 }]);
  expect(result.rows).toBe(4);
});

it('reads a file of one row without a line end, and a very wide one', async () => {
  expect((await checkFile(file('row.csv', 'a,b\n1,2'))).rows).toBe(1);
  const wide = Array.from({ length: 300 }, (_, i) => i);
  const result = await checkFile(
    file('wide.csv', `${wide.map((i) => `c${i}`).join(',')}\n${wide.join(',')}\n${wide.join(',')}\n`),
  );
  expect(result.columns).toHaveLength(300);
});
