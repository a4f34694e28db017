/** Readers for the node and pod lists of Alibaba's cluster-trace-gpu-v2023 ("openb"), CC-BY-4.0. */

export interface TraceNode {
  readonly sn: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly gpus: number;
  /** Empty where the node has no GPU. */
  readonly model: string;
}

export interface TracePod {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly gpuCount: number;
  /** Per device; 0 where gpuCount is 0. */
  readonly gpuMilli: number;
  /** Acceptable models, each once; empty: any. */
  readonly models: readonly string[];
  readonly qos?: string;
  /** Seconds; absent where the file has no times. */
  readonly createdAt?: number;
  readonly deletedAt?: number;
}

/** A trace file that cannot be read; the message names the line and the column. */
export class TraceError extends Error {
  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
    this.name = 'TraceError';
  }
}

const MIB = 1024 * 1024;

interface Row {
  readonly line: number;
  text(column: string): string;
  number(column: string): number;
  optionalNumber(column: string): number | undefined;
}

/** Rows of a CSV without quoting, as all openb lists are; columns by header name, in any order. */
function* rows(text: string, file: string, required: readonly string[]): Generator<Row> {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '')
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((h) => h.trim());
  const at = new Map(header.map((h, i) => [h, i]));
  for (const column of required)
    if (!at.has(column))
      throw new TraceError(file, 1, `column ${column} is missing (found: ${header.join(', ')})`);
  for (let i = 1; i < lines.length; i++) {
    const raw = lines[i]!;
    if (raw.trim() === '') continue;
    const cells = raw.split(',');
    const line = i + 1;
    const get = (column: string) => (cells[at.get(column) ?? -1] ?? '').trim();
    const parse = (column: string): number => {
      const value = Number(get(column) || 0);
      if (!Number.isFinite(value) || value < 0)
        throw new TraceError(file, line, `${column} is not an amount: "${get(column)}"`);
      return value;
    };
    yield {
      line,
      text: get,
      number: parse,
      optionalNumber: (column) => (get(column) === '' ? undefined : parse(column)),
    };
  }
}

/** Reads a node list: `sn,cpu_milli,memory_mib,gpu,model`. Throws TraceError. */
export function readNodes(text: string, file = 'nodes'): TraceNode[] {
  const nodes: TraceNode[] = [];
  for (const row of rows(text, file, ['sn', 'cpu_milli', 'memory_mib', 'gpu', 'model']))
    nodes.push({
      sn: row.text('sn'),
      cpuMilli: row.number('cpu_milli'),
      memoryBytes: row.number('memory_mib') * MIB,
      gpus: row.number('gpu'),
      model: row.text('model'),
    });
  return nodes;
}

/**
 * Reads a pod list: `name,cpu_milli,memory_mib,num_gpu,gpu_milli` and, where present, `gpu_spec`, `qos`,
 * `creation_time`, `deletion_time`. Alternatives repeated in gpu_spec count once. Throws TraceError.
 */
export function readPods(text: string, file = 'pods'): TracePod[] {
  const pods: TracePod[] = [];
  for (const row of rows(text, file, ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'])) {
    const gpuCount = row.number('num_gpu');
    const gpuMilli = gpuCount === 0 ? 0 : row.number('gpu_milli');
    if (gpuCount > 0 && gpuMilli === 0)
      throw new TraceError(file, row.line, 'num_gpu is above 0 but gpu_milli is 0');
    pods.push({
      name: row.text('name'),
      cpuMilli: row.number('cpu_milli'),
      memoryBytes: row.number('memory_mib') * MIB,
      gpuCount,
      gpuMilli,
      models: [...new Set(row.text('gpu_spec').split('|').filter(Boolean))].sort(),
      qos: row.text('qos') || undefined,
      createdAt: row.optionalNumber('creation_time'),
      deletedAt: row.optionalNumber('deletion_time'),
    });
  }
  return pods;
}
