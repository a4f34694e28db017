import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineText } from './engine-view.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** A registry of images on the loopback (Debian's docker-registry), with a folder of its own. */
export class Registry {
  /** `localhost:<port>`; engines talk plain HTTP to it, because it is the loopback. */
  readonly host: string;
  readonly #dir: string;
  readonly #process: ChildProcess;

  private constructor(port: number) {
    this.host = `localhost:${port}`;
    this.#dir = mkdtempSync(join(tmpdir(), 'vgpu-registry-'));
    const config = join(this.#dir, 'config.yml');
    const lines = [
      'version: 0.1',
      'log: {level: error}',
      `storage: {filesystem: {rootdirectory: ${this.#dir}/data}}`,
      `http: {addr: "127.0.0.1:${port}"}`,
    ];
    writeFileSync(config, lines.join('\n'));
    this.#process = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  }

  static async start(): Promise<Registry> {
    const registry = new Registry(await freePort());
    await eventually('the registry answers', async () => (await fetch(`http://${registry.host}/v2/`)).ok);
    return registry;
  }

  /** Pushes an image of the engine. @returns its reference by digest. */
  async push(image: string, name: string): Promise<string> {
    const repository = `${this.host}/${name}`;
    const to = `repo=${encodeURIComponent(repository)}&tag=v1`;
    await engineText(`/images/${encodeURIComponent(image)}/tag?${to}`, 'POST');
    // Nobody has to sign in; an engine wants the header all the same.
    const headers = { 'x-registry-auth': Buffer.from('{}').toString('base64') };
    const said = await engineText(`/images/${repository}/push?tag=v1`, 'POST', undefined, headers);
    const digest = /"Digest":"(sha256:[0-9a-f]{64})"/.exec(said)?.[1];
    if (!digest) throw new Error(`nothing was pushed: ${said.slice(-400)}`);
    return `${repository}@${digest}`;
  }

  close(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
