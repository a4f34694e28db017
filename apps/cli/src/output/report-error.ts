import { VgpuError } from '@vgpu/core';
import { plain } from './plain.ts';
import { stderrStyle as style } from './style.ts';

/** What a driver throws; known by its name, so that drivers need not be loaded to report an error. */
interface DriverProblem extends Error {
  code: string;
  hint: string;
}

const isDriverProblem = (error: unknown): error is DriverProblem =>
  error instanceof Error && error.name === 'DriverError';

/** The error in the catalogue's words, whatever was thrown. */
export function asVgpuError(error: unknown): VgpuError {
  if (error instanceof VgpuError) return error;
  if (isDriverProblem(error)) {
    const code = error.code === 'ENGINE_UNREACHABLE' ? 'ENGINE_UNREACHABLE' : 'ENGINE_FAILED';
    const known = new VgpuError(code, { problem: error.message }, { cause: error });
    return error.hint ? Object.assign(known, { hint: error.hint }) : known;
  }
  const problem = error instanceof Error ? error.message : String(error);
  return new VgpuError('INTERNAL', { problem, request: '-' }, { cause: error });
}

/**
 * Writes an error to stderr: for people what was wrong and what to do, with `--json` one JSON object.
 * `VGPU_DEBUG=1` adds the stack.
 * @returns the exit code of the error.
 */
export function reportError(thrown: unknown, json: boolean): number {
  const error = asVgpuError(thrown);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: error.toBody() })}\n`);
  } else {
    process.stderr.write(`${style.red('error')} ${plain(error.message, true)}\n`);
    if (error.hint && !/^\{\w+\}$/.test(error.hint)) {
      process.stderr.write(`${style.dim('      ')}${plain(error.hint, true)}\n`);
    }
  }
  if (process.env.VGPU_DEBUG) {
    console.error(thrown instanceof Error ? thrown.stack : thrown);
    if (thrown instanceof Error && thrown.cause) console.error(thrown.cause);
  }
  return error.exit;
}
