import pc from 'picocolors';

/**
 * Whether to colour what goes to a stream: NO_COLOR (no-color.org) and FORCE_COLOR win, then whether it is a terminal.
 */
function wantsColour(stream: NodeJS.WriteStream): boolean {
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR && process.env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

export type Style = ReturnType<typeof pc.createColors>;
export const style: Style = pc.createColors(wantsColour(process.stdout));
export const stderrStyle: Style = pc.createColors(wantsColour(process.stderr));

const byState: Record<string, (text: string) => string> = {
  COMPLETED: style.green,
  running: style.green,
  healthy: style.green,
  ok: style.green,
  FAILED: style.red,
  fail: style.red,
  unhealthy: style.red,
  CANCELLED: style.yellow,
  warn: style.yellow,
  draining: style.yellow,
  RUNNING: style.cyan,
  STARTING: style.cyan,
  SCHEDULED: style.cyan,
  QUEUED: style.dim,
};

/** A state in its colour. */
export const stateStyle = (state: string): string => (byState[state] ?? ((text: string) => text))(state);
