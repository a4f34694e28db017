import { jobSpec, parseJobSpec } from '@vgpu/core';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { specFields } from '../views/spec-help.ts';
import { placeBelow } from './files.ts';
import { addRunOptions, cleanFlag, type RunFlags, specFromFlags } from './run-options.ts';

function specOf(...argv: string[]): Record<string, unknown> {
  const command = addRunOptions(new Command().argument('<script>').argument('[args...]').exitOverride());
  command.parse(argv, { from: 'user' });
  const [script, ...args] = command.args;
  return specFromFlags(script!, args, command.opts<RunFlags>());
}

test('a bare script is a spec of nothing else', () => {
  expect(specOf('train.py')).toEqual({ script: 'train.py' });
});

test('every flag lands in its field, and the spec is valid', () => {
  const spec = specOf(
    ...['train.py', '--name', 'n', '--data', 'a.csv', '--data', 'b.csv', '--target', 'y', '--cpu', '2'],
    ...['--memory', '1GiB', '--gpu', '0.25', '--vram', '8GiB', '--model', 'A100', '--isolation', 'hard'],
    ...['--qos', 'guaranteed', '--time', '60s', '--env', 'A=b=c', '--image', 'i', '--retries', '2'],
    ...['--priority', '-5', '--network', 'egress', '--port', '6006', '--metric', 'f1', '--goal', 'maximize'],
    ...['--secret', 'HF', '--secret', 'DB=DB_KEY', '--clean', '{"impute":"mean"}', '--', '--lr', '0.1'],
  );
  const parsed = parseJobSpec(spec);
  expect(parsed).toMatchObject({
    name: 'n',
    args: ['--lr', '0.1'],
    data: ['a.csv', 'b.csv'].map((path) => ({ path, target: 'y', clean: { impute: 'mean' } })),
    resources: {
      gpu: 250,
      cpu: 2000,
      memory: 2 ** 30,
      vram: 8 * 2 ** 30,
      isolation: 'hard',
      models: ['A100'],
    },
    limits: { time: 60_000, retries: 2 },
    env: { A: 'b=c' },
    secrets: [{ name: 'HF' }, { name: 'DB', env: 'DB_KEY' }],
    priority: -5,
    network: 'egress',
    ports: [6006],
    metrics: { primary: 'f1', goal: 'maximize' },
  });
});

test('wrong flags are told by their name', () => {
  expect(() => specOf('x.py', '--retries', 'two')).toThrow(/--retries: "two"/);
  expect(() => specOf('x.py', '--env', 'NOT_SET_ANYWHERE_1')).toThrow(/--env/);
  expect(() => specOf('x.py', '--secret', '=X')).toThrow(/--secret/);
  expect(() => specOf('x.py', '--secret', 'X=')).toThrow(/--secret/);
  expect(() => cleanFlag('[]')).toThrow(/--clean/);
  expect(() => cleanFlag('{')).toThrow(/--clean/);
});

test('vgpu help spec names every field of the schema, and no other', () => {
  const shape = jobSpec.shape;
  const named = new Set(specFields.map(([field]) => field.replace(/\[\]/, '')));
  const inner = (schema: unknown): string[] => Object.keys((schema as { shape: object }).shape);
  const unwrapped = (name: 'resources' | 'limits' | 'metrics') =>
    (shape[name] as unknown as { def: { innerType: unknown } }).def.innerType;
  const expected = Object.keys(shape).flatMap((name) =>
    name === 'resources' || name === 'limits' || name === 'metrics'
      ? inner(unwrapped(name)).map((field) => `${name}.${field}`)
      : [name],
  );
  for (const field of expected) expect(named, field).toContain(field);
  for (const field of named) {
    if (!field.startsWith('data.')) expect(expected, field).toContain(field);
  }
});

test('a file of a task never leaves its folder', () => {
  expect(placeBelow('/out', 'task', 'a/b.txt')).toBe('/out/task/a/b.txt');
  for (const path of ['../x', '/etc/passwd', 'a/../../x', '..', '.', '']) {
    expect(() => placeBelow('/out', 'task', path), path).toThrow(/not usable/);
  }
  expect(() => placeBelow('/out', '../task', 'x')).toThrow(/not usable/);
});
