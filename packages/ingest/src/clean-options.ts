import { type CleanOptions, cleanOptions, VgpuError } from '@vgpu/core';

/** Checks options that came from a person or a program; throws BAD_SPEC with the field's path. */
export function validateClean(value: unknown): CleanOptions {
  const parsed = cleanOptions.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new VgpuError('BAD_SPEC', { path: ['clean', ...issue.path].join('.'), problem: issue.message });
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
