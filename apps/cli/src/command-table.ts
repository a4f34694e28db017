import type { Command } from 'commander';

/** What a file in commands/ exports: it adds arguments, options, examples and the action to a bare command. */
export interface CommandModule {
  define(command: Command): void;
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  /** Loads the command's own code; nothing else of it is read before. */
  readonly load: () => Promise<CommandModule>;
}

const start = 'Start';
const jobs = 'Jobs';
const data = 'Data and images';
const machine = 'Machine';
const more = 'More';

/** Every command, in the order of the help text. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'Set up, run one script over real datasets, and show the scores',
    group: start,
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'up',
    summary: 'Start the server on this machine',
    group: start,
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'down',
    summary: 'Stop the server on this machine',
    group: start,
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'setup',
    summary: 'Install and start a container engine where there is none',
    group: start,
    load: () => import('./commands/setup.ts'),
  },
  {
    name: 'doctor',
    summary: 'Check this machine and say what to do about each finding',
    group: start,
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'login',
    summary: 'Use a server elsewhere',
    group: start,
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'logout',
    summary: 'Forget the server elsewhere and use this machine’s again',
    group: start,
    load: () => import('./commands/logout.ts'),
  },
  {
    name: 'run',
    summary: 'Run a script, once for each dataset',
    group: jobs,
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'apply',
    summary: 'Run a job that a YAML file describes',
    group: jobs,
    load: () => import('./commands/apply.ts'),
  },
  { name: 'ps', summary: 'List jobs', group: jobs, load: () => import('./commands/ps.ts') },
  {
    name: 'show',
    summary: 'Show one job with its tasks',
    group: jobs,
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'logs',
    summary: 'Print what the tasks of a job printed',
    group: jobs,
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'metrics',
    summary: 'Compare the scores of a job’s tasks',
    group: jobs,
    load: () => import('./commands/metrics.ts'),
  },
  {
    name: 'wait',
    summary: 'Wait until a job has ended',
    group: jobs,
    load: () => import('./commands/wait.ts'),
  },
  { name: 'stop', summary: 'Stop a job', group: jobs, load: () => import('./commands/stop.ts') },
  {
    name: 'retry',
    summary: 'Queue the failed tasks of a job again',
    group: jobs,
    load: () => import('./commands/retry.ts'),
  },
  {
    name: 'files',
    summary: 'List or save the files that a job kept',
    group: jobs,
    load: () => import('./commands/files.ts'),
  },
  {
    name: 'export',
    summary: 'Write the scores as CSV, JSON or Markdown',
    group: jobs,
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'rm',
    summary: 'Delete a job with its logs and files',
    group: jobs,
    load: () => import('./commands/rm.ts'),
  },
  {
    name: 'queue',
    summary: 'Show what waits, in order, and why',
    group: jobs,
    load: () => import('./commands/queue.ts'),
  },
  {
    name: 'data',
    summary: 'Import, check, list, show and delete datasets',
    group: data,
    load: () => import('./commands/data.ts'),
  },
  {
    name: 'image',
    summary: 'Build, list, inspect and delete worker images',
    group: data,
    load: () => import('./commands/image.ts'),
  },
  {
    name: 'secret',
    summary: 'Set, list and delete secrets that tasks may use',
    group: data,
    load: () => import('./commands/secret.ts'),
  },
  {
    name: 'top',
    summary: 'Watch services, workers and accelerators live',
    group: machine,
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'gpu',
    summary: 'List accelerators, watch them, and set up pools',
    group: machine,
    load: () => import('./commands/gpu.ts'),
  },
  {
    name: 'exec',
    summary: 'Run a program on a slice of an accelerator, without a container',
    group: machine,
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'sim',
    summary: 'Replay a trace of jobs through the scheduler',
    group: machine,
    load: () => import('./commands/sim.ts'),
  },
  {
    name: 'project',
    summary: 'List projects, and set their quotas, limits and rights',
    group: machine,
    load: () => import('./commands/project.ts'),
  },
  {
    name: 'token',
    summary: 'Create, list and revoke access tokens',
    group: machine,
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'bench',
    summary: 'Measure vgpu against its rivals, side by side',
    group: more,
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'test',
    summary: 'Install what the tests need and run them all',
    group: more,
    load: () => import('./commands/test.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a completion script for a shell',
    group: more,
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'help',
    summary: 'Explain a command, or the job spec (vgpu help spec)',
    group: more,
    load: () => import('./commands/help.ts'),
  },
  {
    name: 'version',
    summary: 'Print the versions of the command and of the server',
    group: more,
    load: () => import('./commands/version.ts'),
  },
];
