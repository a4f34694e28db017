import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineAssembler } from './lines.ts';
import { MAX_LINE } from './row.ts';

const golden = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/${name}.golden.txt`, import.meta.url));

/** Plays bytes in pieces of `size`, a millisecond apart; a progress line is marked with `~`. */
function play(bytes: Buffer | string, size = 64): { lines: string[]; live: string[] } {
  const data = Buffer.from(bytes as Buffer);
  const assembler = new LineAssembler();
  const lines: string[] = [];
  const live: string[] = [];
  const take = (out: ReturnType<LineAssembler['push']>): void => {
    for (const line of out.lines) lines.push((line.kind === 'progress' ? '~' : '') + line.text);
    if (out.live !== undefined) live.push(out.live);
  };
  let time = 0;
  for (let at = 0; at < data.length; at += size)
    take(assembler.push('stdout', data.subarray(at, at + size), time++));
  take(assembler.end('stdout', time));
  return { lines, live };
}

test('plain lines, blank lines and DOS line ends come out as printed', () => {
  expect(play('a\n\nb\r\nc\r\r\nlast').lines).toEqual(['a', '', 'b', 'c', 'last']);
  expect(play('\n\n').lines).toEqual(['', '']);
});

test('a line without newline is live until it ends', () => {
  const assembler = new LineAssembler();
  expect(assembler.push('stdout', Buffer.from('Loading'), 1)).toEqual({ lines: [], live: 'Loading' });
  expect(assembler.push('stdout', Buffer.from('...'), 2).live).toBe('Loading...');
  const done = assembler.push('stdout', Buffer.from(' done\n'), 3);
  expect(done.live).toBe('');
  expect(done.lines).toEqual([{ seq: 0, time: 3, stream: 'stdout', kind: 'log', text: 'Loading... done' }]);
});

test('streams are separate screens and share one numbering', () => {
  const assembler = new LineAssembler();
  assembler.push('stdout', Buffer.from('out '), 1);
  expect(assembler.push('stderr', Buffer.from('err\n'), 2).lines).toMatchObject([{ seq: 0, text: 'err' }]);
  expect(assembler.push('stdout', Buffer.from('put\n'), 3).lines).toMatchObject([
    { seq: 1, text: 'out put' },
  ]);
});

test('tqdm: redraws collapse to one final line each, nested bars included', () => {
  for (const size of [1, 7, 64, 100_000]) {
    const { lines } = play(golden('tqdm'), size);
    expect(lines[0]).toMatch(/^~Train: 100%\|█{10}\| 5\/5 .*loss=0\.2\]$/);
    expect(lines.filter((line) => line.startsWith('~epochs: 100%'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('steps:'))).toEqual([]); // leave=False wipes them
    expect(lines).toContain('a line between bars');
    expect(lines).toHaveLength(5);
  }
});

test('tqdm: the live text shows outer and inner bar', () => {
  const { live } = play(golden('tqdm'), 16);
  expect(live.some((text) => /epochs: +\d+%.*\nsteps: /.test(text))).toBe(true);
});

test('Keras: escapes and backspaces vanish, each bar leaves its last state', () => {
  for (const size of [1, 64, 100_000]) {
    const { lines } = play(golden('keras'), size);
    expect(lines[0]).toBe('Epoch 1/3');
    expect(lines[1]).toMatch(/^~10\/10 ━{20} 1s \d+ms\/step - accuracy: 0\.5233 .* val_loss: 0\.8083$/);
    expect(lines.filter((line) => line.startsWith('~'))).toHaveLength(4);
    expect(lines.at(-1)).toMatch(/^Test loss: 0\.75/);
  }
});

test('Lightning: one line per epoch bar, the validation bars disappear', () => {
  const { lines } = play(golden('lightning'), 50);
  const bars = lines.filter((line) => line.startsWith('~'));
  expect(bars.at(-1)).toMatch(/Epoch 1: 100%.*val_loss=0\.\d+\]$/);
  expect(lines.join('\n')).not.toContain('Validation DataLoader');
});

test('Hugging Face: each dictionary is a line of its own', () => {
  const { lines } = play(golden('huggingface'), 50);
  const dictionaries = lines.map((line) => line.replace('~', '')).filter((line) => line.startsWith('{'));
  expect(dictionaries).toHaveLength(7);
  expect(dictionaries.at(-1)).toContain("'train_runtime'");
});

test('rich: two bars redrawn together, and a line printed between them', () => {
  const { lines } = play(golden('rich'), 40);
  const plain = lines.map((line) => line.replace('~', ''));
  expect(plain.filter((line) => line.startsWith('download'))).toHaveLength(1);
  expect(plain.filter((line) => line.startsWith('train'))).toHaveLength(1);
  expect(plain).toContain('a coloured line between');
  expect(plain.find((line) => line.startsWith('train'))).toContain('100%');
  expect(plain.at(-1)).toBe('done');
});

test('bars that were left behind are given out after a while without cursor-up', () => {
  const assembler = new LineAssembler();
  expect(assembler.push('stderr', Buffer.from('\r50%\r100%\n'), 1000).lines).toEqual([]);
  expect(assembler.settle('stderr', 1050).lines).toEqual([]);
  expect(assembler.settle('stderr', 1200).lines).toMatchObject([{ kind: 'progress', text: '100%' }]);
});

test('lines printed plainly and rewritten by cursor-up come out again in their new state', () => {
  expect(play('one\ntwo\n\x1b[2A\x1b[2KONE\n\x1b[2Ktwo\nend\n', 1000).lines).toEqual([
    'one',
    'two',
    '~ONE',
    '~two',
    'end',
  ]);
});

test('UTF-8 cut anywhere is joined; bad bytes become replacement characters', () => {
  expect(play('naïve ━ 🚀\n', 1).lines).toEqual(['naïve ━ 🚀']);
  expect(play(Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0x62])).lines).toEqual(['a��', 'b']);
  expect(play(Buffer.from([0xe2, 0x94])).lines).toEqual(['�']);
});

test('hostile sequences never come through', () => {
  const nasty = [
    '\x1b]0;title\x07a',
    '\x1b]52;c;ZXZpbA==\x1b\\b',
    '\x1bP+q544e\x1b\\c',
    '\x9b31md',
    '\x1b[?1049h\x1b[2J\x1b[He',
    '\x1b]8;;http://evil\x07f\x1b]8;;\x07',
    '\x1b[31;1mg\x1b[0m',
    '\u202eh\u2066',
    '\x00i\x7f\x1b(0j',
  ];
  expect(play(nasty.join('\n')).lines).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'ij']);
});

test('an unterminated string sequence does not hide the rest', () => {
  const { lines } = play(`\x1b]0;${'x'.repeat(5000)}\nvisible\n`);
  expect(lines.at(-1)).toBe('visible');
});

test('an endless line is cut with a count, in bounded memory', () => {
  const assembler = new LineAssembler();
  const chunk = Buffer.alloc(65_536, 'x');
  for (let i = 0; i < 320; i += 1) assembler.push('stdout', chunk, i); // 20 MiB without newline
  const { lines } = assembler.push('stdout', Buffer.from('\nnext\n'), 999);
  expect(lines.map((line) => line.text)).toEqual([
    `${'x'.repeat(MAX_LINE)}… [${320 * 65_536 - MAX_LINE} more characters cut]`,
    'next',
  ]);
});

test('cursor movement cannot blow a line up', () => {
  const { lines } = play('\x1b[9999C!\n\x1b[9999Gx\n\x1b[9999B\x1b[9999A.\n');
  for (const line of lines) expect(line.length).toBeLessThan(600);
});

const piece = fc.oneof(
  fc.constantFrom(
    '\r',
    '\n',
    '\b',
    '\x1b[A',
    '\x1b[2K',
    '\x1b[K',
    '\x1b[J',
    '\x1b[3B',
    '\x1b[5D',
    '\x1b[G',
    '\x1b[',
    '\x1b]',
    '\x07',
    '\x9b',
    '\x1b[31m',
    '\x1b[2P',
    '\x1bM',
  ),
  fc.string({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 8 }),
);

test('any bytes give plain text only, numbered without gaps, and the cut of chunks does not matter', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
      const bytes = Buffer.concat(pieces.map((part) => Buffer.from(part as string)));
      const cut = (step: number) => {
        const assembler = new LineAssembler();
        const lines = [];
        for (let at = 0; at < bytes.length; at += step)
          lines.push(...assembler.push('stdout', bytes.subarray(at, at + step), 5).lines);
        return [...lines, ...assembler.end('stdout', 5).lines];
      };
      const lines = cut(1 << 20);
      lines.forEach((line, i) => {
        expect(line.seq).toBe(i);
        expect(line.text).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
      });
      expect(cut(size)).toEqual(lines);
    }),
    { numRuns: 1000 },
  );
});
