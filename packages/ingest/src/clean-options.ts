import { type CleanOptions, checkAgainst, cleanOptions, suggest, VgpuError } from '@vgpu/core';
import { knownEncoding } from './encoding.ts';

/**
 * Checks cleaning options that came from a person or a program.
 * @throws VgpuError `UNKNOWN_KEY` or `BAD_SPEC` with the field's path.
 */
export function validateClean(value: unknown): CleanOptions {
  const options = checkAgainst(cleanOptions, value ?? {}, 'clean');
  const problem = (path: string, text: string) =>
    new VgpuError('BAD_SPEC', { path: `clean.${path}`, problem: text });
  if (options.encoding !== undefined && knownEncoding(options.encoding) === null)
    throw problem(
      'encoding',
      `"${options.encoding}" is not a known encoding; try utf-8, windows-1252 or utf-16le`,
    );
  if (options.impute === 'constant' && options.value === undefined)
    throw problem('value', 'impute: constant needs a value');
  for (const [name, own] of Object.entries(options.columns ?? {}))
    if (own.impute === 'constant' && own.value === undefined && options.value === undefined)
      throw problem(`columns.${name}.value`, 'impute: constant needs a value');
  return options;
}

export interface ColumnTreatment {
  impute: 'median' | 'mean' | 'mode' | 'constant' | 'none' | 'auto';
  value: string | number | undefined;
  clip: NonNullable<CleanOptions['clip']>;
}

/** What the options ask of one column: its own entry first, then the global one, then the defaults. */
export function resolveClean(options: CleanOptions, column: string, isTarget: boolean): ColumnTreatment {
  if (isTarget) return { impute: 'none', value: undefined, clip: 'none' };
  const own = options.columns?.[column] ?? {};
  return {
    impute: own.impute ?? options.impute ?? 'auto',
    value: own.value ?? options.value,
    clip: own.clip ?? options.clip ?? 'none',
  };
}

/** Checks that the target and every column that the options name are in the file. */
export function checkNames(
  names: readonly string[],
  target: string | undefined,
  options: CleanOptions,
): void {
  const check = (path: string, name: string): void => {
    if (names.includes(name)) return;
    const near = suggest(name, [...names]);
    const shown = names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');
    throw new VgpuError('BAD_SPEC', {
      path,
      problem: `the file has no column "${name}"${near ? `; did you mean "${near}"?` : `; it has ${shown}`}`,
    });
  };
  if (target !== undefined) check('target', target);
  for (const name of Object.keys(options.columns ?? {})) check(`clean.columns.${name}`, name);
}
