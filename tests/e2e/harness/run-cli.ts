import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../../..');

export interface CliResult {
  /** Exit code; 128 + n after signal n. */
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  json: any;
}

export interface CliOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  stdin?: string;
  /** Sent after this many milliseconds. */
  interruptAfterMs?: number;
}

/** Runs `./vgpu` as a user would, and waits for its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'vgpu'), args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, VGPU_NO_BUILD: '1', NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.end(options.stdin ?? '');
    const timer =
      options.interruptAfterMs === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGINT'), options.interruptAfterMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? (signal === 'SIGINT' ? 130 : 137),
        stdout,
        stderr,
        get json() {
          try {
            return JSON.parse(stdout);
          } catch {
            throw new Error(`no JSON on stdout: ${stdout.slice(0, 500)}\nstderr: ${stderr.slice(0, 2000)}`);
          }
        },
      });
    });
  });
}
