import { parseDocument } from 'yaml';
import { z } from 'zod';
import { VgpuError } from '../errors/vgpu-error.ts';
import { type JobSpec, jobSpec } from './job-spec.ts';
import { suggest } from './suggest.ts';

const pathText = (path: readonly PropertyKey[], root: string): string =>
  path.length === 0
    ? root
    : path
        .map((step, i) =>
          typeof step === 'number' ? `[${step}]` : i === 0 ? String(step) : `.${String(step)}`,
        )
        .join('');

interface Wrapped {
  innerType?: z.ZodType;
  in?: z.ZodType;
  out?: z.ZodType;
}

/** A schema with its wrappers (default, optional, a transform before or after it, …) taken off. */
function unwrap(schema: z.ZodType): z.ZodType {
  const { innerType, in: first, out } = schema.def as Wrapped;
  const inner = innerType ?? (first instanceof z.ZodTransform ? out : first);
  return inner ? unwrap(inner) : schema;
}

/** The keys that an object at this place of the schema would take, for a suggestion. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at = unwrap(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = unwrap(at.shape[step as string]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element as z.ZodType);
    else if (at instanceof z.ZodRecord) at = unwrap(at.valueType as z.ZodType);
    else return [];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/**
 * Checks a value against a schema and turns the first problem into an error that names the place.
 * @param root how to name the whole value in messages.
 * @throws VgpuError `UNKNOWN_KEY` (with a suggestion) or `BAD_SPEC`.
 */
export function checkAgainst<T extends z.ZodType>(schema: T, value: unknown, root: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = pathText(issue.path, root);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const known = knownKeys(schema, issue.path);
    const near = suggest(key, known);
    const suggestion = near ? `Did you mean "${near}"?` : `Known keys: ${known.join(', ')}.`;
    throw new VgpuError('UNKNOWN_KEY', { path, key, suggestion });
  }
  throw new VgpuError('BAD_SPEC', { path, problem: issue.message });
}

/**
 * Checks a job spec given as an object and fills in the defaults.
 * @throws VgpuError `UNKNOWN_KEY` or `BAD_SPEC`.
 */
export function parseJobSpec(value: unknown): JobSpec {
  return checkAgainst(jobSpec, value, 'job');
}

/**
 * Reads a job spec from YAML (JSON is YAML too).
 * @throws VgpuError `BAD_SPEC` with line and column for broken YAML; as {@link parseJobSpec} otherwise.
 */
export function parseJobYaml(text: string, file = 'job.yaml'): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const problem = document.errors[0];
  if (problem) throw new VgpuError('BAD_SPEC', { path: file, problem: problem.message.split('\n')[0] });
  return document.toJS({ maxAliasCount: 100 });
}
