import { type JobSpec, type SecretUse, secretFile } from '@vgpu/core';
import { bytes, cores, duration, milli } from '../ui/figures.ts';

const list = (values: readonly unknown[]): string => (values.length ? values.join(', ') : 'none');
const pairs = (values: Record<string, unknown>): string =>
  list(Object.entries(values).map(([name, value]) => `${name}=${String(value)}`));

/** Where a secret goes: its file, and its variable where it has one. */
const secretText = (use: SecretUse): string =>
  `${use.name} as /run/secrets/${secretFile(use)}${use.env ? ` and ${use.env}` : ''}`;

/** A stored spec as lines of name and value, with units written out. Missing parts are left out. */
export function specLines(raw: Record<string, unknown>): [name: string, value: string][] {
  const spec = raw as Partial<JobSpec>;
  const lines: [string, string | undefined][] = [
    ['Script', spec.script],
    ['Image', spec.image],
    ['Arguments', spec.args && (Array.isArray(spec.args) ? list(spec.args) : pairs(spec.args))],
    ['Datasets', spec.data && list(spec.data.map((one) => one.dataset ?? one.path ?? '?'))],
    ['Target', spec.data && list([...new Set(spec.data.map((one) => one.target).filter(Boolean))])],
    ['CPU', spec.resources && cores(spec.resources.cpu)],
    ['Memory', spec.resources && bytes(spec.resources.memory)],
    ['GPU', spec.resources && (spec.resources.gpu ? milli(spec.resources.gpu, 'GPU') : 'none')],
    ['GPU memory', spec.resources && (spec.resources.vram ? bytes(spec.resources.vram) : 'by its share')],
    ['Isolation', spec.resources?.isolation],
    ['QoS class', spec.resources?.qos],
    ['Models', spec.resources && (spec.resources.models.length ? list(spec.resources.models) : 'any')],
    [
      'Primary metric',
      spec.metrics &&
        `${spec.metrics.primary ?? 'first score'}${spec.metrics.goal ? `, ${spec.metrics.goal}` : ''}`,
    ],
    ['Time limit', spec.limits && duration(spec.limits.time)],
    ['Retries', spec.limits && String(spec.limits.retries)],
    ['Output limit', spec.limits && bytes(spec.limits.output)],
    ['Priority', spec.priority === undefined ? undefined : String(spec.priority)],
    ['Network', spec.network],
    ['Ports', spec.ports && list(spec.ports)],
    ['Environment', spec.env && pairs(spec.env)],
    ['Secrets', spec.secrets && list(spec.secrets.map(secretText))],
  ];
  return lines.filter((line): line is [string, string] => typeof line[1] === 'string');
}
