import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Job, routes } from '@vgpu/api';
import type { Command } from 'commander';
import { uploadScript } from '../bundle/upload.ts';
import { connect, pageOf, type Session } from '../context/connection.ts';
import { askToGoOn, tellEnginePlan } from '../context/engine-consent.ts';
import { readyEngine } from '../context/ready-engine.ts';
import { runningServer, startServer } from '../context/start-server.ts';
import { importFile } from '../data/import-file.ts';
import { datasetFile, demoDatasets, examples } from '../demo/demo-datasets.ts';
import { type Stages, stage } from '../demo/stage.ts';
import { followJob } from '../follow/follow-job.ts';
import { watchJob } from '../follow/watch-job.ts';
import { buildImage } from '../image/build-image.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { count, duration } from '../output/words.ts';
import { assertCompleted, jobJson, printOutcome } from '../submit/after-submit.ts';

/** Starts this machine's server unless it runs; the demo never uses one elsewhere. */
async function serverStage(stages: Stages): Promise<Session> {
  await stage(
    stages,
    'server',
    async () => (await runningServer()) ?? (await startServer()),
    (server) => `${server.url} (pid ${server.pid})`,
  );
  return connect();
}

async function imageStage(stages: Stages, { client }: Session): Promise<void> {
  const build = async () => {
    const { items } = await client.call(routes.images.list, {});
    const known = items.find((one) => one.name === 'sklearn');
    if (known) return { id: known.id, built: false };
    note('building the worker image (Python, NumPy, pandas, scikit-learn, matplotlib); once, a few minutes');
    return { id: (await buildImage(client, { name: 'sklearn' })).id, built: true };
  };
  const short = (id: string) => id.replace(/^sha256:/, '').slice(0, 12);
  await stage(stages, 'image', build, ({ id, built }) => `sklearn ${short(id)}${built ? ', built' : ''}`);
}

interface DemoInput {
  dataset: string;
  target: string;
}

async function dataStage(stages: Stages, { client }: Session): Promise<DemoInput[]> {
  const work = async () => {
    let rows = 0;
    let fixed = 0;
    const inputs: DemoInput[] = [];
    for (const one of demoDatasets()) {
      const { name, target } = one;
      const imported = await importFile(client, { path: datasetFile(one), name, target });
      rows += imported.report.rows;
      fixed +=
        imported.report.changes.reduce((sum, change) => sum + change.count, 0) + imported.report.rejected;
      inputs.push({ dataset: `${imported.name}@${imported.version}`, target });
    }
    return { inputs, rows, fixed };
  };
  const { inputs } = await stage(
    stages,
    'data',
    work,
    ({ inputs: { length }, rows, fixed }) =>
      `${count(length, 'dataset')}, ${rows} rows, ${fixed} values cleaned`,
  );
  return inputs;
}

/** Cores for each worker, such that all of them run at once: a share of the machine, a whole core at most. */
const demoCpu = (workers: number): number =>
  Math.max(0.1, Math.min(1, Math.floor((10 * availableParallelism()) / workers) / 10));

async function submitDemo({ client }: Session, data: readonly DemoInput[]): Promise<Job> {
  const { hash, script } = await uploadScript(client, join(examples, 'train.py'));
  const metrics = { primary: 'f1' };
  const resources = { cpu: demoCpu(data.length), memory: '384MiB' };
  const spec = { name: 'demo', script, args: { seconds: 2 }, data: [...data], resources, metrics };
  return client.call(routes.jobs.submit, { body: { spec, bundle: hash } }, { idempotencyKey: randomUUID() });
}

export function define(command: Command): void {
  command
    .description(
      'Set up whatever is missing, start the server, and run one training script over the datasets that ship with ' +
        'vgpu: one isolated worker for each, all at once.',
    )
    .option('-y, --yes', 'install what is missing without asking; where there is no terminal nobody is asked')
    .action(async (flags: { yes?: boolean; json?: boolean }) => {
      const plan = await tellEnginePlan();
      if (!plan.engine && !flags.yes && (await askToGoOn()) === false) return note('nothing was done');
      const startedAt = performance.now();
      const stages: Stages = [];
      await stage(
        stages,
        'engine',
        () => readyEngine({ plan, install: true }),
        ({ detail }) => detail,
      );
      const session = await serverStage(stages);
      await imageStage(stages, session);
      const inputs = await dataStage(stages, session);
      const job = await submitDemo(session, inputs);
      note(
        `${style.green('✓')} ${'job'.padEnd(9)} examples/train.py over ${count(inputs.length, 'dataset')} ${style.dim(job.id)}\n`,
      );
      const ended = flags.json ? await watchJob(session, job.id) : await followJob(session, job);
      const total = performance.now() - startedAt;
      if (flags.json) printJson({ ...jobJson(ended, session), stages, totalMs: total });
      else {
        print('');
        printOutcome(ended);
        print(`\n${style.dim('total    ')} ${duration(total)}`);
        print(`${style.dim('dashboard')} ${pageOf(session.connection, `jobs/${ended.id}`)}`);
        print(`${style.dim('next     ')} vgpu run your-script.py --data your-file.csv --follow`);
      }
      assertCompleted(ended);
    });
}
