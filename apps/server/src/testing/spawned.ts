import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { DockerDriver, EngineClient, LABEL } from '@vgpu/drivers';
import { TestClient } from './client.ts';
import { testHome } from './engine.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const START_LIMIT_MS = 120_000;

/** A server as a process of its own that tests kill and start again on the same home. */
export class SpawnedServer {
  readonly home: string;
  readonly #engine: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #remove: () => void;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(engineSocket: string, env: NodeJS.ProcessEnv = {}) {
    const { home, remove } = testHome();
    this.home = home;
    this.#remove = remove;
    this.#engine = engineSocket;
    this.#env = env;
  }

  /** Starts it; resolves with a client once it answers. */
  async start(): Promise<TestClient> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
      env: {
        ...process.env,
        VGPU_HOME: this.home,
        VGPU_PORT: '0',
        VGPU_ENGINE: `unix://${this.#engine}`,
        VGPU_WARM: '0',
        VGPU_CHECK_ANSWERS: '1',
        ...this.#env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr!.on('data', (data: Buffer) => {
      this.#log += data.toString();
    });
    for (const deadline = Date.now() + START_LIMIT_MS; Date.now() < deadline; await pause(20)) {
      if (child.exitCode !== null) break;
      const pid = this.#serverFile()?.pid;
      if (pid === child.pid) return TestClient.of(this.#serverFile()!.url, this.home);
    }
    throw new Error(`the server did not start:\n${this.#log}`);
  }

  /** What it wrote to its log so far. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Ends it by a signal and waits until it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Everything of this home in the engine, asked by label: workers of tasks and idle ones. */
  async containers(): Promise<{ id: string; attempt: string }[]> {
    const home = readFileSync(join(this.home, 'driver', 'home-id'), 'utf8').trim();
    const filters = JSON.stringify({ label: [`${LABEL.home}=${home}`] });
    const client = new EngineClient(this.#engine);
    try {
      const all = await client.json<{ Id: string; Labels: Record<string, string> }[]>(
        'GET',
        '/containers/json',
        {
          query: { all: true, filters },
        },
      );
      return all.map((one) => ({ id: one.Id, attempt: one.Labels[LABEL.attempt] ?? '' }));
    } finally {
      await client.close();
    }
  }

  /** The admin token. */
  get token(): string {
    return readFileSync(join(this.home, 'token'), 'utf8').trim();
  }

  /** Removes a container by force, as somebody else might; the server may be doing so at the moment, or have done it. */
  async removeContainer(name: string): Promise<void> {
    const client = new EngineClient(this.#engine);
    await client.status('DELETE', `/containers/${name}`, { query: { force: true }, accept: [404, 409] });
    await client.close();
  }

  /** What every attempt was given and when: from its placement to the end of its program. */
  attempts(): { task: string; cpuMilli: number; memoryBytes: number; from: number; to: number | null }[] {
    const database = new DatabaseSync(join(this.home, 'state.db'), { readOnly: true });
    const rows = database.prepare('SELECT task, placement, created_at, ended_at FROM attempts').all() as {
      task: string;
      placement: string;
      created_at: number;
      ended_at: number | null;
    }[];
    database.close();
    return rows.map(({ task, placement, created_at, ended_at }) => {
      const { cpuMilli, memoryBytes } = JSON.parse(placement) as { cpuMilli: number; memoryBytes: number };
      return { task, cpuMilli, memoryBytes, from: created_at, to: ended_at };
    });
  }

  /** How often each task came to COMPLETED, by the events in the store. */
  completions(): Record<string, number> {
    const database = new DatabaseSync(join(this.home, 'state.db'), { readOnly: true });
    const rows = database
      .prepare("SELECT task, count(*) AS count FROM events WHERE to_state = 'COMPLETED' GROUP BY task")
      .all() as { task: string; count: number }[];
    database.close();
    return Object.fromEntries(rows.map((row) => [row.task, row.count]));
  }

  /** Ends it, gives back everything of its home in the engine, and removes the home. */
  async close(): Promise<void> {
    await this.kill();
    const driver = await DockerDriver.open({ socketPath: this.#engine, home: this.home });
    await driver.purge();
    await driver.close();
    this.#remove();
  }

  #serverFile(): { pid: number; url: string } | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home, 'server.json'), 'utf8')) as { pid: number; url: string };
    } catch {
      return undefined;
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
