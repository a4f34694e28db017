/** One thing that was checked: how it is, and what to do about it. */
export interface Finding {
  name: string;
  level: 'ok' | 'warn' | 'fail';
  text: string;
  /** What to do; null where all is well. */
  advice: string | null;
}

export const ok = (name: string, text: string): Finding => ({ name, level: 'ok', text, advice: null });
export const warn = (name: string, text: string, advice: string): Finding => ({
  name,
  level: 'warn',
  text,
  advice,
});
export const fail = (name: string, text: string, advice: string): Finding => ({
  name,
  level: 'fail',
  text,
  advice,
});
