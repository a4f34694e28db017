import type { IncomingHttpHeaders } from 'node:http';
import { VgpuError } from '@vgpu/core';
import type { Access } from '../systems/access.ts';
import type { Principal } from '../systems/principal.ts';
import type { OriginGuard } from './origin-guard.ts';

export const SESSION_COOKIE = 'vgpu_session';
const READ_ONLY = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What tells who makes a request. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  readonly method: string;
}

/** @throws VgpuError `UNAUTHENTICATED` for a bad token, `FORBIDDEN` for a cookie from another site. */
export type Authenticate = (request: Credentials) => Promise<Principal | undefined>;

/** Who makes a request: by bearer token, or by the dashboard's cookie from a page of this origin. */
export function authenticator(access: Access, guard: OriginGuard): Authenticate {
  return async (request) => {
    const header = request.headers.authorization;
    if (header?.startsWith('Bearer ')) {
      const principal = await access.authenticate(header.slice('Bearer '.length).trim());
      if (!principal) throw new VgpuError('UNAUTHENTICATED');
      return principal;
    }
    const cookie = request.cookies[SESSION_COOKIE];
    if (!cookie) return undefined;
    const upgrade = request.headers.upgrade !== undefined;
    if ((upgrade || !READ_ONLY.has(request.method)) && !guard.isSameOrigin(request)) {
      const action = 'be used from another site';
      throw new VgpuError('FORBIDDEN', { action, scope: 'write' });
    }
    return access.fromSession(cookie);
  };
}
