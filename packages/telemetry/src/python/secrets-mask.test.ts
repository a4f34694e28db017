import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';

const runtime = new URL('../../../../worker/runtime', import.meta.url).pathname;
const env = { ...process.env, PYTHONPATH: runtime, PYTHONDONTWRITEBYTECODE: '1' };
const folder = mkdtempSync(join(tmpdir(), 'vgpu-secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the worker's own code over a JSON value; bytes travel as Latin-1 text. */
function python<T>(code: string, input: unknown): T {
  const prelude = 'import sys, json\nimport vgpu_secrets as s\ngiven = json.load(sys.stdin)\n';
  const run = spawnSync('python3', ['-c', prelude + code], {
    input: JSON.stringify(input),
    env,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T;
}

const feedAll = `
b = lambda text: text.encode('latin-1')
answers = []
for case in given:
    mask = s.Masker(s.patterns_of([b(v) for v in case['values']]))
    out = [mask.feed(b(part)) for part in case['parts']] + [mask.end()]
    answers.append([part.decode('latin-1') for part in out])
print(json.dumps(answers))`;
const masked = (values: string[], ...parts: string[]): string[] =>
  python<string[][]>(feedAll, [{ values, parts }])[0]!;

test('a value is masked wherever it stands, cut anywhere', () => {
  const secret = 'hunter2-hunter2';
  for (let cut = 0; cut <= secret.length; cut++) {
    const text = `key=${secret}, again ${secret}\n`;
    expect(masked([secret], text.slice(0, 4 + cut), text.slice(4 + cut)).join('')).toBe(
      'key=***, again ***\n',
    );
  }
  expect(masked([secret], ...`a ${secret} b\n`).join('')).toBe('a *** b\n');
});

test('only what may be the start of a value waits; the rest goes on at once', () => {
  expect(masked(['password1'], '50% pass', 'ed\n')).toEqual(['50% ', 'passed\n', '']);
  expect(masked(['password1'], 'ends in pass')).toEqual(['ends in ', 'pass']);
});

test('the longer of two values that begin alike is masked as a whole', () => {
  const values = ['abcdefgh', 'abcdefghijkl'];
  expect(masked(values, 'abcdefgh', 'ijkl\n').join('')).toBe('***\n');
  expect(masked(values, 'abcdefgh', 'x\n').join('')).toBe('***x\n');
  expect(masked(values, 'abcdefgh').join('')).toBe('***');
});

test('lines of a longer value, and JSON’s way to write it; nothing under eight characters', () => {
  expect(masked(['-----BEGIN-----\nc2VjcmV0IQ==\nend'], 'x c2VjcmV0IQ== end\n').join('')).toBe('x *** end\n');
  expect(masked(['say "hello"'], '{"k": "say \\"hello\\""}\n').join('')).toBe('{"k": "***"}\n');
  expect(
    python<string[]>("print(json.dumps([p.decode() for p in s.patterns_of([b'seven77', b'x\\ny'])]))", []),
  ).toEqual([]);
});

test('however a text is cut, it comes out as if it had come whole', () => {
  const letters = (max: number, min = 0) =>
    fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: min, maxLength: max });
  const cases = fc.sample(
    fc.record({
      values: fc.array(letters(14, 8), { minLength: 1, maxLength: 3 }),
      parts: fc.array(letters(30), { maxLength: 8 }),
    }),
    2000,
  );
  const able = cases.filter(({ values }) => values.some((v) => v.split('\n').some((l) => l.length >= 8)));
  expect(able.length).toBeGreaterThan(200);
  const whole = able.map(({ values, parts }) => ({ values, parts: [parts.join('')] }));
  const answers = python<string[][]>(feedAll, [...able, ...whole]).map((parts) => parts.join(''));
  for (const [i, { values }] of able.entries()) {
    expect(answers[i], JSON.stringify(able[i])).toBe(answers[able.length + i]);
    for (const line of values.flatMap((v) => v.split('\n')).filter((l) => l.length >= 8)) {
      expect(answers[i]).not.toContain(line);
    }
  }
});

test('files are readable by their owner alone, in a folder that is closed then', () => {
  const secrets = [{ file: 'key.pem', value: Buffer.from([0, 255, 10]).toString('base64') }];
  python(`s.store(given, ${JSON.stringify(folder)}); print('null')`, secrets);
  expect(readdirSync(folder)).toEqual(['key.pem']);
  expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o400);
  expect(statSync(folder).mode & 0o777).toBe(0o500);
  expect([...readFileSync(join(folder, 'key.pem'))]).toEqual([0, 255, 10]);
});
