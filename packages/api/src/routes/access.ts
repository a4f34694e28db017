import { z } from 'zod';
import { route } from '../route.ts';
import * as views from '../views/access.ts';

const tag = 'Access';

export const access = {
  whoami: route({
    method: 'GET',
    path: '/v1/whoami',
    summary: 'Who the token is',
    tag,
    scope: 'read',
    response: views.whoami,
  }),
  /** Sets the session cookie of the dashboard: http-only, same-site. */
  signIn: route({
    method: 'POST',
    path: '/v1/session',
    summary: 'Sign in with a token',
    tag,
    scope: 'public',
    body: z.strictObject({ token: z.string() }),
    response: views.whoami,
  }),
  signOut: route({
    method: 'DELETE',
    path: '/v1/session',
    summary: 'Sign out',
    tag,
    scope: 'public',
    response: 'none',
  }),
  tokens: route({
    method: 'GET',
    path: '/v1/tokens',
    summary: 'List tokens',
    tag,
    scope: 'admin',
    response: z.object({ items: z.array(views.token) }),
  }),
  createToken: route({
    method: 'POST',
    path: '/v1/tokens',
    summary: 'Create a token; its secret is shown this once',
    tag,
    scope: 'admin',
    body: views.newToken,
    response: views.tokenWithSecret,
  }),
  revokeToken: route({
    method: 'DELETE',
    path: '/v1/tokens/:token',
    summary: 'Revoke a token',
    tag,
    scope: 'admin',
    params: z.object({ token: z.string() }),
    response: 'none',
  }),
} as const;
