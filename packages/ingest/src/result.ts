/** What detection found out about the shape of a file. */
export interface Dialect {
  /** Field delimiter, one or more characters; '' when the file has one column. */
  delimiter: string;
  /** True when runs of the delimiter count as one (columns aligned with blanks). */
  collapse: boolean;
  /** Quote character, '' when nothing is quoted. */
  quote: string;
  /** How a quote is written inside quotes: the quote itself (doubled) or a backslash. */
  escape: string;
  /** WHATWG-style name: utf-8, utf-16le, utf-16be, windows-1252, … */
  encoding: string;
  /** A byte order mark stood at the start. */
  bom: boolean;
  newline: 'lf' | 'crlf' | 'cr' | 'mixed';
  /** Number of header rows: 0, 1 or 2. */
  header: number;
  /** Lines before the header that are not part of the table. */
  preamble: number;
  /** Records after the table that are not part of it (totals, notes). */
  footer: number;
  /** Decimal mark of most numbers. */
  decimal: '.' | ',';
  /** Thousands separator of most grouped numbers; '' when none is grouped. */
  thousands: string;
}

export type ColumnType = 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'text';

export interface HistogramBin {
  from: number;
  to: number;
  count: number;
}

/** Figures of a column of numbers after cleaning. */
export interface NumericOutcome {
  min: number;
  max: number;
  mean: number;
  std: number;
  /** Twenty bins of equal width from min to max. */
  histogram: HistogramBin[];
}

export interface NumericSummary extends NumericOutcome {
  p01: number;
  p25: number;
  median: number;
  p75: number;
  p99: number;
}

export interface ColumnStats {
  /** Values that are not missing. */
  count: number;
  /** Distinct values; an estimate (HyperLogLog) where `distinctExact` is false. */
  distinct: number;
  distinctExact: boolean;
  numeric?: NumericSummary;
  /** The ten most frequent values; absent for numbers and for columns of mostly distinct texts. */
  top?: { value: string; count: number }[];
  /** Smallest and largest, for dates. */
  min?: string;
  max?: string;
}

/** The same after cleaning, without quantiles and frequent values. */
export interface ColumnOutcome {
  count: number;
  numeric?: NumericOutcome;
}

/** What cleaning does (check) or did (import) to one column. */
export interface ColumnPlan {
  /** How missing values are filled: `none` leaves them missing. */
  impute: 'median' | 'mean' | 'mode' | 'constant' | 'none';
  /** The value that fills them; null when nothing is filled. */
  fill: string | number | boolean | null;
  /** Bounds that outliers are clipped to; null when the column is not clipped. */
  clip: { min: number | null; max: number | null } | null;
  /** Name of the added 0/1 column, when one was asked for and something was imputed. */
  indicator: string | null;
  /** In words: how the written cells are read (decimal comma, day first, unit removed, …). */
  reading: string[];
}

export interface ColumnReport {
  name: string;
  /** The header as the file has it, where the name had to change (empty or duplicate). */
  original: string | null;
  type: ColumnType;
  /** Text kept as written because it is an identifier (leading zeros, beyond exact numbers). */
  identifier: boolean;
  target: boolean;
  /** kg, cm, %, EUR, …; null when neither header nor cells name one. */
  unit: string | null;
  /** Missing cells among the kept rows before imputation (unreadable cells included). */
  missing: number;
  /** Cells that the column's type could not read and that became missing. */
  unreadable: number;
  imputed: number;
  clipped: number;
  /** Values further than 3 interquartile ranges outside the quartiles; shown, not changed. */
  outliers: number;
  plan: ColumnPlan;
  before: ColumnStats;
  /** Figures after cleaning; in a dry run these are absent. */
  after?: ColumnOutcome;
}

/** One kind of change, counted over the whole file, with its first examples. */
export interface Change {
  kind: string;
  column?: string;
  count: number;
  /** `row` is the record's number among the data rows, from 1; absent where no row applies. */
  examples: { row?: number; before: string; after: string }[];
}

export interface Rejection {
  reason: string;
  count: number;
  /** First rejected records: line in the file (from 1) and text. */
  examples: { line: number; text: string }[];
}

/** One table found in the file. */
export interface TableFound {
  /** First and last line, from 1. */
  firstLine: number;
  lastLine: number;
  columns: number;
  records: number;
  chosen: boolean;
}

/** The cleaning report; the same input, options and cleaner give the same bytes. */
export interface Report {
  schema: 1;
  cleaner: string;
  source: { bytes: number; sha256: string | null };
  dialect: Dialect;
  tables: TableFound[];
  /** Rows that are in the clean data. */
  rows: number;
  /** Records kept beside it, each with its reason. */
  rejected: number;
  rejections: Rejection[];
  columns: ColumnReport[];
  changes: Change[];
  /** Sentences for a person: what was doubtful and how it was decided. */
  warnings: string[];
  /** Which reader produced the rows: DuckDB on the file itself, or the tolerant reader first. */
  reader: 'direct' | 'tolerant';
}

/** What `check` returns: the report of a dry run. */
export type CheckResult = Report;

export interface VersionFiles {
  csv: string;
  parquet: string;
  report: string;
  /** The rejected records as they stood in the file, with line and reason; always there. */
  rejected: string;
  /** Cells whose text could not be kept as a value: row, column, text, reason; always there. */
  cells: string;
  /** The untouched original, unless `keepOriginal` was false. */
  original: string | null;
}

/** An immutable version: its folder is named by `hash`. */
export interface VersionResult {
  hash: string;
  /** Absolute path of the version's folder. */
  dir: string;
  name: string;
  target: string | null;
  rows: number;
  rejected: number;
  columns: ColumnReport[];
  /** Absolute paths. */
  files: VersionFiles;
  /** Bytes of the original. */
  bytes: number;
  report: Report;
  /** True when this version was there already and nothing was written. */
  existed: boolean;
}

export interface Progress {
  stage: 'scan' | 'read' | 'measure' | 'write';
  /** Fraction of the stage that is done, 0 to 1. */
  done: number;
}

export type OnProgress = (progress: Progress) => void;
