import type { Job } from '@vgpu/api';
import { parseJobSpec } from '@vgpu/core';
import { describe, expect, test } from 'vitest';
import { makeJob } from '../testing/made-jobs.ts';
import { emptyForm, formOf } from './form-state.ts';
import { secretUseOf } from './secret-use.ts';
import { envOf, specOf } from './spec-of.ts';

describe('specOf', () => {
  test('an untouched form gives the defaults of a spec', () => {
    const form = { ...emptyForm(), script: 'train.py' };
    expect(parseJobSpec(specOf(form, []))).toEqual(parseJobSpec({ script: 'train.py' }));
  });

  test('a duplicated job gives the spec that it was made from', () => {
    const spec = parseJobSpec({
      name: 'churn',
      script: 'src/train.py',
      args: { lr: 0.01, fast: true, model: 'forest' },
      data: [{ dataset: 'a@2', target: 'y' }],
      image: 'torch',
      resources: { gpu: 0.25, vram: '8GiB', cpu: 1.5, memory: '700MB', qos: 'guaranteed', models: ['A100'] },
      env: { A: '1', B: 'x=y' },
      metrics: { primary: 'val_f1', goal: 'maximize' },
      limits: { time: '90m', retries: 2 },
      priority: 5,
      ports: [6006],
      secrets: ['KEY', { name: 'HF', env: 'HF_TOKEN' }, { name: 'db', file: 'db.conf' }],
    });
    const job: Job = makeJob(1, 'churn', ['COMPLETED'], 1_000_000, false, ['a']);
    const like: Job = {
      ...job,
      spec: spec as unknown as Job['spec'],
      tasks: job.tasks.map((task) => ({ ...task, dataset: 'a@2', target: 'y' })),
    };
    expect(parseJobSpec(specOf(formOf(like), []))).toEqual(spec);
  });

  test('a chosen secret is a file, and a variable where its name and value allow it', () => {
    expect(secretUseOf('HF_TOKEN', true)).toEqual({ name: 'HF_TOKEN', env: 'HF_TOKEN' });
    expect(secretUseOf('HF_TOKEN', false)).toEqual({ name: 'HF_TOKEN' });
    for (const name of ['key.pem', '2nd', 'VGPU_TASK']) expect(secretUseOf(name, true)).toEqual({ name });
  });

  test('reads the environment line by line', () => {
    expect(envOf('A=1\n\n# no\nB = x=y\nC')).toEqual({ A: '1', B: ' x=y', C: '' });
  });
});
