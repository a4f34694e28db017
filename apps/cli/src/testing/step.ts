import { spawn } from 'node:child_process';

/** What a step of the test run came to. */
export interface StepResult {
  name: string;
  passed: number;
  failed: number;
  skipped: { name: string; reason: string }[];
  failures: { name: string; message: string }[];
  ms: number;
}

export interface CommandResult {
  code: number;
  output: string;
}

/** Runs a program in a folder; what it prints is kept, and shown as well where `show` is set. */
export function runProgram(
  argv: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; show?: boolean },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      if (options.show) process.stdout.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** A check that passes or fails as a whole. */
export async function checkStep(name: string, argv: readonly string[], cwd: string): Promise<StepResult> {
  const startedAt = performance.now();
  const { code, output } = await runProgram(argv, { cwd });
  const failures = code === 0 ? [] : [{ name, message: output.trim().split('\n').slice(-60).join('\n') }];
  return {
    name,
    passed: code === 0 ? 1 : 0,
    failed: failures.length,
    skipped: [],
    failures,
    ms: performance.now() - startedAt,
  };
}
