import { catalogue, type ErrorCode, type ErrorEntry } from './catalogue.ts';

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What the API sends for an error, and what a FAILED task keeps as its reason. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  hint: string;
  details?: ErrorDetails;
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = details[name];
    return value === undefined || value === null ? whole : String(value);
  });
}

/** The text of an entry of the catalogue with its details filled in. */
export function describeError(
  code: ErrorCode,
  details: ErrorDetails = {},
): { message: string; hint: string } {
  const known: ErrorEntry = catalogue[code];
  return { message: fill(known.message, details), hint: fill(known.hint, details) };
}

/** The one error class of vgpu: a code of the catalogue and the details that fill its text. */
export class VgpuError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly hint: string;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const { message, hint } = describeError(code, details);
    super(message, options);
    this.name = 'VgpuError';
    this.code = code;
    this.details = details;
    this.hint = hint;
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  get exit(): 1 | 2 | 3 {
    return catalogue[this.code].exit;
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, hint: this.hint, details: this.details };
  }

  /** Rebuilds an error that came over the API, keeping the server's words. */
  static fromBody(body: ErrorBody): VgpuError {
    const error = new VgpuError(body.code in catalogue ? body.code : 'INTERNAL', body.details);
    Object.assign(error, { message: body.message, hint: body.hint });
    return error;
  }
}
