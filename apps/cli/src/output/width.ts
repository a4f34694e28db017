import { eastAsianWidth } from 'get-east-asian-width';

/** Marks that combine with the character before them, and characters that are not seen. */
const invisible = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}]$/u;
const ascii = /^[\x20-\x7e]*$/;

/** Columns that a code point takes on a terminal (Unicode Standard Annex 11; ambiguous ones are narrow). */
function pointWidth(character: string): number {
  return invisible.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!);
}

/** Columns that a text without escape sequences takes on a terminal. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += pointWidth(character);
  return width;
}
