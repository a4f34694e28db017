import { style } from '../output/style.ts';

/** Every field of a job spec with its default. A test holds it against the schema. */
export const specFields: readonly [field: string, value: string, meaning: string][] = [
  ['name', '(the script’s)', 'name of the job'],
  ['script', '', 'path of the script; the only field that is required'],
  ['args', '{}', '{lr: 0.01} becomes --lr 0.01; a list is passed as it is'],
  ['data', '[]', 'one task for each entry'],
  ['data[].path', '', 'a file to import; or else'],
  ['data[].dataset', '', 'a dataset by name, or name@version'],
  ['data[].name', '(the file’s)', 'name of the imported dataset'],
  ['data[].target', '', 'the column to predict: never imputed or clipped'],
  [
    'data[].clean',
    '{}',
    'impute, value, missingIndicators, clip, columns, delimiter, quote, encoding, header, decimal, dropDuplicates',
  ],
  ['image', 'sklearn', 'worker image by name, or any OCI reference'],
  ['resources.gpu', '0', 'share of a GPU for each task: 0.25 is a quarter, 2 is two whole ones'],
  ['resources.vram', '0', 'GPU memory; 0 leaves it to the share'],
  ['resources.cpu', '1', 'cores'],
  ['resources.memory', '512MiB', 'memory; beyond it the task fails with OUT_OF_MEMORY'],
  ['resources.isolation', 'any', 'any, soft or hard'],
  ['resources.qos', 'burstable', 'guaranteed, burstable or best-effort'],
  ['resources.models', '[]', 'models of GPU that will do'],
  ['env', '{}', 'environment variables'],
  ['secrets', '[]', 'NAME, {name, env: VAR} or {name, file}: files under /run/secrets'],
  ['metrics.primary', '', 'the score to compare tasks by'],
  ['metrics.goal', '(by its name)', 'maximize or minimize'],
  ['limits.time', '24h', 'longest run of a task'],
  ['limits.retries', '0', 'how often a failed task is tried again'],
  ['limits.output', '1GiB', 'bytes of files that a task may keep'],
  ['limits.files', '10000', 'number of files that a task may keep'],
  ['priority', '0', 'higher goes first'],
  ['network', 'none', 'none, or egress where the project allows it'],
  ['ports', '[]', 'ports that the server serves under /proxy/<task>/<port>/'],
];

/** The text of `vgpu help spec`. */
export function specHelp(): string {
  const width = Math.max(...specFields.map(([field]) => field.length));
  const valueWidth = Math.max(...specFields.map(([, value]) => value.length));
  const lines = specFields.map(
    ([field, value, meaning]) =>
      `  ${field.padEnd(width)}  ${style.dim(value.padEnd(valueWidth))}  ${meaning}`,
  );
  return `A job spec is YAML (or JSON). Unknown keys are errors.

${lines.join('\n')}

Example:
  name: churn
  script: train.py
  data:
    - {path: a.csv, target: label, clean: {impute: median, clip: [0.01, 0.99]}}
    - {path: b.csv, target: label}
  resources: {cpu: 2, memory: 4GiB}

Run it with: vgpu apply job.yaml --follow`;
}
