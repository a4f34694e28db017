import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkHere } from './check-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'vgpu-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ['train.py', 'train.sh', 'train.ipynb', 'run.sh', 'a.csv'])
  writeFileSync(join(folder, name), '');
chmodSync(join(folder, 'run.sh'), 0o755);
mkdirSync(join(folder, 'scripts.py'));

describe('a submission is checked before a server is asked', () => {
  it.each(['train.py', 'run.sh', join(folder, 'train.py')])('%s may run', (script) => {
    expect(checkHere({ script, data: [{ path: 'a.csv' }] }, folder).script).toBe(script);
  });

  it('a path that may be the name of a dataset is left to the server', () => {
    expect(() => checkHere({ script: 'train.py', data: [{ path: 'iris' }] }, folder)).not.toThrow();
  });

  it.each([
    [{ script: 'none.py' }, 'FILE_NOT_FOUND', 'none.py'],
    [{ script: 'scripts.py' }, 'BAD_SCRIPT', 'not a regular file'],
    [{ script: 'train.sh' }, 'BAD_SCRIPT', 'chmod +x train.sh'],
    [{ script: 'train.ipynb' }, 'BAD_SCRIPT', 'nbconvert --to script train.ipynb'],
    [{ script: 'train.py', data: [{ path: 'none.csv' }] }, 'FILE_NOT_FOUND', 'none.csv'],
    [{ script: 'train.py', resources: { gpu: 'abc' } }, 'BAD_SPEC', 'resources.gpu'],
  ])('refuses %j', (spec, code, text) => {
    let error: { code?: string; message?: string; hint?: string } = {};
    try {
      checkHere(spec, folder);
    } catch (thrown) {
      error = thrown as typeof error;
    }
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.hint}`).toContain(text);
  });
});
