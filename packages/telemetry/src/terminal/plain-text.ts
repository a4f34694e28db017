import { SPECIAL } from './escapes.ts';

/** `text` without control characters (newlines and tabs stay if `multiline`), cut at `max` characters. */
export function plainText(text: string, max: number, multiline = false): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return cut.replace(SPECIAL, (character) => (multiline && character === '\n' ? '\n' : ''));
}
