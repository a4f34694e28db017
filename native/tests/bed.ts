// A test bed: a fake GPU, its arbiter, slices, and programs that run under them.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LedgerRow, type LedgerSnapshot, readLedger } from '../ledger/reader.ts';

export const root = join(import.meta.dirname, '..');

/** Builds everything; `target` is `all`, `asan` or `tsan`. Returns the build folder. */
export function build(target: 'all' | 'asan' | 'tsan' = 'all'): string {
  execFileSync('make', ['-j2', target], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return target === 'all' ? join(root, 'build') : join(root, 'build', target);
}

/** Nanoseconds of CLOCK_MONOTONIC. */
export const now = (): bigint => process.hrtime.bigint();

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** `key=value` words of a program's output line. */
export function fields(line: string): Record<string, number> {
  return Object.fromEntries([...line.matchAll(/(\w+)=(-?[\d.]+)/g)].map((m) => [m[1], Number(m[2])]));
}

export interface BedOptions {
  /** build folder */
  readonly build?: string;
  /** further options of the arbiter */
  readonly arbiter?: readonly string[];
  /** further environment, e.g. VGPU_FAKE_SMS */
  readonly env?: Readonly<Record<string, string>>;
  /** what runs programs of another processor: it is given what the loader is to see of the environment by -E */
  readonly emulator?: readonly string[];
  /** no fake GPU and no NVML: for OpenCL */
  readonly opencl?: boolean;
}

export class Bed {
  readonly dir = mkdtempSync(join(tmpdir(), 'vgpu-bed-'));
  readonly build: string;
  readonly env: NodeJS.ProcessEnv;
  private readonly options: BedOptions;
  private arbiter: ChildProcess | undefined;
  private readonly running = new Set<ChildProcess>();

  constructor(options: BedOptions = {}) {
    this.options = options;
    this.build = options.build ?? join(root, 'build');
    const fake = options.opencl
      ? {}
      : { LD_LIBRARY_PATH: join(this.build, 'fakedriver'), VGPU_FAKE_GPU: join(this.dir, 'gpu') };
    this.env = { ...process.env, VGPU_ARBITER_WAIT_MS: '3000', ...fake, ...options.env };
    delete this.env.LD_PRELOAD;
  }

  /** Starts the arbiter, or starts it again; resolves once it serves. */
  async start(): Promise<void> {
    const nvml = this.options.opencl ? 'none' : join(this.build, 'fakedriver', 'libnvidia-ml.so.1');
    const options = ['--dir', this.dir, '--nvml', nvml, ...(this.options.arbiter ?? [])];
    const [program, args, env] = this.command(join(this.build, 'vgpu-arbiter'), options, this.env);
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.arbiter = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`arbiter ended with ${code}`)));
      child.stdout?.once('data', () => resolve());
    });
  }

  get arbiterPid(): number {
    if (!this.arbiter?.pid) throw new Error('no arbiter');
    return this.arbiter.pid;
  }

  /** Ends the arbiter with a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.arbiter;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    return new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.kill(signal);
    });
  }

  /** One request to the control socket. */
  control(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(join(this.dir, 'control.sock'));
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        text += chunk;
        const lines = /^ok n=(\d+)/.exec(text)?.[1];
        if (text.split('\n').length > 1 + Number(lines ?? 0)) socket.end();
      });
      socket.on('close', () => resolve(text.trimEnd()));
      socket.on('error', reject);
      socket.write(`${request}\n`);
    });
  }

  /** Adds a slice; returns its folder. */
  async slice(id: string, settings: string): Promise<string> {
    const answer = await this.control(`add id=${id} ${settings}`);
    const dir = /^ok dir=(.*)$/.exec(answer)?.[1];
    if (!dir) throw new Error(answer);
    return dir;
  }

  ledger(): LedgerSnapshot {
    return readLedger(join(this.dir, 'ledger'));
  }

  /** A slice's row, as the ledger has it just now. */
  rowNow(id: string): LedgerRow {
    const found = this.ledger().slices.find((slice) => slice.id === id);
    if (!found) throw new Error(`no row ${id}`);
    return found;
  }

  /** A slice's row, up to date: the ends of programs that have ended are in it. */
  async row(id: string): Promise<LedgerRow> {
    await this.control('list'); // comes after what they left to be heard
    return this.rowNow(id);
  }

  /** The environment of a program under a slice (undefined: under none). */
  under(slice: string | undefined): NodeJS.ProcessEnv {
    if (slice === undefined) return this.env;
    return {
      ...this.env,
      VGPU_SLICE: join(this.dir, 'slices', slice),
      LD_PRELOAD: join(this.build, 'libvgpu-limiter.so'),
    };
  }

  /** How a program of the build folder is run. The loader's own settings are none of the emulator's business. */
  private command(
    file: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): readonly [string, readonly string[], NodeJS.ProcessEnv] {
    const [emulator, ...options] = this.options.emulator ?? [];
    if (!emulator) return [file, args, env];
    const { LD_PRELOAD, LD_LIBRARY_PATH, ...rest } = env;
    const set = Object.entries({ LD_PRELOAD, LD_LIBRARY_PATH }).flatMap(([name, value]) =>
      value ? ['-E', `${name}=${value}`] : [],
    );
    return [emulator, [...options, ...set, file, ...args], rest];
  }

  /** Starts a program under a slice: one of the build folder, or else one of the PATH. */
  spawn(
    slice: string | undefined,
    program: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    const file = join(this.build, program);
    const whole = { ...this.under(slice), ...env };
    const [run, list, rest] = existsSync(file)
      ? this.command(file, args, whole)
      : ([program, args, whole] as const);
    const child = spawn(run, list, { env: rest, stdio: ['pipe', 'pipe', 'pipe'] });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    return child;
  }

  /** Runs a program to its end. */
  run(
    slice: string | undefined,
    program: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Finished> {
    return finished(this.spawn(slice, program, args, env));
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    for (const child of this.running) child.kill('SIGKILL');
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function finished(child: ChildProcess): Promise<Finished> {
  return new Promise((resolve) => {
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    child.once('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

export interface Load {
  readonly slice: string | undefined;
  /** of bench/cuda_load or bench/opencl_load */
  readonly args: readonly string[];
  readonly program?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs loads side by side over one window; returns what each got done: nanoseconds of device time by second. */
export async function sideBySide(
  bed: Bed,
  loads: readonly Load[],
  windowMs: number,
  leadMs = 400,
): Promise<number[]> {
  const from = now() + BigInt(leadMs) * 1_000_000n;
  const to = from + BigInt(windowMs) * 1_000_000n;
  const results = await Promise.all(
    loads.map((load) =>
      bed.run(
        load.slice,
        load.program ?? 'bench/cuda_load',
        [...load.args, `from=${from}`, `to=${to}`],
        load.env,
      ),
    ),
  );
  return results.map((r, i) => {
    if (r.code !== 0) throw new Error(`load ${i} ended with ${r.code ?? r.signal}: ${r.err}`);
    const f = fields(r.out);
    return ((f.work_ns ?? 0) / (windowMs * 1e6)) * 1e9;
  });
}

/** Whether a tool is installed. */
export function has(tool: string): Promise<boolean> {
  return new Promise((resolve) => execFile('sh', ['-c', `command -v ${tool}`], (error) => resolve(!error)));
}
