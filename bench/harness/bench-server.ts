import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { routes, VgpuClient } from '@vgpu/api';
import type { ServerFile } from '@vgpu/core';
import { benchEngine } from './bench-engine.ts';

const vgpu = join(import.meta.dirname, '../../vgpu');

/** A server of its own in a temporary VGPU_HOME, on the machine's engine, with the worker image built. */
export class BenchServer {
  readonly home: string;
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(env: NodeJS.ProcessEnv) {
    const base = mkdtempSync(join(tmpdir(), 'vgpu-bench-'));
    this.home = join(base, 'home');
    this.work = join(base, 'work');
    mkdirSync(this.work);
    this.env = { ...process.env, VGPU_HOME: this.home, VGPU_PORT: '0', VGPU_SERVER: '', ...env };
  }

  static async start(env: NodeJS.ProcessEnv = {}): Promise<BenchServer> {
    const server = new BenchServer({ VGPU_ENGINE: `unix://${await benchEngine()}`, ...env });
    await server.vgpu('up', '--detach');
    const { items } = await server.client.call(routes.images.list, {});
    if (!items.some((image) => image.name === 'sklearn')) await server.vgpu('image', 'build');
    return server;
  }

  async vgpu(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(vgpu, args, {
      env: this.env,
      cwd: this.work,
      maxBuffer: 2 ** 28,
    });
    return stdout;
  }

  get file(): ServerFile {
    return JSON.parse(readFileSync(join(this.home, 'server.json'), 'utf8')) as ServerFile;
  }

  get token(): string {
    return readFileSync(join(this.home, 'token'), 'utf8').trim();
  }

  get client(): VgpuClient {
    return new VgpuClient({ url: this.file.url, token: this.token });
  }

  async close(): Promise<void> {
    await this.vgpu('down').catch(() => '');
    rmSync(join(this.home, '..'), { recursive: true, force: true });
  }
}
