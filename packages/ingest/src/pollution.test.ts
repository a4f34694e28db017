import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OpeningTable } from './open-table.ts';
import { type Loaded, pollutedFiles, type Scores, scoreLoad, totalScore } from './pollution.fixture.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';
import { sortRecord, walkRecords } from './walk-table.ts';

const { dir, file } = temporaryFolder();
let serial = 0;

/** What our readers see in a file, before cleaning judges rows by their values; ragged rows as they stand. */
async function load(bytes: Buffer): Promise<Loaded | null> {
  const work = join(dir, `work-${serial++}`);
  mkdirSync(work);
  const opened = await OpeningTable.start(file(`polluted-${serial}.csv`, bytes), {
    clean: {},
    work,
    copyTo: null,
  })
    .then((opening) => opening.opened(true))
    .catch(() => null);
  if (opened === null) return null;
  const { layout } = opened;
  const header = Array.from({ length: layout.header[0]?.length ?? 0 }, (_, i) =>
    layout.header.map((row) => row[i]).join(' '),
  );
  const records: string[][] = [];
  await walkRecords(opened.text, layout.width, (record) =>
    sortRecord(record, layout, {
      kept: () => records.push(record.fields),
      rejected: () => records.push(record.fields),
      aside() {},
      blank() {},
    }),
  );
  return { header, records };
}

it('reads polluted files with next to no loss: 9.99 of 10 or better', async () => {
  const all: { name: string; scores: Scores }[] = [];
  for (const polluted of pollutedFiles())
    all.push({ name: polluted.name, scores: scoreLoad(polluted, await load(polluted.bytes)) });
  const imperfect = all.filter(({ scores }) => Object.values(scores).some((value) => value < 1));
  const total = totalScore(all.map(({ scores }) => scores));
  const shown = imperfect.map(
    ({ name, scores }) =>
      `${name}: records ${scores['record F1'].toFixed(3)}, cells ${scores['cell F1'].toFixed(4)}, header ${scores['header F1']}`,
  );
  expect(
    total,
    `score ${total.toFixed(4)} over ${all.length} files\n${shown.join('\n')}`,
  ).toBeGreaterThanOrEqual(9.99);
});
