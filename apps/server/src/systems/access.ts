import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { newId, VgpuError } from '@vgpu/core';
import type { Store, TokenTable } from '@vgpu/store';
import type { GrantedScope, Principal } from './principal.ts';

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
const newSecret = () => `vgpu_${randomBytes(32).toString('base64url')}`;
const SESSION_MS = 7 * 24 * 3_600_000;
/** How long a looked-up token is trusted without asking the store again, and how exact `lastUsedAt` is. */
const CACHE_MS = 5_000;
const LAST_USED_MS = 60_000;

export interface TokenView {
  id: string;
  name: string;
  project: string;
  user: string;
  scopes: GrantedScope[];
  createdAt: number;
  lastUsedAt: number | null;
  expiresAt: number | null;
}

const view = (row: TokenTable): TokenView => ({
  id: row.id,
  name: row.name,
  project: row.project,
  user: row.user,
  scopes: JSON.parse(row.scopes) as GrantedScope[],
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  expiresAt: row.expires_at,
});

/** Tokens, sessions and who is behind a request. Secrets are 256 random bits, stored as their SHA-256. */
export class Access {
  readonly #store: Store;
  readonly #key: Buffer;
  readonly #cache = new Map<string, { row: TokenTable | undefined; until: number }>();

  private constructor(store: Store, key: Buffer) {
    this.#store = store;
    this.#key = key;
  }

  /** Opens access control; at first start makes the default project and an admin token in `tokenFile`. */
  static async open(store: Store, tokenFile: string): Promise<Access> {
    const now = Date.now();
    const key = await store.write(async (trx) => {
      await trx
        .insertInto('projects')
        .values({ project: 'default', created_at: now, allow_egress: 1 })
        .onConflict((c) => c.doNothing())
        .execute();
      const known = await trx
        .selectFrom('settings')
        .select('value')
        .where('project', '=', 'system')
        .where('name', '=', 'session-key')
        .executeTakeFirst();
      if (known) return known.value;
      const value = randomBytes(32).toString('base64');
      await trx.insertInto('settings').values({ project: 'system', name: 'session-key', value }).execute();
      return value;
    });
    const access = new Access(store, Buffer.from(key, 'base64'));
    const secret = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : '';
    if (!secret || !(await access.authenticate(secret))) {
      const made = await access.create({
        name: 'local-admin',
        project: 'default',
        user: 'admin',
        scopes: ['read', 'write', 'admin'],
      });
      writeFileSync(tokenFile, `${made.secret}\n`, { mode: 0o600 });
      chmodSync(tokenFile, 0o600);
    }
    return access;
  }

  /** Who a token is, or undefined when it is unknown, revoked or expired. */
  authenticate(secret: string): Promise<Principal | undefined> {
    return this.#principal('hash', hashOf(secret));
  }

  /** A session of the dashboard: the token's id and an expiry, signed; it ends with the token. */
  issueSession(principal: Principal): { value: string; maxAgeSeconds: number } {
    const body = `${principal.token}.${Date.now() + SESSION_MS}`;
    return { value: `${body}.${this.#sign(body)}`, maxAgeSeconds: SESSION_MS / 1000 };
  }

  async fromSession(value: string): Promise<Principal | undefined> {
    const [token, until, signature] = value.split('.');
    if (!token || !until || !signature) return undefined;
    const expected = Buffer.from(this.#sign(`${token}.${until}`));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
    if (Number(until) < Date.now()) return undefined;
    return this.#principal('id', token);
  }

  async list(project: string): Promise<TokenView[]> {
    const rows = await this.#store.read
      .selectFrom('tokens')
      .selectAll()
      .where('project', '=', project)
      .orderBy('created_at')
      .execute();
    return rows.map(view);
  }

  async create(token: {
    name: string;
    project: string;
    user: string;
    scopes: readonly GrantedScope[];
    expiresAt?: number | undefined;
  }): Promise<TokenView & { secret: string }> {
    const secret = newSecret();
    const row: TokenTable = {
      id: newId('token'),
      project: token.project,
      user: token.user,
      name: token.name,
      hash: hashOf(secret),
      scopes: JSON.stringify(token.scopes),
      created_at: Date.now(),
      last_used_at: null,
      expires_at: token.expiresAt ?? null,
    };
    await this.#store.write(async (trx) => {
      await trx
        .insertInto('projects')
        .values({ project: token.project, created_at: row.created_at, allow_egress: 0 })
        .onConflict((c) => c.doNothing())
        .execute();
      await trx.insertInto('tokens').values(row).execute();
    });
    return { ...view(row), secret };
  }

  /** @throws VgpuError `NOT_FOUND`. */
  async revoke(project: string, id: string): Promise<void> {
    const done = await this.#store.write((trx) =>
      trx.deleteFrom('tokens').where('project', '=', project).where('id', '=', id).executeTakeFirst(),
    );
    this.#cache.clear();
    if (done.numDeletedRows === 0n) throw new VgpuError('NOT_FOUND', { what: 'token', id, list: 'token ls' });
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }

  async #principal(column: 'hash' | 'id', value: string): Promise<Principal | undefined> {
    const now = Date.now();
    const cacheKey = `${column}:${value}`;
    let entry = this.#cache.get(cacheKey);
    if (!entry || entry.until < now) {
      const row = await this.#store.read
        .selectFrom('tokens')
        .selectAll()
        .where(column, '=', value)
        .executeTakeFirst();
      if (this.#cache.size > 1000) this.#cache.clear();
      entry = { row, until: now + CACHE_MS };
      this.#cache.set(cacheKey, entry);
    }
    const { row } = entry;
    if (!row || (row.expires_at !== null && row.expires_at <= now)) return undefined;
    if (now - (row.last_used_at ?? 0) > LAST_USED_MS) this.#touch(row, now);
    return {
      user: row.user,
      project: row.project,
      scopes: JSON.parse(row.scopes) as GrantedScope[],
      token: row.id,
    };
  }

  /** Notes the use of a token without holding up the request. */
  #touch(row: TokenTable, now: number): void {
    row.last_used_at = now;
    this.#store
      .write((trx) => trx.updateTable('tokens').set({ last_used_at: now }).where('id', '=', row.id).execute())
      .catch(() => undefined);
  }
}
