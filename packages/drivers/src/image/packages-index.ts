import { DriverError } from '../errors.ts';

/** One paragraph of a Debian package index, as far as a closure needs it. */
export interface IndexedPackage {
  name: string;
  version: string;
  filename: string;
  size: number;
  sha256: string;
  /** Each entry is a list of alternatives. */
  depends: string[][];
  provides: string[];
}

/** Reads a `Packages` file. The first paragraph of a name wins (an index lists one version of each). */
export function parsePackages(text: string): Map<string, IndexedPackage> {
  const index = new Map<string, IndexedPackage>();
  for (const paragraph of text.split(/\n\n+/)) {
    const fields = new Map<string, string>();
    for (const line of paragraph.split('\n')) {
      const at = line.indexOf(':');
      if (at > 0 && line[0] !== ' ') fields.set(line.slice(0, at), line.slice(at + 1).trim());
    }
    const name = fields.get('Package');
    if (!name || index.has(name)) continue;
    const relations = [fields.get('Pre-Depends'), fields.get('Depends')].filter(Boolean).join(', ');
    index.set(name, {
      name,
      version: fields.get('Version') ?? '',
      filename: fields.get('Filename') ?? '',
      size: Number(fields.get('Size')),
      sha256: fields.get('SHA256') ?? '',
      depends: relations ? relations.split(',').map((r) => r.split('|').map(bareName)) : [],
      provides: (fields.get('Provides') ?? '').split(',').map(bareName).filter(Boolean),
    });
  }
  return index;
}

/** `libc6:any (>= 2.38) [amd64]` → `libc6`. */
function bareName(relation: string): string {
  return relation.trim().split(/[\s(:[]/)[0] ?? '';
}

/**
 * The packages named and what they need, sorted by name. Of alternatives the first that is known wins; a
 * virtual package is served by the provider whose name sorts first. Throws BUILD_FAILED on an unknown name.
 */
export function closure(
  index: Map<string, IndexedPackage>,
  wanted: string[],
  without: ReadonlySet<string>,
): IndexedPackage[] {
  const providers = new Map<string, string>();
  for (const name of [...index.keys()].sort()) {
    for (const virtual of index.get(name)!.provides)
      if (!providers.has(virtual)) providers.set(virtual, name);
  }
  const chosen = new Map<string, IndexedPackage>();
  const pending = wanted
    .filter((n) => !without.has(n))
    .map((name) => ({ alternatives: [name], by: 'the definition' }));
  for (let next = pending.shift(); next; next = pending.shift()) {
    const { alternatives, by } = next;
    if (alternatives.some((n) => without.has(n) || chosen.has(n))) continue;
    const name =
      alternatives.find((n) => index.has(n)) ?? alternatives.map((n) => providers.get(n)).find(Boolean);
    if (!name)
      throw new DriverError('BUILD_FAILED', `no package ${alternatives.join(' or ')} (wanted by ${by})`);
    if (without.has(name) || chosen.has(name)) continue;
    const found = index.get(name)!;
    chosen.set(name, found);
    pending.push(...found.depends.map((alternatives) => ({ alternatives, by: name })));
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
