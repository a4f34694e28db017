import { z } from 'zod';
import { time } from './common.ts';

export const token = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  user: z.string(),
  scopes: z.array(z.enum(['read', 'write', 'admin'])),
  createdAt: time,
  lastUsedAt: time.nullable(),
  expiresAt: time.nullable(),
});
export const newToken = z.strictObject({
  name: z.string().min(1).max(63),
  project: z.string().default('default'),
  scopes: z.array(z.enum(['read', 'write', 'admin'])).default(['read', 'write']),
  expiresAt: time.optional(),
});
/** The secret is shown once, at creation. */
export const tokenWithSecret = token.extend({ secret: z.string() });
export const whoami = z.object({
  user: z.string(),
  project: z.string(),
  scopes: z.array(z.enum(['read', 'write', 'admin'])),
});
