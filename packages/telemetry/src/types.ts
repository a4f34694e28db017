/** Where a line came from: a standard stream, or vgpu itself (gaps, what ended the task). */
export type StreamName = 'stdout' | 'stderr' | 'system';

/** One line of a task's log: plain text, without escape sequences or control characters (tabs stay). */
export type LogLine = {
  /** Position in the task's log, from 0, without gaps. */
  seq: number;
  /** Unix milliseconds. */
  time: number;
  stream: StreamName;
  /** `progress`: the final state of a line that was redrawn in place. */
  kind: 'log' | 'progress';
  text: string;
};

/** How far a piece of work is. */
export type Progress = {
  current: number;
  /** Absent where the script does not know it. */
  total?: number;
  /** 0 to 1; absent with `total`. */
  fraction?: number;
  /** Such as `it`, `step`, `batch`, `epoch`, `B`. */
  unit?: string;
  /** Units per second. */
  rate?: number;
  /** Seconds left, as printed. */
  eta?: number;
  /** What the bar calls itself. */
  label?: string;
};

/** What a parser found in one line. Metric names are canonical (see metric-names.ts). */
export type Parsed = {
  progress?: Progress;
  metrics?: Record<string, number>;
  step?: number;
  epoch?: number;
};

export type MetricSource = 'explicit' | 'parsed';

export type MetricPoint = {
  name: string;
  value: number;
  time: number;
  /** Step or epoch, whichever the script told; absent for a single value such as a final score. */
  step?: number;
  source: MetricSource;
};

/** The result of `vgpu.report`: scalar scores by canonical name, and what has more than one number. */
export type Report = {
  task: 'classification' | 'regression';
  scores: Record<string, number>;
  /** Row = true class, column = predicted class, in the order of `labels`. */
  confusion?: { labels: string[]; matrix: number[][] };
  perClass?: Record<string, { precision: number; recall: number; f1: number; support: number }>;
};

/** What ended or befell the main process. */
export type ExceptionInfo = { type: string; message: string; traceback?: string };

export type TelemetryPayload =
  /** Lines in order; batches are bounded. */
  | { type: 'lines'; lines: LogLine[] }
  /** The state of lines still being redrawn, top to bottom; empty when they are gone. */
  | { type: 'live'; stream: StreamName; text: string }
  | { type: 'progress'; progress: Progress }
  | { type: 'metrics'; points: MetricPoint[] }
  | { type: 'report'; report: Report }
  /** Output that was lost because the reader lagged. */
  | { type: 'dropped'; records: number; bytes: number }
  | { type: 'started'; pid: number }
  | { type: 'exception'; exception: ExceptionInfo }
  | { type: 'exit'; code: number | null; signal: string | null }
  /** No more comes; `error` where the telemetry itself failed (a corrupted ring). */
  | { type: 'ended'; error?: string };

/** Offsets count events of one task from 0, without gaps; a reader that comes back names the next it wants. */
export type TelemetryEvent = { offset: number; time: number } & TelemetryPayload;
