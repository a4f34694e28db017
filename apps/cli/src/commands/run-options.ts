import { readFileSync } from 'node:fs';
import { type SecretUseInput, VgpuError } from '@vgpu/core';
import { type Command, Option } from 'commander';

/** Adds to a list each time that the flag is given. */
export const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

/** Flags of `run`, as commander hands them over. */
export interface RunFlags {
  name?: string;
  data?: string[];
  target?: string;
  clean?: string;
  cpu?: string;
  memory?: string;
  gpu?: string;
  vram?: string;
  model?: string[];
  isolation?: string;
  qos?: string;
  time?: string;
  env?: string[];
  secret?: string[];
  image?: string;
  retries?: string;
  priority?: string;
  network?: string;
  port?: string[];
  metric?: string;
  goal?: string;
  folder?: string;
}

export interface SubmitFlags {
  idempotencyKey?: string;
  wait?: boolean;
  follow?: boolean;
  json?: boolean;
  dryRun?: boolean;
}

/** The flags that say what happens after a submission; `run` and `apply` share them. */
export function addSubmitOptions(command: Command): Command {
  return command
    .option('--idempotency-key <key>', 'submit once, however often this is repeated')
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('-w, --wait', 'wait until the job has ended; the exit code says how')
    .option('-f, --follow', 'show the job live until it has ended (Ctrl-C leaves it running)')
    .option('--json', 'print JSON');
}

export function addRunOptions(command: Command): Command {
  return command
    .option('-n, --name <name>', 'name of the job (default: the script’s)')
    .option('-d, --data <file>', 'a file to import, or a dataset by name; again for more', collect)
    .option('-t, --target <column>', 'the column to predict')
    .option('--clean <json>', 'cleaning options as JSON, or @FILE')
    .option('--cpu <cores>', 'cores for each task (default: 1)')
    .option('--memory <size>', 'memory for each task (default: 512MiB)')
    .option('--gpu <share>', 'GPU share for each task: 0.25 is a quarter, 2 is two')
    .option('--vram <size>', 'GPU memory for each task')
    .option('--model <name>', 'a model of GPU that will do; again for more', collect)
    .addOption(
      new Option('--isolation <kind>', 'how a GPU share is kept apart').choices(['any', 'soft', 'hard']),
    )
    .addOption(
      new Option('--qos <class>', 'quality of service').choices(['guaranteed', 'burstable', 'best-effort']),
    )
    .option('--time <duration>', 'longest run of a task, such as 60s or 2h (default: 24h)')
    .option('-e, --env <K=V>', 'an environment variable; again for more', collect)
    .option(
      '--secret <NAME[=ENV]>',
      'a secret as /run/secrets/NAME, and as the variable ENV; again for more',
      collect,
    )
    .option('--image <image>', 'worker image by name, or any OCI reference (default: sklearn)')
    .option('--retries <n>', 'how often a failed task is tried again (default: 0)')
    .option('--priority <n>', 'higher goes first (default: 0)')
    .addOption(
      new Option('--network <mode>', 'network of the tasks (default: none)').choices(['none', 'egress']),
    )
    .option('--port <port>', 'a port that the server serves under /proxy/; again for more', collect)
    .option('--metric <name>', 'the score to compare by')
    .addOption(
      new Option('--goal <goal>', 'whether a higher score is better').choices(['maximize', 'minimize']),
    )
    .option('--folder <dir>', 'upload this folder (default: the script’s own)');
}

const bad = (flag: string, problem: string): VgpuError =>
  new VgpuError('BAD_FLAG', { flag, problem, command: 'run' });

function integer(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw bad(flag, `"${text}" is not a whole number`);
  return Number(text);
}

function environment(entries: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at > 0) return [entry.slice(0, at), entry.slice(at + 1)];
      // As docker does it: a bare name takes the value that it has here.
      const value = process.env[entry];
      if (at === 0 || value === undefined) throw bad('--env', `"${entry}" is not NAME=VALUE`);
      return [entry, value];
    }),
  );
}

/** `NAME` is a file alone, `NAME=ENV` a variable as well. */
function secretUse(entry: string): SecretUseInput {
  const [name = '', env] = entry.split(/=(.*)/s);
  if (name === '' || env === '') throw bad('--secret', `"${entry}" is not NAME or NAME=ENV`);
  return env === undefined ? name : { name, env };
}

/** Cleaning options from `--clean`. @param command the one that an error points to. */
export function cleanFlag(text: string | undefined, command = 'run'): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  let source = text;
  if (text.startsWith('@')) {
    try {
      source = readFileSync(text.slice(1), 'utf8');
    } catch {
      throw new VgpuError('FILE_NOT_FOUND', { path: text.slice(1), cwd: process.cwd() });
    }
  }
  try {
    const value: unknown = JSON.parse(source);
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // reported below
  }
  const problem = 'not a JSON object, such as \'{"impute":"median","clip":[0.01,0.99]}\'';
  throw new VgpuError('BAD_FLAG', { flag: '--clean', problem, command });
}

/** Leaves out what is undefined, so that the spec holds only what the user wrote. */
function given<T extends object>(entries: T): Partial<T> | undefined {
  const kept = Object.entries(entries).filter(([, value]) => value !== undefined);
  return kept.length > 0 ? (Object.fromEntries(kept) as Partial<T>) : undefined;
}

/** The job spec that the flags describe, as a user would write it in YAML. */
export function specFromFlags(
  script: string,
  args: readonly string[],
  flags: RunFlags,
): Record<string, unknown> {
  const clean = cleanFlag(flags.clean);
  const spec = given({
    name: flags.name,
    script,
    args: args.length > 0 ? [...args] : undefined,
    data: flags.data?.map((path) => given({ path, target: flags.target, clean })),
    image: flags.image,
    resources: given({
      gpu: flags.gpu,
      vram: flags.vram,
      cpu: flags.cpu,
      memory: flags.memory,
      isolation: flags.isolation,
      qos: flags.qos,
      models: flags.model,
    }),
    env: flags.env ? environment(flags.env) : undefined,
    secrets: flags.secret?.map(secretUse),
    metrics: given({ primary: flags.metric, goal: flags.goal }),
    limits: given({ time: flags.time, retries: integer('--retries', flags.retries) }),
    priority: integer('--priority', flags.priority),
    network: flags.network,
    ports: flags.port?.map((port) => integer('--port', port)),
  });
  return spec as Record<string, unknown>;
}
