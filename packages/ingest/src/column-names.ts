export interface NamedColumn {
  name: string;
  /** The header's own text where the name differs from it, else null. */
  original: string | null;
  /** Why it differs. */
  why: 'empty' | 'duplicate' | 'characters' | null;
}

/** A group's name stands over the first of its columns only, as merged cells are saved: it goes for all of them. */
function spread(groups: readonly string[], names: readonly string[]): string[] {
  let group = '';
  return names.map((name, i) => {
    const own = groups[i] ?? '';
    if (own.trim() !== '') group = own;
    return own.trim() === '' && name.trim() !== '' ? group : own;
  });
}

/**
 * Names for a table's columns: the header's, with blanks at the edges and control characters removed,
 * empty ones numbered, and repeated ones (whatever their case, since readers differ on that) made unique.
 */
export function nameColumns(header: readonly string[][], width: number, rowNames: boolean): NamedColumn[] {
  const rows = header.length === 2 ? [spread(header[0]!, header[1]!), header[1]!] : header;
  const written: (string | null)[] = Array.from({ length: width }, (_, i) => {
    if (header.length === 0) return null;
    const parts = rows.map((row) => (rowNames ? (i === 0 ? 'row' : (row[i - 1] ?? '')) : (row[i] ?? '')));
    return parts.filter((part, k) => part.trim() !== '' || k === 0).join(' ');
  });
  const taken = new Set<string>();
  const clean = (text: string): string =>
    text.replace(/[\u0000-\u001f\u007f\ufeff]+/g, ' ').replace(/^[\s\u00a0]+|[\s\u00a0]+$/g, '');
  // Names that need no change come first, so that a numbered name never takes one of theirs.
  const counted = new Map<string, number>();
  for (const text of written)
    if (text !== null)
      counted.set(clean(text).toLowerCase(), (counted.get(clean(text).toLowerCase()) ?? 0) + 1);
  return written.map((text, i) => {
    const base = text === null ? '' : clean(text);
    let name = base === '' ? `column_${i + 1}` : base;
    let why: NamedColumn['why'] =
      text === null ? null : base === '' ? 'empty' : base === text ? null : 'characters';
    if (taken.has(name.toLowerCase())) {
      if (base !== '') why = 'duplicate';
      let n = 2;
      while (taken.has(`${name}_${n}`.toLowerCase()) || counted.has(`${name}_${n}`.toLowerCase())) n++;
      name = `${name}_${n}`;
    }
    taken.add(name.toLowerCase());
    return { name, original: text === null || name === text ? null : text, why };
  });
}
