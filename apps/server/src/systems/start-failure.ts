import { type ErrorCode, VgpuError } from '@vgpu/core';
import { DriverError, type WorkerExit } from '@vgpu/drivers';
import { type Reason, reasonOf } from './outcome.ts';

/** The error of a driver in the words of the catalogue. */
export function errorOfDriver(error: unknown): VgpuError {
  if (error instanceof VgpuError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  if (!(error instanceof DriverError))
    return new VgpuError('INTERNAL', { problem, request: '-' }, { cause: error });
  const options = { cause: error };
  switch (error.code) {
    case 'ENGINE_UNREACHABLE':
      return new VgpuError('ENGINE_UNREACHABLE', { problem }, options);
    case 'IMAGE_NOT_FOUND':
      return new VgpuError('IMAGE_MISSING', { image: /"([^"]+)"/.exec(problem)?.[1] ?? problem }, options);
    case 'WORKER_NOT_FOUND':
      return new VgpuError('NOT_FOUND', { what: 'worker', id: problem, list: 'top' }, options);
    case 'UNSUPPORTED':
      return new VgpuError('UNSUPPORTED', { what: 'this', problem }, options);
    case 'BUILD_FAILED':
    case 'DOWNLOAD_FAILED':
      return new VgpuError('IMAGE_BUILD_FAILED', { image: '', step: 'build', problem }, options);
    case 'ENGINE_REFUSED':
    case 'ENGINE_FAILED':
    case 'NAME_CONFLICT':
    case 'PORT_REFUSED':
    case 'WORKER_START_FAILED':
    case 'BAD_LAUNCH':
    case 'ABORTED':
      return new VgpuError('ENGINE_FAILED', { problem }, options);
  }
}

/** A worker that did not start, as an exit. An engine that is away counts as a loss that nobody pays for. */
export function exitOfStartFailure(error: unknown): WorkerExit {
  const message = error instanceof Error ? error.message : String(error);
  const base = { exitCode: -1, oomKilled: false, timings: { start: 0, run: 0 }, message };
  const code = error instanceof DriverError ? error.code : undefined;
  if (code === 'ENGINE_UNREACHABLE') return { ...base, reason: 'lost' };
  if (code === 'ABORTED') return { ...base, reason: 'stopped' };
  return { ...base, reason: 'failed' };
}

/** What people can mend by themselves, and is told as it is. */
const OWN_WORDS: readonly ErrorCode[] = [
  'IMAGE_MISSING',
  'UNSUPPORTED',
  'SECRET_MISSING',
  'SECRET_UNREADABLE',
];

/** Why it did not start, as the task's reason. */
export function reasonOfStartFailure(error: unknown): Reason {
  const known = errorOfDriver(error);
  if (OWN_WORDS.includes(known.code)) {
    return { code: known.code, message: known.message, hint: known.hint };
  }
  return reasonOf('START_FAILED', { problem: known.message });
}
