export interface Token {
  kind: 'name' | 'number' | 'string' | 'operator';
  text: string;
  /** Of a number or a string. */
  value?: string | number;
}

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

function plainString(body: string, raw: boolean): string {
  if (raw) return body;
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])/g, (whole, code: string) => {
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    return ESCAPES[code] ?? whole;
  });
}

// Each alternative matches at the current place or not at all, so reading takes time in proportion to the text.
const SKIP = /[\s\\]+|#[^\n]*/y;
const STRING =
  /([rRbBuUfF]{0,2})("""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')/y;
const NUMBER = /0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;

/**
 * Python's tokens, as far as calls with literals need them: names, numbers, strings, single-character operators.
 * It never fails: what it does not know is an operator.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const match = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  let at = 0;
  while (at < source.length) {
    const skipped = match(SKIP, at);
    if (skipped) {
      at += skipped[0].length;
      continue;
    }
    const text = match(STRING, at);
    if (text) {
      const quotes = /^("""|''')/.test(text[2]!) ? 3 : 1;
      const prefix = text[1]!.toLowerCase();
      const value = plainString(text[2]!.slice(quotes, -quotes), prefix.includes('r'));
      // What an f-string says is known only when it runs.
      if (prefix.includes('f')) tokens.push({ kind: 'operator', text: text[0] });
      else tokens.push({ kind: 'string', text: text[0], value });
      at += text[0].length;
      continue;
    }
    const number = match(NUMBER, at);
    if (number) {
      tokens.push({ kind: 'number', text: number[0], value: Number(number[0].replaceAll('_', '')) });
      at += number[0].length;
      continue;
    }
    const name = match(NAME, at);
    const word = name ? name[0] : source[at]!;
    tokens.push({ kind: name ? 'name' : 'operator', text: word });
    at += word.length;
  }
  return tokens;
}
