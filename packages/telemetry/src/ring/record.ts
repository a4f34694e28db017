/** What comes out of a ring, in the order in which it was written. */
export type RingRecord =
  /** Raw bytes of a standard stream, cut anywhere. `time` is Unix milliseconds with a fraction. */
  | { type: 'stdout' | 'stderr'; time: number; data: Buffer }
  /** Newline-delimited JSON from `vgpu.report` and `vgpu.log`; a line may span records. */
  | { type: 'event'; time: number; data: Buffer }
  /** One JSON object from the supervisor; see ControlMessage. */
  | { type: 'control'; time: number; data: Buffer }
  /** Here the reader lagged: so much is missing between the previous record and the next. */
  | { type: 'dropped'; time: number; records: number; bytes: number };

/** What the supervisor says about the task's main process. Anything else in a record is ignored. */
export type ControlMessage =
  | { event: 'started'; pid: number }
  | { event: 'exit'; code: number | null; signal: string | null }
  | { event: 'exception'; type: string; message: string; traceback?: string };

/** The ring's bytes make no sense: a foreign file, or a worker that wrote into it. Not recoverable. */
export class RingCorrupted extends Error {
  override readonly name = 'RingCorrupted';
  readonly path: string;
  constructor(path: string, what: string) {
    super(`telemetry ring ${path} is unusable: ${what}`);
    this.path = path;
  }
}
