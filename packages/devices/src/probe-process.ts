import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * Vendor libraries are loaded in processes of their own: a driver that crashes, hangs or takes hundreds of
 * megabytes (LLVM inside an OpenCL CPU device) must not do so inside the server.
 */
export function spawnProbe(
  entry: URL,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry.pathname, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
}

export interface ProbeResult<T> {
  value: T | null;
  problem: string | null;
}

/**
 * Runs a probe to its end and parses the last line of its output as JSON.
 * @param timeoutMs the probe is killed after this; default 20 s (a cold OpenCL driver may compile built-ins).
 */
export async function runProbe<T>(
  entry: URL,
  args: readonly string[],
  timeoutMs = 20_000,
): Promise<ProbeResult<T>> {
  const child = spawnProbe(entry, args);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let last = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  for await (const line of createInterface({ input: child.stdout })) if (line) last = line;
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve([child.exitCode, child.signalCode]);
    else child.once('close', (c, s) => resolve([c, s]));
  });
  clearTimeout(timer);
  try {
    if (code === 0) return { value: JSON.parse(last) as T, problem: null };
  } catch {
    // falls through to the problem below
  }
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  const lines = errors.split('\n').map((line) => line.trim());
  const said = lines.find((line) => /error/i.test(line)) ?? lines.find(Boolean) ?? '';
  return { value: null, problem: `the probe of the driver ${how}: ${said}` };
}
