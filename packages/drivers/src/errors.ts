/** Codes of a driver's errors; the server maps them to its catalogue. */
export type DriverErrorCode =
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_REFUSED'
  | 'ENGINE_FAILED'
  | 'IMAGE_NOT_FOUND'
  | 'WORKER_NOT_FOUND'
  | 'WORKER_START_FAILED'
  | 'NAME_CONFLICT'
  | 'PORT_REFUSED'
  | 'UNSUPPORTED'
  | 'BAD_LAUNCH'
  | 'BUILD_FAILED'
  | 'DOWNLOAD_FAILED'
  | 'ABORTED';

/** What went wrong, where, and what to do (`hint`). */
export class DriverError extends Error {
  readonly code: DriverErrorCode;
  readonly hint: string;
  /** HTTP status of the engine's answer, where there was one. */
  readonly status: number | undefined;

  constructor(
    code: DriverErrorCode,
    message: string,
    hint = '',
    options: { status?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DriverError';
    this.code = code;
    this.hint = hint;
    this.status = options.status;
  }
}
