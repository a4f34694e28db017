import { describe, expect, it } from 'vitest';
import { parseJobSpec, parseJobYaml } from './parse-spec.ts';

describe('job spec', () => {
  it('needs a script alone and fills in the rest', () => {
    const spec = parseJobSpec({ script: 'train.py' });
    expect(spec.image).toBe('sklearn');
    expect(spec.resources).toMatchObject({ cpu: 1000, memory: 512 * 2 ** 20, gpu: 0, qos: 'burstable' });
    expect(spec.network).toBe('none');
  });

  it('reads the whole example of the design', () => {
    const spec = parseJobSpec(
      parseJobYaml(`
name: churn
script: train.py
args: {lr: 0.01}
data:
  - {path: a.csv, target: label, clean: {impute: median, clip: [0.01, 0.99]}}
  - {path: b.csv}
image: sklearn
resources: {gpu: 0.25, vram: 8GiB, cpu: 2, memory: 4GiB, isolation: any, qos: burstable}
env: {}
secrets: []
metrics: {primary: val_f1, goal: maximize}
limits: {time: 2h, retries: 1}
priority: 0
network: none
ports: [6006]`),
    );
    expect(spec.resources).toMatchObject({ gpu: 250, vram: 8 * 2 ** 30, cpu: 2000, memory: 4 * 2 ** 30 });
    expect(spec.limits.time).toBe(7_200_000);
    expect(spec.data).toHaveLength(2);
  });

  it.each([
    [{ script: 'a.py', memry: 1 }, 'UNKNOWN_KEY', 'job: unknown key "memry"'],
    [{ script: 'a.py', resources: { memry: 1 } }, 'UNKNOWN_KEY', 'resources: unknown key "memry"'],
    [
      { script: 'a.py', data: [{ path: 'a', clean: { imput: 'x' } }] },
      'UNKNOWN_KEY',
      'data[0].clean: unknown key "imput"',
    ],
    [{}, 'BAD_SPEC', 'script'],
    [{ script: 'a.py', resources: { memory: 'lots' } }, 'BAD_SPEC', 'resources.memory'],
    [{ script: 'a.py', resources: { memory: 512 } }, 'BAD_SPEC', 'a number alone means bytes'],
    [{ script: 'a.py', resources: { cpu: 0.001 } }, 'BAD_SPEC', 'resources.cpu'],
    [{ script: 'a.py', resources: { vram: '2GiB' } }, 'BAD_SPEC', 'without a share of a GPU'],
    [{ script: 'a.py', limits: { time: 'soon' } }, 'BAD_SPEC', 'limits.time'],
    [{ script: 'a.py', name: '../x' }, 'BAD_SPEC', 'name'],
  ])('refuses %j', (value, code, text) => {
    expect(() => parseJobSpec(value)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });

  it('suggests the key that was meant', () => {
    expect(() => parseJobSpec({ script: 'a.py', resources: { memry: 1 } })).toThrow(
      expect.objectContaining({ hint: 'Did you mean "memory"?' }),
    );
  });

  it('names line and column of broken YAML', () => {
    expect(() => parseJobYaml('script: [a')).toThrow(expect.objectContaining({ code: 'BAD_SPEC' }));
  });
});

it('secrets are names, or names with a place', () => {
  const secrets = (value: unknown, more = {}) =>
    parseJobSpec({ script: 'a.py', secrets: value, ...more }).secrets;
  expect(secrets(['A', { name: 'B', env: 'B_KEY' }, { name: 'A', file: 'a.pem' }])).toEqual([
    { name: 'A' },
    { name: 'B', env: 'B_KEY' },
    { name: 'A', file: 'a.pem' },
  ]);
  expect(() => secrets(['../etc'])).toThrow(/secrets\[0\]\.name: use 1 to 63 letters/);
  expect(() => secrets([{ name: 'A', file: 'a/b' }])).toThrow(/secrets\[0\]\.file/);
  expect(() => secrets([{ name: 'A', enf: 'X' }])).toThrow(/secrets\[0\]: unknown key "enf"/);
  expect(() => secrets(['A', 'A'])).toThrow(/the file \/run\/secrets\/A/);
  expect(() =>
    secrets([
      { name: 'A', env: 'X' },
      { name: 'B', env: 'X' },
    ]),
  ).toThrow(/the variable X/);
  expect(() => secrets([{ name: 'A', env: 'X' }], { env: { X: '1' } })).toThrow(/X is set under env already/);
  expect(() => secrets([{ name: 'A', env: 'VGPU_TASK' }])).toThrow(/vgpu’s own/);
  expect(() => secrets(Array.from({ length: 17 }, (_, i) => `S${i}`))).toThrow(/secrets/);
});
