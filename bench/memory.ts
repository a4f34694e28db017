import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchServer } from './harness/bench-server.ts';
import { type Bench, less } from './result.ts';

const MiB = 1024; // /proc speaks of KiB

/** Resident memory of a process in MiB. */
function resident(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / MiB;
}

/** The largest dockerd on this machine, if there is one. */
function engineMemory(): number | null {
  const sizes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd' ? [resident(pid)] : [];
      } catch {
        return [];
      }
    });
  return sizes.length > 0 ? Math.max(...sizes) : null;
}

/** What the server holds when nothing happens. */
export const bench: Bench = async ({ quick }) => {
  const server = await BenchServer.start();
  try {
    await sleep(quick ? 5000 : 15_000);
    return [
      less('server, idle: resident memory', 'MiB', resident(server.file.pid), engineMemory(), 'dockerd'),
    ];
  } finally {
    await server.close();
  }
};
