/** Control characters of C0 and C1, and the marks that change the direction of text or cannot be seen. */
const hostile = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Text that is safe on a terminal: nothing in it moves the cursor, changes colours or reorders what is read.
 * @param keepNewlines leaves line feeds and tabs.
 */
export function plain(text: string, keepNewlines = false): string {
  return text.replace(hostile, (character) => {
    if (keepNewlines && (character === '\n' || character === '\t')) return character;
    return character === '\t' ? ' ' : '';
  });
}
