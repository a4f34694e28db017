import { readFileSync } from 'node:fs';

/** Ids of slices that `vgpu exec` made: they name the process that holds them. */
const EXEC_ID = /^exec\.(\d+)\.(\d+)$/;

/** Start time of a process in clock ticks since boot: with the PID it names a process for good. */
export function startTicks(pid: number): string | null {
  try {
    // the command's name, in brackets, may hold spaces: count from behind it (proc(5), field 22)
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!;
  } catch {
    return null;
  }
}

export const execSliceId = (pid = process.pid): string => `exec.${pid}.${startTicks(pid)}`;

export const isExecSlice = (id: string): boolean => EXEC_ID.test(id);

/**
 * Whether a slice belongs to a `vgpu exec` that still runs, or, where that one was killed, to a program of it that
 * goes on using the device.
 * @param processes programs that are attached to the slice.
 */
export function isLiveExecSlice(id: string, processes = 0): boolean {
  const match = EXEC_ID.exec(id);
  return match !== null && (processes > 0 || startTicks(Number(match[1])) === match[2]);
}
