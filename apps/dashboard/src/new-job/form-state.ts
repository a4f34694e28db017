import type { CleaningReport, Job } from '@vgpu/api';
import type { CleanOptions, JobSpec, SecretUse } from '@vgpu/core';
import { formatBytes } from '@vgpu/core';
import type { ScriptFile } from '../bundle/upload.ts';

/** One dataset of the form: a file to import, or one that is there. */
export interface DataRow {
  key: number;
  file: File | null;
  /** `name` or `name@version` of one that is there. */
  dataset: string | null;
  target: string;
  clean: CleanOptions;
  report: CleaningReport | null;
  problem: string | null;
}

/** What the form holds; texts as the user typed them. */
export interface FormState {
  name: string;
  script: string;
  files: ScriptFile[];
  /** Content hash once uploaded, or of the job that is duplicated. */
  bundle: string | null;
  args: Record<string, string | boolean>;
  /** A list of arguments, kept as it came from a duplicated job. */
  argList: (string | number | boolean)[] | null;
  data: DataRow[];
  image: string;
  gpu: number;
  vram: string;
  cpu: number;
  memory: string;
  isolation: JobSpec['resources']['isolation'];
  qos: JobSpec['resources']['qos'];
  models: string[];
  primary: string;
  goal: '' | 'maximize' | 'minimize';
  time: string;
  retries: number;
  priority: number;
  network: JobSpec['network'];
  env: string;
  secrets: SecretUse[];
  ports: number[];
}

let keys = 0;
export const dataRow = (part: Partial<DataRow>): DataRow => ({
  key: ++keys,
  file: null,
  dataset: null,
  target: '',
  clean: {},
  report: null,
  problem: null,
  ...part,
});

export const emptyForm = (): FormState => ({
  name: '',
  script: '',
  files: [],
  bundle: null,
  args: {},
  argList: null,
  data: [],
  image: 'sklearn',
  gpu: 0,
  vram: '',
  cpu: 1,
  memory: '512 MiB',
  isolation: 'any',
  qos: 'burstable',
  models: [],
  primary: '',
  goal: '',
  time: '24h',
  retries: 0,
  priority: 0,
  network: 'none',
  env: '',
  secrets: [],
  ports: [],
});

const exact = (bytes: number): string => {
  const text = formatBytes(bytes);
  return bytes % 2 ** 20 === 0 || bytes === 0 ? text : `${bytes} B`;
};

/** The form of a job that is to be run again, perhaps changed. */
export function formOf(job: Job): FormState {
  const spec = job.spec as unknown as Partial<JobSpec>;
  const { resources, limits, metrics } = spec;
  const form = emptyForm();
  const args: FormState['args'] = {};
  if (spec.args && !Array.isArray(spec.args)) {
    for (const [name, value] of Object.entries(spec.args))
      args[name] = typeof value === 'boolean' ? value : String(value);
  }
  return {
    ...form,
    name: spec.name ?? job.name,
    script: spec.script ?? job.script,
    bundle: job.bundle,
    args,
    argList: Array.isArray(spec.args) && spec.args.length > 0 ? spec.args : null,
    data: dataOf(job),
    image: spec.image ?? form.image,
    gpu: (resources?.gpu ?? 0) / 1000,
    vram: resources?.vram ? exact(resources.vram) : '',
    cpu: (resources?.cpu ?? 1000) / 1000,
    memory: exact(resources?.memory ?? 512 * 2 ** 20),
    isolation: resources?.isolation ?? form.isolation,
    qos: resources?.qos ?? form.qos,
    models: resources?.models ?? [],
    primary: metrics?.primary ?? '',
    goal: metrics?.goal ?? '',
    time: limits ? `${limits.time / 1000}s` : form.time,
    retries: limits?.retries ?? 0,
    priority: spec.priority ?? 0,
    network: spec.network ?? 'none',
    env: Object.entries(spec.env ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    secrets: spec.secrets ?? [],
    ports: spec.ports ?? [],
  };
}

/** The very versions that the tasks ran over. */
function dataOf(job: Job): DataRow[] {
  const seen = new Map<string, string>();
  for (const task of job.tasks) if (task.dataset) seen.set(task.dataset, task.target ?? '');
  return [...seen].map(([dataset, target]) => dataRow({ dataset, target }));
}
