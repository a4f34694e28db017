import { describe, expect, it } from 'vitest';
import { Throughput } from './throughput.ts';

describe('Throughput', () => {
  const seen = [
    { kind: 'resnet', model: 'A100', rate: 40 },
    { kind: 'resnet', model: 'T4', rate: 10 },
    { kind: 'bert', model: 'A100', rate: 9 },
    { kind: 'bert', model: 'T4', rate: 1 },
    { kind: 'trees', model: 'T4', rate: 5 },
  ];

  it('keeps what was seen apart by kind of work', () => {
    const t = new Throughput(seen);
    const ratio = (kind: string) => t.expected(kind, ['A100', 'T4'])!.A100!;
    expect(ratio('bert')).toBeGreaterThan(ratio('resnet'));
    expect(t.expected('resnet', ['A100', 'T4'])!.T4).toBe(1);
  });

  it('guesses for pairs that were never seen from what others did', () => {
    const guess = new Throughput(seen).expected('trees', ['A100', 'T4'])!;
    expect(guess.A100).toBeGreaterThan(2);
    expect(guess.A100).toBeLessThan(9);
  });

  it('believes repeated observations more than the general picture', () => {
    const odd = Array.from({ length: 20 }, () => [
      { kind: 'odd', model: 'A100', rate: 1 },
      { kind: 'odd', model: 'T4', rate: 2 },
    ]).flat();
    const rates = new Throughput([...seen, ...odd]).expected('odd', ['A100', 'T4'])!;
    expect(rates.T4).toBeGreaterThan(1.5);
    expect(rates.A100).toBe(1);
  });

  it('says nothing where nothing tells models apart', () => {
    const t = new Throughput([{ kind: 'x', model: 'A100', rate: 0 }, ...seen.slice(4)]);
    expect(t.expected('trees', ['A100', 'T4'])).toBeUndefined();
  });
});
