import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importFile } from './import-file.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const folder = fileURLToPath(new URL('../../../examples/datasets/', import.meta.url));
const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
  file: string;
  name: string;
  target: string;
  kind: 'classification' | 'regression';
}[];
const rows: Record<string, number> = {
  iris: 150,
  wine: 178,
  'breast-cancer': 569,
  digits: 1797,
  diabetes: 442,
  linnerud: 20,
  penguins: 344,
  'wine-cellar-dirty': 177,
  'diabetes-dirty': 438,
  'penguins-field-notes': 344,
};
const { dir } = temporaryFolder();
const bring = (file: string, target: string) =>
  importFile(join(folder, file), { outDir: join(dir, 'out'), target });

describe('example datasets', () => {
  it.each(index)(
    '$name imports whole, with a target that suits its task',
    async ({ file, name, target, kind }) => {
      const version = await bring(file, target);
      expect(version.rows).toBe(rows[name]);
      const column = version.columns.find((one) => one.target)!;
      expect(column.missing).toBe(0);
      if (kind === 'regression') expect(column.type).toMatch(/integer|number/);
      else expect(column.before.distinct).toBeLessThanOrEqual(10);
      for (const one of version.columns)
        if (one.type === 'number' || one.type === 'integer')
          expect(one.after?.count, one.name).toBe(version.rows);
    },
  );

  it('gets the same numbers back out of the dirty files', async () => {
    const figures = async (file: string, target: string, column: string) =>
      (await bring(file, target)).columns.find((one) => one.name === column)!;
    const mass = await figures('penguins-field-notes-dirty.txt', 'Species', 'Body mass');
    const clean = await figures('penguins-raw.csv', 'Species', 'Body Mass (g)');
    expect(mass.unit).toBe('g');
    expect(mass.before.numeric).toMatchObject({
      min: clean.before.numeric!.min,
      median: clean.before.numeric!.median,
      max: clean.before.numeric!.max,
    });
    const proline = await figures('wine-cellar-dirty.csv', 'Rebsorte', 'Prolin');
    expect(proline.type).toBe('integer');
    expect(proline.before.numeric?.min).toBe(278);
  });

  it('are made by the script that lies beside them', async () => {
    const made = (await import(join(folder, 'make-dirty.ts'))) as Record<string, () => Buffer>;
    const same = (file: string, bytes: Buffer) =>
      expect(readFileSync(join(folder, file)).equals(bytes), file).toBe(true);
    same('wine-cellar-dirty.csv', made.dirtyWine!());
    same('diabetes-dirty.tsv', made.dirtyDiabetes!());
    same('penguins-field-notes-dirty.txt', made.dirtyPenguins!());
  });
});
