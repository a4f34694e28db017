import type { WorkerExit } from '../types.ts';
import type { SupervisorExit } from './control-channel.ts';

/** All that is known about a worker's end. */
export interface ExitEvidence {
  /** What the supervisor said, if it could. */
  supervisor?: SupervisorExit;
  /** What the engine says, if it was asked; `gone` when it knows no such container. */
  engine?: { exitCode: number; oomKilled: boolean; error: string } | 'gone';
  /** The host's own clock struck. */
  hostTimedOut: boolean;
  /** The watched output folder outgrew its bounds. */
  outputExceeded?: string;
  stopRequested: boolean;
  askedAt: number;
  startedAt?: number;
  endedAt: number;
  timeLimitMs?: number;
  memoryBytes: number;
}

const SIGNALS: Record<number, string> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
  152: 'SIGXCPU',
  159: 'SIGSYS',
};

/** Decides why a worker ended; the most specific evidence wins. Pure. */
export function decideExit(e: ExitEvidence): WorkerExit {
  const engine = e.engine === 'gone' ? undefined : e.engine;
  const s = e.supervisor;
  // Without a word from the supervisor nothing ended well, whatever an engine says of a container that it removes.
  const exitCode = s?.code ?? (engine?.exitCode || 255);
  const signal = s?.signal ?? (s ? undefined : SIGNALS[exitCode]);
  const startedAt = s?.startedAt ?? e.startedAt;
  const endedAt = s?.endedAt ?? e.endedAt;
  const timings = {
    start: Math.max(0, (startedAt ?? endedAt) - e.askedAt),
    run: startedAt ? Math.max(0, endedAt - startedAt) : 0,
  };
  const oomKilled =
    exitCode !== 0 && (s?.oom === true || (s?.oomKills ?? 0) > 0 || engine?.oomKilled === true);
  const rest = {
    exitCode,
    oomKilled,
    timings,
    ...(signal ? { signal } : {}),
    ...(s?.exception ? { exception: s.exception } : {}),
  };

  if (e.outputExceeded)
    return {
      ...rest,
      reason: 'output-limit',
      message: `The task wrote more output than allowed: ${e.outputExceeded}.`,
    };
  if (s?.timedOut || e.hostTimedOut) {
    return {
      ...rest,
      reason: 'timeout',
      message: `The task ran longer than its limit of ${(e.timeLimitMs ?? 0) / 1000} s.`,
    };
  }
  if (e.stopRequested || s?.stopped) return { ...rest, reason: 'stopped', message: 'The task was stopped.' };
  if (s && exitCode === 0) return { ...rest, reason: 'completed', message: 'The task completed.' };
  if (oomKilled) {
    return {
      ...rest,
      reason: 'oom',
      message: `The task needed more memory than its limit of ${Math.round(e.memoryBytes / 1048576)} MiB and was killed.`,
    };
  }
  if (e.engine === 'gone')
    return { ...rest, reason: 'lost', message: 'The worker vanished from the engine.' };
  if (!s) {
    const detail = engine?.error ? `: ${engine.error}` : '';
    return {
      ...rest,
      reason: 'lost',
      message: `The worker ended without a word (exit code ${exitCode})${detail}.`,
    };
  }
  if (s.exception)
    return {
      ...rest,
      reason: 'failed',
      message: `${s.exception.type}: ${s.exception.message}`.slice(0, 500),
    };
  if (signal) return { ...rest, reason: 'signal', message: `The program was ended by ${signal}.` };
  return { ...rest, reason: 'failed', message: `The program ended with exit code ${exitCode}.` };
}
