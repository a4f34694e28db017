import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Job, routes, VgpuClient } from '@vgpu/api';
import type { ServerFile } from '@vgpu/core';
import { inject } from 'vitest';
import { alive } from './alive.ts';
import { eventually } from './eventually.ts';
import { type CliOptions, type CliResult, runCli } from './run-cli.ts';

/** A server of its own in a temporary VGPU_HOME, used through the command line and the API only. */
export class TestServer {
  readonly home: string;
  /** Folder for scripts and data of the test. */
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = {}) {
    const base = mkdtempSync(join(tmpdir(), 'vgpu-e2e-'));
    this.home = join(base, 'home');
    this.work = join(base, 'work');
    mkdirSync(this.work);
    this.env = {
      VGPU_HOME: this.home,
      VGPU_ENGINE: inject('engine'),
      VGPU_PORT: '0',
      VGPU_CHECK_ANSWERS: '1',
      VGPU_SERVER: '',
      VGPU_TOKEN: '',
      ...env,
    };
  }

  /** Starts a server and waits until it answers. */
  static async start(env: NodeJS.ProcessEnv = {}): Promise<TestServer> {
    const server = new TestServer(env);
    await server.up();
    return server;
  }

  async up(): Promise<void> {
    const done = await this.vgpu(['up', '--detach']);
    if (done.code !== 0) throw new Error(`vgpu up failed (${done.code}):\n${done.stderr}\n${this.log()}`);
  }

  /** Runs `./vgpu` against this server. */
  vgpu(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return runCli(args, { cwd: this.work, ...options, env: { ...this.env, ...options.env } });
  }

  /** Writes a file below the work folder and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.work, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Runs a script to its end and returns the job. */
  async run(script: string, flags: readonly string[] = [], name = `script-${Date.now()}.py`): Promise<Job> {
    const folder = name.replace(/\.[^.]*$/, '');
    const done = await this.vgpu([
      'run',
      this.write(join(folder, name), script),
      ...flags,
      '--wait',
      '--json',
    ]);
    return done.json as Job;
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

  job(id: string): Promise<Job> {
    return this.client.call(routes.jobs.get, { params: { job: id } });
  }

  /** Waits until every task of the job has ended, through restarts of the server. */
  ended(id: string): Promise<Job> {
    const look = async () => {
      const job = await this.job(id);
      return job.endedAt !== null && job;
    };
    return eventually(`job ${id} ends`, look, 150_000);
  }

  /** kill -9; resolves once it is dead. */
  async kill(): Promise<void> {
    const { pid } = this.file;
    process.kill(pid, 'SIGKILL');
    await eventually('the server is dead', () => !alive(pid));
  }

  log(): string {
    const path = join(this.home, 'server.log');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-40).join('\n') : '(no log)';
  }

  /** Ends the server, whatever state it is in, and removes its folder. */
  async close(): Promise<void> {
    await this.vgpu(['down']);
    if (process.env.VGPU_KEEP) return;
    rmSync(dirname(this.home), { recursive: true, force: true });
  }
}
