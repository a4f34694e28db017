import type { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { SESSION_COOKIE } from '../http/authenticate.ts';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import type { Principal } from '../systems/principal.ts';

const who = ({ user, project, scopes }: Principal) => ({ user, project, scopes: [...scopes] });

export function accessRoutes({ access }: Resources): Handlers<typeof routes.access> {
  return {
    whoami: async ({ principal }) => who(principal),
    signIn: async ({ body, reply }) => {
      const principal = await access.authenticate(body.token.trim());
      if (!principal) throw new VgpuError('UNAUTHENTICATED');
      const { value, maxAgeSeconds } = access.issueSession(principal);
      reply.setCookie(SESSION_COOKIE, value, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        maxAge: maxAgeSeconds,
      });
      return who(principal);
    },
    signOut: async ({ reply }) => {
      reply.clearCookie(SESSION_COOKIE, { path: '/', httpOnly: true, sameSite: 'strict' });
    },
    tokens: async ({ principal }) => ({ items: await access.list(principal.project) }),
    createToken: ({ principal, body }) => access.create({ ...body, user: principal.user }),
    revokeToken: ({ principal, params }) => access.revoke(principal.project, params.token),
  };
}
