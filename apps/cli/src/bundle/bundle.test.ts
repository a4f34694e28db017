import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collectBundle } from './collect.ts';
import { packBundle } from './pack.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgpu-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, content = 'x'): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

const collected = (explicit = false) => collectBundle(join(folder, 'train.py'), folder, explicit);
const paths = () => collected().files.map((file) => file.path);

describe('collectBundle', () => {
  test('takes the folder in order, without version control, caches and environments', () => {
    for (const path of [
      'train.py',
      'lib/b.py',
      'lib/a.py',
      '.git/config',
      '.venv/bin/python',
      'lib/__pycache__/a.pyc',
    ]) {
      write(path);
    }
    expect(paths()).toEqual(['lib/a.py', 'lib/b.py', 'train.py']);
  });

  test('honours .gitignore and .vgpuignore, the deeper and the later winning', () => {
    for (const path of ['train.py', 'a.csv', 'keep.csv', 'sub/b.csv', 'sub/c.log', 'notes.md']) write(path);
    write('.gitignore', '*.csv\n*.log\n');
    write('.vgpuignore', '!keep.csv\nnotes.md\n');
    write('sub/.gitignore', '!b.csv\n');
    expect(paths()).toEqual([
      '.gitignore',
      '.vgpuignore',
      'keep.csv',
      'sub/.gitignore',
      'sub/b.csv',
      'train.py',
    ]);
  });

  test('follows links inside the folder and none that lead outside', () => {
    write('train.py');
    write('real.py');
    symlinkSync('real.py', join(folder, 'link.py'));
    symlinkSync('/etc/passwd', join(folder, 'outside'));
    symlinkSync('/etc', join(folder, 'folder'));
    symlinkSync('nowhere', join(folder, 'broken'));
    expect(paths()).toEqual(['link.py', 'real.py', 'train.py']);
  });

  test('refuses a folder that is too large, and names the largest file', () => {
    write('train.py');
    writeFileSync(join(folder, 'model.bin'), Buffer.alloc(257 * 2 ** 20));
    expect(() => collected()).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE', hint: expect.stringContaining('model.bin') }),
    );
  });

  test('takes only the script from a folder that cannot be meant', () => {
    const script = join(tmpdir(), `vgpu-lone-${process.pid}.py`);
    writeFileSync(script, 'print()');
    try {
      const lone = collectBundle(script, tmpdir(), false);
      expect(lone.scriptOnly).toBe(true);
      expect(lone.files).toHaveLength(1);
    } finally {
      rmSync(script);
    }
  });
});

describe('packBundle', () => {
  test('depends on contents and the executable bit, not on times', async () => {
    write('train.py', 'a');
    const first = await packBundle(collected());
    utimesSync(join(folder, 'train.py'), 1, 1);
    expect((await packBundle(collected())).hash).toBe(first.hash);
    chmodSync(join(folder, 'train.py'), 0o755);
    const executable = await packBundle(collected());
    expect(executable.hash).not.toBe(first.hash);
    write('train.py', 'b');
    expect((await packBundle(collected())).hash).not.toBe(executable.hash);
  });

  test('two folders of equal contents, written in any order, have one hash', async () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.string(), { minKeys: 1, maxKeys: 6 }), async (contents) => {
        const hashes = [];
        for (const order of [Object.entries(contents), Object.entries(contents).reverse()]) {
          rmSync(folder, { recursive: true, force: true });
          for (const [path, content] of [...order, ['train.py', '']]) write(path!, content);
          hashes.push((await packBundle(collected())).hash);
        }
        expect(hashes[0]).toBe(hashes[1]);
      }),
      { numRuns: 20 },
    );
  });
});
