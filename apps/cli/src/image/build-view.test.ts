import { expect, test, vi } from 'vitest';
import { BuildView, splitStep } from './build-view.ts';

test('what a step is at is told apart from the step', () => {
  expect(splitStep('unpack: sklearn/science: scipy 1.18.1')).toEqual([
    'unpack: sklearn/science',
    'scipy 1.18.1',
  ]);
  for (const step of ['load: loading vgpu/sklearn:latest into the engine', 'Step 2/3 : RUN echo a: b: c'])
    expect(splitStep(step)).toEqual([step, undefined]);
});

test('a hundred packages are one line; output of a step is shown, and the step that fails is named whole', () => {
  const shown: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    shown.push(String(text).trim());
    return true;
  });
  try {
    const view = new BuildView(false);
    for (let i = 0; i < 100; i++)
      view.take({ type: 'step', step: `unpack: a/debian: package-${i} 1.0`, progress: null });
    view.take({ type: 'step', step: 'Step 1/1 : RUN false', progress: null });
    view.take({ type: 'output', text: 'it broke\n' });
    view.fail();
  } finally {
    write.mockRestore();
  }
  expect(shown.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual([
    'unpack: a/debian',
    'Step 1/1 : RUN false',
    'it broke',
    '✗ Step 1/1 : RUN false',
  ]);
});
