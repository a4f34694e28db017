import { VgpuError } from '@vgpu/core';
import type { FastifyRequest } from 'fastify';

/** Host names that always mean this machine. */
const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

const nameOf = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');

/**
 * Refuses requests that a web page of somebody else makes a browser send.
 *
 * DNS rebinding: a name of the attacker that resolves to this machine shows in `Host`, so only known names are
 * served. Cross-site requests: what changes state with a cookie must come from a page of this very origin;
 * a bearer token is proof by itself, since no browser adds one on its own.
 */
export class OriginGuard {
  readonly #names: ReadonlySet<string>;
  readonly #anyName: boolean;

  /** @param host address that the server listens on; a wildcard takes any name, as a proxy in front may. */
  constructor(host: string, extra: readonly string[]) {
    this.#names = new Set([...LOCAL, host.toLowerCase(), ...extra.map((name) => name.toLowerCase())]);
    this.#anyName = (host === '0.0.0.0' || host === '::') && extra.length === 0;
  }

  /** @throws VgpuError `BAD_REQUEST` for a foreign Host. */
  checkHost(request: FastifyRequest): void {
    const host = request.headers.host ?? '';
    if (this.#anyName || this.#names.has(nameOf(host))) return;
    throw new VgpuError('BAD_REQUEST', {
      problem: `this server does not answer to the name "${host}" (VGPU_HOSTS)`,
    });
  }

  /** Whether the request comes from a page of this origin, or from no page at all. */
  isSameOrigin(request: Pick<FastifyRequest, 'headers'>): boolean {
    const { origin, host } = request.headers;
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    if (origin === undefined) return true;
    try {
      return new URL(origin).host === host;
    } catch {
      return false;
    }
  }
}
