import type { Pending, Qos } from '@vgpu/scheduler';
import { TraceError, type TracePod } from './openb.ts';

const GIB = 1024 ** 3;

/** A task of a timeline: what it asks for, when it comes and how long it runs alone. Times in milliseconds. */
export interface Work {
  readonly task: Pending;
  readonly submitAt: number;
  readonly durationMs: number;
  readonly checkpointable: boolean;
}

/** Pods with creation and deletion times, as work. Pods without both are left out. */
export function workFromPods(pods: readonly TracePod[]): Work[] {
  const work: Work[] = [];
  for (const pod of pods) {
    if (pod.createdAt === undefined || pod.deletedAt === undefined) continue;
    const submitAt = pod.createdAt * 1000;
    const durationMs = Math.max(1000, pod.deletedAt * 1000 - submitAt);
    // openb: LS latency-sensitive, Burstable, BE best effort, Guaranteed.
    const qos: Qos = pod.qos === 'BE' ? 'best-effort' : pod.qos === 'Guaranteed' ? 'guaranteed' : 'burstable';
    work.push({
      task: {
        taskId: pod.name,
        jobId: pod.name,
        project: pod.qos ?? 'all',
        submittedAt: submitAt,
        cpuMilli: pod.cpuMilli,
        memoryBytes: pod.memoryBytes,
        gpuMilli: pod.gpuMilli,
        gpuCount: pod.gpuCount,
        vramBytes: 0,
        models: pod.models,
        qos,
        expectedDurationMs: durationMs,
      },
      submitAt,
      durationMs,
      checkpointable: qos === 'best-effort',
    });
  }
  return work;
}

/** Columns of the generic list; those with a default may be missing. Amounts of one task. */
const DEFAULTS: Readonly<Record<string, string | undefined>> = {
  name: undefined,
  submit_s: undefined,
  duration_s: undefined,
  cpu: '1',
  memory_gib: '1',
  gpus: '0',
  gpu: '1',
  vram_gib: '0',
  models: '',
  priority: '0',
  queue: 'default',
  qos: 'burstable',
  gang: '',
  gang_size: '1',
  checkpointable: 'no',
};

const QOS: readonly string[] = ['guaranteed', 'burstable', 'best-effort'];

export function isGenericList(text: string): boolean {
  return /(^|,)\s*submit_s\s*(,|\r?\n|$)/.test(text.slice(0, text.indexOf('\n') + 1) || text);
}

/**
 * Reads the generic list: `name,submit_s,duration_s` and any of `cpu` (cores), `memory_gib`, `gpus`, `gpu`
 * (part of each, 0 to 1), `vram_gib`, `models` (`A|B`), `priority`, `queue`, `qos`, `gang`, `gang_size`,
 * `checkpointable` (yes or no). Throws TraceError.
 */
export function readWork(text: string, file = 'work'): Work[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = (lines[0] ?? '').split(',').map((h) => h.trim());
  for (const h of header) if (!(h in DEFAULTS)) throw new TraceError(file, 1, `column ${h} is not known`);
  for (const [column, value] of Object.entries(DEFAULTS))
    if (value === undefined && !header.includes(column))
      throw new TraceError(file, 1, `column ${column} is missing`);
  const work: Work[] = [];
  for (let i = 1; i < lines.length; i++) {
    if (lines[i]!.trim() === '') continue;
    const cells = lines[i]!.split(',');
    const get = (column: string) => (cells[header.indexOf(column)] ?? '').trim() || (DEFAULTS[column] ?? '');
    const number = (column: string) => {
      const value = Number(get(column));
      if (get(column) === '' || !Number.isFinite(value))
        throw new TraceError(file, i + 1, `${column} is not a number: "${get(column)}"`);
      return value;
    };
    if (!QOS.includes(get('qos')))
      throw new TraceError(file, i + 1, `qos has to be one of ${QOS.join(', ')}`);
    const submitAt = number('submit_s') * 1000;
    const durationMs = number('duration_s') * 1000;
    if (!(durationMs > 0)) throw new TraceError(file, i + 1, 'duration_s has to be above 0');
    work.push({
      task: {
        taskId: get('name'),
        jobId: get('gang') || get('name'),
        project: get('queue'),
        priority: number('priority'),
        submittedAt: submitAt,
        cpuMilli: number('cpu') * 1000,
        memoryBytes: number('memory_gib') * GIB,
        gpuMilli: Math.round(number('gpu') * 1000),
        gpuCount: number('gpus'),
        vramBytes: number('vram_gib') * GIB,
        models: get('models').split('|').filter(Boolean),
        qos: get('qos') as Qos,
        gang: get('gang') ? { id: get('gang'), size: number('gang_size') } : undefined,
        expectedDurationMs: durationMs,
      },
      submitAt,
      durationMs,
      checkpointable: get('checkpointable') === 'yes',
    });
  }
  return work;
}
