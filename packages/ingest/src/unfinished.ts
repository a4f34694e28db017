import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const active = new Set<string>();
const pattern = /^\.unfinished-(\d+)-(\d+)-[0-9a-f]+$/;

/** When a process started, in clock ticks since boot: with its pid, this names it beyond doubt. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

/** A fresh hidden folder for an import in progress; `sweepUnfinished` knows when its owner is gone. */
export async function openUnfinished(outDir: string): Promise<string> {
  const start = await startOf(process.pid);
  const dir = resolve(outDir, `.unfinished-${process.pid}-${start}-${randomBytes(6).toString('hex')}`);
  await mkdir(dir, { recursive: true });
  active.add(dir);
  return dir;
}

export async function closeUnfinished(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  active.delete(dir);
}

/** Removes what imports that were killed left under `outDir`; returns how many. */
export async function sweepUnfinished(outDir: string): Promise<number> {
  let swept = 0;
  const names = await readdir(outDir).catch((): string[] => []);
  for (const name of names) {
    const found = pattern.exec(name);
    const dir = resolve(join(outDir, name));
    if (!found || active.has(dir)) continue;
    const [pid, start] = [Number(found[1]), found[2]!];
    const running = pid !== process.pid && start !== '0' && (await startOf(pid)) === start;
    if (running) continue;
    await rm(dir, { recursive: true, force: true });
    swept++;
  }
  return swept;
}
