import { z } from 'zod';
import { route } from '../route.ts';
import * as views from '../views/secret.ts';

const tag = 'Secrets';
const params = z.object({ secret: z.string() });

export const secrets = {
  list: route({
    method: 'GET',
    path: '/v1/secrets',
    summary: 'The secrets of the project, without their values',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.secret) }),
  }),
  set: route({
    method: 'PUT',
    path: '/v1/secrets/:secret',
    summary: 'Set a secret; no answer ever shows its value',
    tag,
    scope: 'write',
    params,
    body: views.newSecret,
    response: views.secret,
  }),
  remove: route({
    method: 'DELETE',
    path: '/v1/secrets/:secret',
    summary: 'Delete a secret; tasks that need it and have not started will fail',
    tag,
    scope: 'write',
    params,
    response: 'none',
  }),
  rotateKey: route({
    method: 'POST',
    path: '/v1/secret-key',
    summary: 'Make a new key and seal the secrets of every project with it',
    tag,
    scope: 'admin',
    response: z.object({ key: z.string(), secrets: z.int() }),
  }),
} as const;
