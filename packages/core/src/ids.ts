/** The kinds of thing that carry an id, and the prefix each id starts with. */
export const idPrefixes = {
  job: 'job',
  task: 'task',
  attempt: 'att',
  dataset: 'ds',
  bundle: 'bun',
  token: 'tok',
  user: 'usr',
  project: 'prj',
  event: 'evt',
  request: 'req',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** Crockford's base 32 in lower case: no i, l, o, u, so that ids survive being read aloud. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(value: bigint, length: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = alphabet[Number(rest & 31n)] + text;
    rest >>= 5n;
  }
  return text;
}

/**
 * Makes an id such as `job_01k9z4w3t8h2m6qa`: prefix, 9 characters of milliseconds since 1970, 9 random ones.
 * Ids of one kind sort by time of creation.
 * @param now milliseconds since 1970; defaults to the clock.
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  const random = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  return `${idPrefixes[kind]}_${base32(BigInt(now), 9)}${base32(random, 9)}`;
}

/** Whether `text` looks like a whole id of that kind. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${idPrefixes[kind]}_[${alphabet}]{18}$`).test(text);
}
