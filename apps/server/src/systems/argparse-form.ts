import { type Token, tokenize } from './python-tokens.ts';

export interface FormField {
  name: string;
  flag: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'choice';
  default: string | number | boolean | null;
  choices: string[] | null;
  help: string | null;
  required: boolean;
}

type Literal = string | number | boolean | null;

/** Arguments of one call: positional literals, and keywords with their tokens. */
interface CallArguments {
  positional: Literal[];
  keywords: Map<string, Token[]>;
}

/**
 * The options that a script's argparse declares, read from its text without running it: every
 * `….add_argument(…)` whose names are literals. What is computed at run time shows as an unknown default.
 */
export function argparseForm(source: string): FormField[] {
  const tokens = tokenize(source);
  const fields: FormField[] = [];
  for (let i = 0; i + 2 < tokens.length; i++) {
    const isCall =
      tokens[i]!.text === '.' && tokens[i + 1]!.text === 'add_argument' && tokens[i + 2]!.text === '(';
    if (!isCall) continue;
    const field = fieldOf(argumentsOf(tokens, i + 3));
    if (field && !fields.some((known) => known.flag === field.flag)) fields.push(field);
  }
  return fields;
}

/** Splits the tokens from just after `(` to its `)` at the commas of the same depth. */
function argumentsOf(tokens: readonly Token[], start: number): CallArguments {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(start)) {
    if ('([{'.includes(token.text) && token.kind === 'operator') depth++;
    if (')]}'.includes(token.text) && token.kind === 'operator' && depth-- === 0) break;
    if (token.text === ',' && token.kind === 'operator' && depth === 0) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  const call: CallArguments = { positional: [], keywords: new Map() };
  for (const part of parts) {
    if (part[0]?.kind === 'name' && part[1]?.text === '=') call.keywords.set(part[0].text, part.slice(2));
    else if (part.length > 0) call.positional.push(literal(part) ?? null);
  }
  return call;
}

/** The value of a literal expression; undefined where it is computed. */
function literal(tokens: readonly Token[]): Literal | undefined {
  if (tokens.length > 0 && tokens.every((token) => token.kind === 'string')) {
    return tokens.map((token) => token.value as string).join('');
  }
  const negative = tokens[0]?.text === '-';
  const [token, rest] = negative ? tokens.slice(1) : tokens;
  if (!token || rest) return undefined;
  if (token.kind === 'number') return negative ? -(token.value as number) : (token.value as number);
  if (token.text === 'True') return true;
  if (token.text === 'False') return false;
  if (token.text === 'None') return null;
  return undefined;
}

/** The literals of a list or tuple; null where any of it is computed. */
function literals(tokens: readonly Token[] | undefined): Literal[] | null {
  if (!tokens || !['[', '('].includes(tokens[0]?.text ?? '')) return null;
  const call = argumentsOf(tokens, 1);
  return call.positional.every((value) => value !== null) && call.positional.length > 0
    ? call.positional
    : null;
}

function fieldOf({ positional, keywords }: CallArguments): FormField | undefined {
  const names = positional.filter((name): name is string => typeof name === 'string');
  const flag = names.find((name) => name.startsWith('--')) ?? names[0];
  if (!flag || names.length !== positional.length) return undefined;
  const word = (key: string) =>
    keywords
      .get(key)
      ?.map((token) => token.text)
      .join('');
  const value = (key: string) => literal(keywords.get(key) ?? []);
  const action = value('action') ?? word('action') ?? '';
  if (['help', 'version'].includes(String(action))) return undefined;
  const isSwitch = /store_true|store_false|BooleanOptionalAction/.test(String(action));
  const choices = literals(keywords.get('choices'))?.map(String) ?? null;
  const type = word('type');
  const preset = value('default');
  const optional = flag.startsWith('-');
  const dest = value('dest');
  return {
    name: typeof dest === 'string' ? dest : flag.replace(/^-+/, '').replaceAll('-', '_'),
    flag,
    type: isSwitch ? 'boolean' : choices ? 'choice' : typeName(type, preset),
    default: preset ?? (isSwitch ? String(action) === 'store_false' : null),
    choices,
    help: typeof value('help') === 'string' ? (value('help') as string) : null,
    required: optional ? value('required') === true : !['?', '*'].includes(String(value('nargs'))),
  };
}

function typeName(type: string | undefined, preset: Literal | undefined): FormField['type'] {
  if (type === 'int') return 'integer';
  if (type === 'float') return 'number';
  if (type === 'bool') return 'boolean';
  if (type !== undefined) return 'string';
  return typeof preset === 'boolean' ? 'boolean' : 'string';
}
