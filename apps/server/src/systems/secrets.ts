import { SECRET_BYTES, type Secret } from '@vgpu/api';
import { formatBytes, type SecretUse, secretFile, VgpuError } from '@vgpu/core';
import type { LaunchSecret } from '@vgpu/drivers';
import { appendEvent, type SecretTable, type Store } from '@vgpu/store';
import type { KeyRing } from './key-ring.ts';
import type { Principal } from './principal.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/** Names hold no line feed, so no two pairs give one text. */
const purpose = (project: string, name: string): string => `secret\n${project}\n${name}`;

/** Text that an environment variable can hold: UTF-8 without NUL. */
function isText(value: Buffer): boolean {
  return !value.includes(0) && Buffer.from(value.toString('utf8')).equals(value);
}

/** Secrets of projects: sealed in the store, opened for the workers that ask for them and for nobody else. */
export class Secrets {
  readonly #store: Store;
  readonly #keys: KeyRing;
  /** Values are sealed one after the other, so that a rotation misses none. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: { store: Store; keys: KeyRing }) {
    this.#store = parts.store;
    this.#keys = parts.keys;
  }

  async list(project: string): Promise<Secret[]> {
    const rows = await this.#store.read
      .selectFrom('secrets')
      .selectAll()
      .where('project', '=', project)
      .orderBy('name')
      .execute();
    return rows.map((row) => this.#view(row));
  }

  /**
   * Stores a value under a name, instead of the one before it.
   * @throws VgpuError `BAD_NAME`, `BAD_REQUEST` for an empty value, `TOO_LARGE` beyond 64 KiB.
   */
  set({ project, user }: Principal, name: string, value: Buffer): Promise<Secret> {
    if (!NAME.test(name)) throw new VgpuError('BAD_NAME', { what: 'secret', name });
    if (value.length === 0) throw new VgpuError('BAD_REQUEST', { problem: 'the value is empty' });
    if (value.length > SECRET_BYTES) {
      const advice = 'Put larger things into the image or a dataset.';
      throw new VgpuError('TOO_LARGE', { what: 'the secret', limit: formatBytes(SECRET_BYTES), advice });
    }
    return this.#inTurn(async () => {
      const now = Date.now();
      const { keyId, sealed } = this.#keys.seal(purpose(project, name), value);
      const change = {
        sealed,
        key_id: keyId,
        bytes: value.length,
        text: Number(isText(value)),
        updated_at: now,
        updated_by: user,
      };
      const row = await this.#store.write(async (trx) => {
        await appendEvent(trx, this.#store.dialect, {
          project,
          at: now,
          kind: 'secret-set',
          data: { name, user },
        });
        return trx
          .insertInto('secrets')
          .values({ project, name, created_at: now, ...change })
          .onConflict((c) => c.columns(['project', 'name']).doUpdateSet(change))
          .returningAll()
          .executeTakeFirstOrThrow();
      });
      return this.#view(row);
    });
  }

  /** @throws VgpuError `NOT_FOUND`. */
  async remove({ project, user }: Principal, name: string): Promise<void> {
    await this.#store.write(async (trx) => {
      const gone = await trx
        .deleteFrom('secrets')
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirst();
      if (gone.numDeletedRows === 0n) {
        throw new VgpuError('NOT_FOUND', { what: 'secret', id: name, list: 'secret ls' });
      }
      await appendEvent(trx, this.#store.dialect, {
        project,
        at: Date.now(),
        kind: 'secret-removed',
        data: { name, user },
      });
    });
  }

  /**
   * Seals every value with a new key, then forgets the old one. Killed half-way, both keys are in the file and
   * nothing is lost; the next rotation ends it.
   */
  rotateKey({ project, user }: Principal): Promise<{ key: string; secrets: number }> {
    return this.#inTurn(async () => {
      this.#keys.renew();
      const key = this.#keys.current;
      const secrets = await this.#store.write(async (trx) => {
        let done = 0;
        for (const row of await trx.selectFrom('secrets').selectAll().execute()) {
          const value = this.#unseal(row);
          // Sealed with a key that was lost earlier: nothing to save.
          if (!value) continue;
          const { keyId, sealed } = this.#keys.seal(purpose(row.project, row.name), value);
          await trx
            .updateTable('secrets')
            .set({ sealed, key_id: keyId })
            .where('project', '=', row.project)
            .where('name', '=', row.name)
            .execute();
          done++;
        }
        const at = Date.now();
        await appendEvent(trx, this.#store.dialect, {
          project,
          at,
          kind: 'secret-key-rotated',
          data: { key, user, secrets: done },
        });
        return done;
      });
      this.#keys.forgetOld();
      return { key, secrets };
    });
  }

  /**
   * Whether a job may have what it asks for.
   * @throws VgpuError `SECRET_MISSING`, `SECRET_UNREADABLE`.
   */
  async check(project: string, uses: readonly SecretUse[]): Promise<void> {
    await this.forLaunch(project, uses);
  }

  /**
   * The values for a worker, as they are now.
   * @throws VgpuError `SECRET_MISSING`, `SECRET_UNREADABLE`.
   */
  async forLaunch(project: string, uses: readonly SecretUse[]): Promise<LaunchSecret[]> {
    if (uses.length === 0) return [];
    const rows = await this.#store.read
      .selectFrom('secrets')
      .selectAll()
      .where('project', '=', project)
      .where(
        'name',
        'in',
        uses.map((use) => use.name),
      )
      .execute();
    const byName = new Map(rows.map((row) => [row.name, row]));
    return uses.map((use) => {
      const { name, env } = use;
      const row = byName.get(name);
      if (!row) throw new VgpuError('SECRET_MISSING', { project, name });
      const value = this.#unseal(row);
      if (!value) {
        const problem = 'the key that it was sealed with is not in the server’s key file';
        throw new VgpuError('SECRET_UNREADABLE', { name, problem });
      }
      if (env !== undefined && !row.text) {
        const problem = `it is not text, so it cannot be the variable ${env}; scripts can read it as a file`;
        throw new VgpuError('SECRET_UNREADABLE', { name, problem });
      }
      return { file: secretFile(use), value, ...(env === undefined ? {} : { env }) };
    });
  }

  #view(row: SecretTable): Secret {
    return {
      name: row.name,
      bytes: row.bytes,
      text: row.text === 1,
      readable: this.#keys.knows(row.key_id),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
    };
  }

  #unseal(row: SecretTable): Buffer | undefined {
    return this.#keys.unseal(purpose(row.project, row.name), { keyId: row.key_id, sealed: row.sealed });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
