import { z } from 'zod';
import { time } from './common.ts';

/** What is said of a secret: never its value. */
export const secret = z.object({
  name: z.string(),
  /** Length of the value. */
  bytes: z.int(),
  /** Whether it is text, thus fit for an environment variable. */
  text: z.boolean(),
  /** False where the key that sealed it is not in the server's key file: it has to be set again. */
  readable: z.boolean(),
  createdAt: time,
  updatedAt: time,
  updatedBy: z.string(),
});
export type Secret = z.output<typeof secret>;

/** Most bytes of a value. */
export const SECRET_BYTES = 64 * 1024;

export const newSecret = z.strictObject({
  value: z.string(),
  /** How `value` is written; `base64` for bytes that are no text. */
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
});
