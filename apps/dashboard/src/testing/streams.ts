import type { LogLineView, Series } from '@vgpu/api';
import { randomOf, startedAt } from './seed.ts';

/** Line `seq` of the long log: made when asked for, so that a million of them cost nothing. */
export function longLine(seq: number): LogLineView {
  const stream = seq % 97 === 5 ? 'stderr' : 'stdout';
  const text =
    stream === 'stderr'
      ? `UserWarning: feature 17 is constant in fold ${seq % 9}`
      : `step ${seq} loss=${(1 / (1 + seq / 40_000) + 0.02 * Math.sin(seq)).toFixed(5)} lr=1e-3 grad_norm=${(1 + Math.cos(seq / 50)).toFixed(3)}${seq % 5000 === 0 ? ' checkpoint saved' : ''}`;
  return { seq, time: startedAt - 7_200_000 + seq * 7, stream, kind: 'log', text };
}

export function seriesOf(count: number, points: number): Series[] {
  return Array.from({ length: count }, (_, k) => {
    const noise = randomOf(k + 1);
    const name =
      count > 20
        ? `layer_${String(Math.floor(k / 4)).padStart(2, '0')}/${['grad_norm', 'weight_norm', 'loss', 'sparsity'][k % 4]}`
        : ['train_loss', 'val_loss', 'val_accuracy', 'lr'][k % 4]!;
    return {
      name,
      step: Array.from({ length: points }, (_, i) => i),
      time: Array.from({ length: points }, (_, i) => startedAt - (points - i) * 500),
      value: Array.from(
        { length: points },
        (_, i) =>
          (name.includes('accuracy')
            ? 0.95 - 0.45 * Math.exp(-i / 60)
            : (1 + (k % 7)) * Math.exp(-i / (80 + k)) + 0.1) +
          (noise() - 0.5) * 0.05,
      ),
      total: points * 20,
    };
  });
}
