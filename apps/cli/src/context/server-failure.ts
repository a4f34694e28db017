/** The last lines of a log that say anything. */
const LINES = 15;

/**
 * What a server that ended at once said last: its own two lines (what was wrong, what to do) where it knew, else the
 * end of its log.
 * @param said what it wrote to its log.
 * @param log where that log is, for the advice.
 */
export function failureIn(said: string, log: string): { problem: string; advice: string } {
  const lines = said.trimEnd().split('\n');
  const at = lines.findLastIndex((line) => line.startsWith('vgpu: '));
  if (at >= 0) {
    return {
      problem: lines[at]!.slice('vgpu: '.length),
      advice: lines[at + 1] || `The whole log: ${log}`,
    };
  }
  const end = lines.filter((line) => line.trim() !== '').slice(-LINES);
  return {
    problem: end.length > 0 ? `the end of its log:\n${end.join('\n')}` : 'it ended without a word',
    advice: `The whole log: ${log}`,
  };
}
