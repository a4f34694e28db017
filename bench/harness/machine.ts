import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** The machine in one line, for the head of a table. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown CPU';
  const release =
    /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${model}), ${memory} GiB, ${release}, Node ${process.versions.node}`;
}
