import { z } from 'zod';
import { parseBytes } from '../units/bytes.ts';
import { parseDuration } from '../units/duration.ts';
import { parseMilli } from '../units/milli.ts';

/** Turns a parser that throws into a zod issue at the right path. */
function parsed<T>(parse: (text: string | number) => T) {
  return z.union([z.string(), z.number()]).transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

const name = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/,
    'use 1 to 63 letters, digits, ".", "_" or "-", starting with a letter or digit',
  );

export const imputeMethod = z.enum(['median', 'mean', 'mode', 'constant', 'none']);

const clip = z.union([
  z.literal('none'),
  z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .refine(([lo, hi]) => lo < hi, 'the first quantile must be below the second'),
  z.strictObject({ iqr: z.number().positive() }),
  z.strictObject({ min: z.number().optional(), max: z.number().optional() }),
]);

const columnClean = z.strictObject({
  impute: imputeMethod.optional(),
  value: z.union([z.string(), z.number()]).optional(),
  clip: clip.optional(),
  /** Overrides the detected type. */
  type: z.enum(['integer', 'number', 'boolean', 'date', 'datetime', 'text']).optional(),
});

/** How a dataset is cleaned. Every field is optional; docs/data-cleaning.md gives the defaults. */
export const cleanOptions = z.strictObject({
  /** How missing values are filled: columns of numbers by this, others by mode where it is median or mean. */
  impute: imputeMethod.optional(),
  /** The filler of impute: constant. */
  value: z.union([z.string(), z.number()]).optional(),
  /** Adds a 0/1 column `<name>_missing` for each imputed column. */
  missingIndicators: z.boolean().optional(),
  /** Outliers: two quantiles, {iqr: k}, {min, max}, or none. Never applied to the target. */
  clip: clip.optional(),
  columns: z.record(z.string(), columnClean).optional(),
  delimiter: z.string().min(1).max(4).optional(),
  /** One character, or '' for none. */
  quote: z.string().max(1).optional(),
  encoding: z.string().optional(),
  /** Whether there is a header, or its number of rows. */
  header: z.union([z.boolean(), z.literal([0, 1, 2])]).optional(),
  decimal: z.enum(['.', ',']).optional(),
  /** Order of day and month in dates like 03/04/2020. */
  dates: z.enum(['dmy', 'mdy']).optional(),
  /** Texts that mean "no value", instead of the built-in list; an empty cell always does. */
  missing: z.array(z.string()).optional(),
  dropDuplicates: z.boolean().optional(),
});

/** One dataset of a job: a file to import, or a dataset by name (`name`, `name@version`). */
export const dataInput = z
  .strictObject({
    path: z.string().optional(),
    dataset: z.string().optional(),
    name: name.optional(),
    target: z.string().optional(),
    clean: cleanOptions.optional(),
  })
  .refine(
    (input) => (input.path === undefined) !== (input.dataset === undefined),
    'give either path or dataset',
  );

export const isolation = z.enum(['any', 'soft', 'hard']);
export const qosClass = z.enum(['guaranteed', 'burstable', 'best-effort']);

/** A Python interpreter with nothing in it takes some 10 MiB; with less than this no worker comes to its script. */
const LEAST_MEMORY = 32 * 2 ** 20;
/** Thousandths of a core: what an engine can enforce. */
const LEAST_CPU = 10;

export const resources = z.strictObject({
  /** GPUs: 0.25 is a quarter of one; 2 is two whole ones. Thousandths once parsed. */
  gpu: parsed((text) => parseMilli(text, 'gpu')).default(0),
  /** Accelerator memory in bytes; 0 leaves it to the share of compute. */
  vram: parsed(parseBytes).default(0),
  /** CPU cores; thousandths once parsed. */
  cpu: parsed((text) => parseMilli(text, 'cpu'))
    .default(1000)
    .refine((milli) => milli >= LEAST_CPU, 'a worker needs 0.01 of a core or more'),
  memory: parsed(parseBytes)
    .default(512 * 2 ** 20)
    .refine(
      (bytes) => bytes >= LEAST_MEMORY,
      'a worker needs 32MiB or more; a number alone means bytes, so write 512MiB or 2GiB',
    ),
  isolation: isolation.default('any'),
  qos: qosClass.default('burstable'),
  /** Models of accelerator that will do, such as [A100, H100]; empty means any. */
  models: z.array(z.string()).default([]),
});

export const limits = z.strictObject({
  /** Longest run of one attempt, in milliseconds once parsed. */
  time: parsed(parseDuration).default(24 * 3_600_000),
  /** How often a lost or failed attempt is tried again. */
  retries: z.int().min(0).max(100).default(0),
  /**
   * Bytes of files that the task may keep in VGPU_OUTPUT. Where the user sets none, the server stores a quarter of the
   * memory instead, up to 256 MiB: so much fits into a folder in memory, which a warm worker has ready.
   */
  output: parsed(parseBytes).default(2 ** 30),
  /** Number of files that the task may keep. */
  files: z.int().min(1).max(1_000_000).default(10_000),
});

export const metricsChoice = z.strictObject({
  primary: z.string().optional(),
  goal: z.enum(['maximize', 'minimize']).optional(),
});

const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an environment variable is letters, digits and "_"');
const argument = z.union([z.string(), z.number(), z.boolean()]);

/** A secret as a user writes it: its name, or where it goes besides. */
export type SecretUseInput = string | { name: string; env?: string | undefined; file?: string | undefined };

/** A secret of the project that the tasks get: the file `/run/secrets/<file>`, and a variable where one is named. */
export const secretUse = z.preprocess(
  (value: SecretUseInput) => (typeof value === 'string' ? { name: value } : value),
  z.strictObject({
    name,
    /** The variable that holds the value as well; the value must be text then. */
    env: envName
      .refine((env) => !env.startsWith('VGPU_'), 'names that start with VGPU_ are vgpu’s own')
      .optional(),
    /** Name of the file under /run/secrets; default: the secret's name. */
    file: name.optional(),
  }),
);
export type SecretUse = z.output<typeof secretUse>;

/** Most secrets of one job. */
export const MAX_JOB_SECRETS = 16;

/** Name of a secret's file under /run/secrets. */
export const secretFile = (use: SecretUse): string => use.file ?? use.name;

const secretUses = z
  .array(secretUse)
  .max(MAX_JOB_SECRETS)
  .superRefine((uses, context) => {
    const files = new Set<string>();
    const variables = new Set<string>();
    for (const [i, use] of uses.entries()) {
      const file = secretFile(use);
      if (files.has(file)) {
        const message = `two secrets would be the file /run/secrets/${file}; give one another \`file\``;
        context.addIssue({ code: 'custom', path: [i], message });
      }
      if (use.env !== undefined && variables.has(use.env)) {
        const message = `two secrets would be the variable ${use.env}`;
        context.addIssue({ code: 'custom', path: [i, 'env'], message });
      }
      files.add(file);
      if (use.env !== undefined) variables.add(use.env);
    }
  });

/** The job spec of DESIGN.md section 4. Only `script` is required; unknown keys are errors. */
export const jobSpec = z
  .strictObject({
    name: name.optional(),
    /** Path of the script, relative to the uploaded folder. A script not ending in .py is run as a program. */
    script: z.string().min(1),
    /** `{lr: 0.01}` becomes `--lr 0.01`; a list is passed as it is. */
    args: z.union([z.record(z.string(), argument), z.array(argument)]).default({}),
    data: z.array(dataInput).max(10_000).default([]),
    image: z.string().min(1).default('sklearn'),
    resources: resources.prefault({}),
    env: z.record(envName, z.string()).default({}),
    secrets: secretUses.default([]),
    metrics: metricsChoice.prefault({}),
    limits: limits.prefault({}),
    priority: z.int().min(-1000).max(1000).default(0),
    network: z.enum(['none', 'egress']).default('none'),
    ports: z.array(z.int().min(1).max(65535)).max(16).default([]),
  })
  .superRefine((spec, context) => {
    const { gpu, vram, models } = spec.resources;
    const unused = vram > 0 ? 'vram' : models.length > 0 ? 'models' : undefined;
    if (gpu === 0 && unused) {
      const message = 'means nothing without a share of a GPU; add one, such as gpu: 0.25 (--gpu 0.25)';
      context.addIssue({ code: 'custom', path: ['resources', unused], message });
    }
    for (const [i, use] of spec.secrets.entries()) {
      if (use.env === undefined || spec.env[use.env] === undefined) continue;
      const message = `the variable ${use.env} is set under env already`;
      context.addIssue({ code: 'custom', path: ['secrets', i, 'env'], message });
    }
  });

/** A spec as a user writes it. */
export type JobSpecInput = z.input<typeof jobSpec>;
/** A spec with its defaults filled in: sizes in bytes, times in milliseconds, shares in thousandths. */
export type JobSpec = z.output<typeof jobSpec>;
export type DataInput = z.output<typeof dataInput>;
export type CleanOptions = z.output<typeof cleanOptions>;
export type QosClass = z.output<typeof qosClass>;
