import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Devices that an administrator took out, with the reason: kept in a file, so that a restart does not let them in. */
export class Cordons {
  readonly #path: string;
  readonly #home: string;
  readonly #reasons: Map<string, string>;

  /** @param home VGPU_HOME */
  constructor(home: string) {
    this.#home = home;
    this.#path = join(home, 'cordoned.json');
    this.#reasons = new Map(Object.entries(read(this.#path)));
  }

  /** Why a device is out; null where it is not. */
  of(uuid: string): string | null {
    return this.#reasons.get(uuid) ?? null;
  }

  /** Takes a device out, or (null) back in. */
  set(uuid: string, reason: string | null): void {
    if (reason === null) this.#reasons.delete(uuid);
    else this.#reasons.set(uuid, reason);
    mkdirSync(this.#home, { recursive: true });
    const partial = `${this.#path}.${process.pid}`;
    writeFileSync(partial, `${JSON.stringify(Object.fromEntries(this.#reasons), null, 2)}\n`);
    renameSync(partial, this.#path);
  }
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch {
    return {}; // there is none yet
  }
}
