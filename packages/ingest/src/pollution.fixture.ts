/**
 * Polluted variants of one table, in the spirit of the Pollock benchmark (Vitagliano et al., "Pollock: A
 * Data Loading Benchmark", VLDB 2023): each file breaks RFC 4180 in one way, and what a reader should
 * see in it is known. Table, generator and list are our own.
 */
export interface Polluted {
  name: string;
  bytes: Buffer;
  /** Names of the columns; empty where the file has none. Header rows are joined by a blank. */
  header: string[];
  records: string[][];
}

interface Writing {
  delimiter: string;
  quote: string;
  escape: string;
  newline: string;
}

const plain: Writing = { delimiter: ',', quote: '"', escape: '"', newline: '\r\n' };
const columns = ['DATE', 'TIME', 'Quantity', 'ItemNo', 'Price', 'Kind', 'Description', 'Link', 'Remarks'];
const kinds = ['tool', 'toy', 'book', 'garden'];
const remarks = ['', 'fragile, keep upright', 'returned', 'second "B" choice', '', 'see note; urgent'];

const table: string[][] = Array.from({ length: 84 }, (_, i) => [
  `${String((i % 28) + 1).padStart(2, '0')}/${String((i % 12) + 1).padStart(2, '0')}/2023`,
  `${String(8 + (i % 10)).padStart(2, '0')}:${String((i * 7) % 60).padStart(2, '0')}`,
  String(1 + ((i * 13) % 40)),
  `A${1000 + i * 3}`,
  (((i * 37) % 500) + 0.95).toFixed(2),
  kinds[i % kinds.length]!,
  `Item ${i} with ${kinds[(i * 3) % kinds.length]} parts`,
  `https://shop.example/item/${1000 + i * 3}?ref=${i % 7}`,
  remarks[i % remarks.length]!,
]);

function cell(text: string, how: Writing): string {
  const { delimiter, quote } = how;
  const must =
    text.includes(delimiter) ||
    text.includes(quote) ||
    /[\r\n]/.test(text) ||
    (delimiter === ' ' && text.includes(' '));
  return must ? quote + text.replaceAll(quote, how.escape + quote) + quote : text;
}

const line = (row: readonly string[], how: Writing): string =>
  row.map((text) => cell(text, how)).join(how.delimiter);
const text = (rows: readonly (readonly string[])[], how: Writing = plain): string =>
  rows.map((row) => line(row, how) + how.newline).join('');

/** Every variant; row-level pollutions at several rows and columns. */
export function pollutedFiles(): Polluted[] {
  const files: Polluted[] = [];
  const add = (
    name: string,
    content: string | Buffer,
    records: string[][] = table,
    header = columns,
  ): void => {
    files.push({ name, bytes: Buffer.isBuffer(content) ? content : Buffer.from(content), header, records });
  };
  const all = [columns, ...table];
  const body = text(all);
  add('as the standard has it', body);
  add('no line end at the end', body.slice(0, -2));
  add('two line ends at the end', `${body}\r\n`);
  for (const [name, newline] of [
    ['LF', '\n'],
    ['CR', '\r'],
  ] as const)
    add(`lines end in ${name}`, text(all, { ...plain, newline }));
  for (const delimiter of [';', '\t', '|', ' ', ', '])
    add(`delimiter ${JSON.stringify(delimiter)}`, text(all, { ...plain, delimiter }));
  add('single quotes', text(all, { ...plain, quote: "'", escape: "'" }));
  add('backslash escapes', text(all, { ...plain, escape: '\\' }));
  add(
    'everything quoted',
    all.map((row) => `${row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')}\r\n`).join(''),
  );
  add('no header', text(table), table, []);
  add('one row', text(all.slice(0, 2)), table.slice(0, 1));
  add(
    'header of two rows',
    text([columns, columns.map((name) => `sub ${name}`), ...table]),
    table,
    columns.map((name) => `${name} sub ${name}`),
  );
  add('preamble', `Orders of the year\r\nprinted for the auditors\r\n\r\n${body}`);
  add('preamble with delimiters', `Orders,,,,,,,,\r\nprinted,2023,,,,,,,\r\n${body}`);
  add('footer', `${body}\r\nprinted for the auditors\r\n`);
  const second = [
    ['Town', 'People'],
    ['Ulm', '126000'],
    ['Jena', '111000'],
    ['Trier', '110000'],
  ];
  add('another table after it', `${body}\r\n${text(second)}`);
  add('another table before it', `${text(second)}\r\n${body}`);
  add('a byte order mark', `\ufeff${body}`);
  add('UTF-16', Buffer.from(`\ufeff${body}`, 'utf16le'));
  const umlauts = table.map((row) => row.with(5, `Gerät für ${row[5]}`));
  add('windows-1252', Buffer.from(text([columns, ...umlauts]), 'latin1'), umlauts);
  for (const at of [0, 11, 40, 83]) {
    const other = (row: string, records: string[][], name: string) => {
      const lines = all.map((one) => line(one, plain));
      lines[at + 1] = row;
      add(`${name} in row ${at + 1}`, `${lines.join('\r\n')}\r\n`, records);
    };
    const own = table[at]!;
    const replaced = (cells: string[]) => table.with(at, cells);
    for (const column of [0, 4, 7]) {
      const merged = [...own.slice(0, column), own[column]! + own[column + 1]!, ...own.slice(column + 2)];
      const parts = own.map((one) => cell(one, plain));
      other(
        [...parts.slice(0, column), parts[column]! + parts[column + 1]!, ...parts.slice(column + 2)].join(
          ',',
        ),
        replaced(merged),
        `a delimiter is missing after column ${column + 1}`,
      );
      const wider = own.toSpliced(column + 1, 0, '');
      other(line(wider, plain), replaced(wider), `a surplus delimiter after column ${column + 1}`);
      const stray = own.with(column, `"${own[column]}`);
      other(
        stray.map((one, i) => (i === column ? one : cell(one, plain))).join(','),
        replaced(stray),
        `a stray quote in column ${column + 1}`,
      );
    }
    const inside = own.with(6, `${own[6]!.slice(0, 4)}"${own[6]!.slice(4)}`);
    other(
      inside.map((one, i) => (i === 6 ? one : cell(one, plain))).join(','),
      replaced(inside),
      'a quote inside a bare cell',
    );
  }
  return files;
}

export interface Loaded {
  header: string[];
  records: string[][];
}

const scored = [
  'success',
  'header precision',
  'header recall',
  'header F1',
  'record precision',
  'record recall',
  'record F1',
  'cell precision',
  'cell recall',
  'cell F1',
] as const;
export type Scores = Record<(typeof scored)[number], number>;

function overlap(expected: readonly string[], seen: readonly string[]): [number, number, number] {
  if (expected.length === 0 && seen.length === 0) return [1, 1, 1];
  const left = new Map<string, number>();
  for (const one of expected) left.set(one, (left.get(one) ?? 0) + 1);
  let hits = 0;
  for (const one of seen) {
    const count = left.get(one) ?? 0;
    if (count > 0) {
      hits++;
      left.set(one, count - 1);
    }
  }
  const precision = seen.length === 0 ? 0 : hits / seen.length;
  const recall = expected.length === 0 ? 0 : hits / expected.length;
  return [precision, recall, hits === 0 ? 0 : (2 * precision * recall) / (precision + recall)];
}

/** Ten figures for one file: whether it loaded, and how much of header, records and cells came out right. */
export function scoreLoad(polluted: Polluted, loaded: Loaded | null): Scores {
  const values =
    loaded === null
      ? Array<number>(10).fill(0)
      : [
          1,
          ...overlap(polluted.header, loaded.header),
          ...overlap(
            polluted.records.map((row) => JSON.stringify(row)),
            loaded.records.map((row) => JSON.stringify(row)),
          ),
          ...overlap(polluted.records.flat(), loaded.records.flat()),
        ];
  return Object.fromEntries(scored.map((name, i) => [name, values[i]!])) as Scores;
}

/** The sum of the ten figures' means over all files: 10 is perfect. */
export function totalScore(all: readonly Scores[]): number {
  return scored.reduce((sum, name) => sum + all.reduce((part, one) => part + one[name], 0) / all.length, 0);
}
