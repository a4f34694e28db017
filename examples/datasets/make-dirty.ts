/**
 * Makes the dirty example datasets from the clean ones: `node examples/datasets/make-dirty.ts`.
 * Deterministic: the same inputs give the same bytes, and a test checks that the files here are those.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A small linear congruential generator (Numerical Recipes' constants), so that dirt falls in the same places. */
function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Splits plain CSV; quoted fields may hold commas. */
function rowsOf(name: string): string[][] {
  const text = readFileSync(here(name), 'utf8').trimEnd();
  return text.split(/\r?\n/).map((line) => {
    const fields: string[] = [];
    for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
      fields.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'));
    return fields;
  });
}

/**
 * wine.csv as a cellar's office might export it: semicolons, decimal commas, points in thousands,
 * windows-1252 with umlauts, units in cells, a preamble, a totals line and a note below, missing cells
 * in several spellings, outliers, a row cut short.
 */
export function dirtyWine(): Buffer {
  const roll = dice(7);
  const [header, ...rows] = rowsOf('wine.csv');
  const names = ['Alkohol (%)', 'Äpfelsäure [g/l]', 'Asche', 'Alkalität', 'Magnesium', 'Phenole', 'Flavanoide', 'Übrige Phenole', 'Proanthocyane', 'Farbintensität', 'Farbton', 'OD280/OD315', 'Prolin', 'Rebsorte'];
  const missing = ['', 'k.A.', 'NA', '-'];
  const lines = rows.map((row, i) => {
    const cells = row.map((cell, column) => {
      if (column === header!.length - 1) return cell.replace('class_', 'Sorte ');
      if (roll(100) < 4) return missing[roll(missing.length)]!;
      const value = roll(400) === 0 ? Number(cell) * 100 : Number(cell);
      if (column === 4) return `${value} mg`;
      if (column === 12) return value.toLocaleString('de-DE', { useGrouping: 'always' });
      return String(value).replace('.', ',');
    });
    return (i === 60 ? cells.slice(0, 12) : cells).join(';');
  });
  const text = ['Kellerei-Auswertung', 'Stand: 2024-03-01; geprüft', '', names.join(';'), ...lines, '', 'Quelle: Labor der Kellerei', ''].join('\r\n');
  return Buffer.from(text, 'latin1');
}

/**
 * diabetes.csv after it went through several hands: tabs, a byte order mark, some lines with trailing
 * tabs, the header again in the middle (two files joined), a percent sign, thousands with blanks, typing
 * errors, sentinels spelled out, impossible values, and rows without the target.
 */
export function dirtyDiabetes(): Buffer {
  const roll = dice(11);
  const [, ...rows] = rowsOf('diabetes.csv');
  const header = ['age (years)', 'sex', 'bmi [kg/m²]', 'blood pressure (mmHg)', 's1', 's2', 's3', 's4', 's5', 's6', 'progression'];
  const typing = ['see notes', '??', 'n/a'];
  const lines: string[] = [];
  rows.forEach((row, i) => {
    const cells = row.map((cell, column) => {
      if (column === 10) return roll(60) === 0 ? '' : cell;
      if (column === 1) return ['male', 'female'][Number(cell) - 1]!;
      const dirt = roll(200);
      if (dirt < 5) return 'NA';
      if (dirt === 5) return typing[roll(typing.length)]!;
      if (dirt === 6 && column === 2) return '999';
      if (column === 0) return ` ${Number(cell)} `;
      return cell;
    });
    const line = cells.join('\t');
    lines.push(roll(25) === 0 ? `${line}\t\t` : line);
    if (i === 220) lines.push(header.join('\t'));
    if (roll(90) === 0) lines.push('');
  });
  return Buffer.from(`\ufeff${[header.join('\t'), ...lines].join('\n')}\n`);
}

/**
 * penguins-raw.csv as field notes: UTF-16, pipes, day-first dates, units inside the cells and mixed
 * between rows (grams and kilograms), yes and no in several spellings, a second table below.
 */
export function dirtyPenguins(): Buffer {
  const roll = dice(23);
  const [header, ...rows] = rowsOf('penguins-raw.csv');
  const at = (name: string): number => header!.indexOf(name);
  const wanted = ['Individual ID', 'Island', 'Date Egg', 'Clutch Completion', 'Culmen Length (mm)', 'Culmen Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)', 'Sex', 'Species'];
  const names = ['Bird', 'Island', 'Egg seen', 'Clutch complete', 'Culmen length', 'Culmen depth', 'Flipper', 'Body mass', 'Sex', 'Species'];
  const lines = rows.map((row) =>
    wanted
      .map((name) => {
        const cell = row[at(name)]!;
        if (cell === 'NA') return ['', 'NA', '?'][roll(3)]!;
        if (name === 'Date Egg') return cell.split('-').reverse().join('/');
        if (name === 'Clutch Completion') return cell === 'Yes' ? ['yes', 'Yes', 'YES'][roll(3)]! : 'no';
        if (name === 'Body Mass (g)') return roll(6) === 0 ? `${Number(cell) / 1000} kg` : `${cell} g`;
        if (name.endsWith('(mm)')) return roll(8) === 0 ? `${(Number(cell) / 10).toFixed(2)} cm` : `${cell} mm`;
        return cell;
      })
      .join('|'),
  );
  const islands = ['Island|Nests', 'Biscoe|168', 'Dream|124', 'Torgersen|52'];
  return Buffer.from(`\ufeff${[names.join('|'), ...lines, '', ...islands].join('\n')}\n`, 'utf16le');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(here('wine-cellar-dirty.csv'), dirtyWine());
  writeFileSync(here('diabetes-dirty.tsv'), dirtyDiabetes());
  writeFileSync(here('penguins-field-notes-dirty.txt'), dirtyPenguins());
}
