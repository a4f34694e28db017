import type { FormState } from './form-state.ts';

/** `lines` of NAME=value; empty ones and those that begin with # are left out. */
export function envOf(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const clean = line.trim();
    if (!clean || clean.startsWith('#')) continue;
    const at = clean.indexOf('=');
    env[at < 0 ? clean : clean.slice(0, at).trim()] = at < 0 ? '' : clean.slice(at + 1);
  }
  return env;
}

/** A number where the text is one, so that the stored spec reads `lr: 0.01`. */
const plain = (value: string | boolean): string | number | boolean => {
  if (typeof value === 'boolean' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isFinite(number) && String(number) === value.trim() ? number : value;
};

/**
 * The spec that a form stands for; what was left as it is by default is left out.
 * @param datasets the name of each row of data, once imported.
 */
export function specOf(form: FormState, datasets: readonly (string | null)[]): Record<string, unknown> {
  const args = Object.fromEntries(
    Object.entries(form.args)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, plain(value)]),
  );
  const env = envOf(form.env);
  const data = form.data.map((row, i) => ({
    dataset: datasets[i] ?? row.dataset ?? row.file?.name ?? '',
    ...(row.target ? { target: row.target } : {}),
  }));
  return {
    ...(form.name ? { name: form.name } : {}),
    script: form.script,
    ...(form.argList ? { args: form.argList } : Object.keys(args).length ? { args } : {}),
    ...(data.length ? { data } : {}),
    image: form.image,
    resources: {
      gpu: form.gpu,
      cpu: form.cpu,
      memory: form.memory,
      ...(form.vram.trim() ? { vram: form.vram } : {}),
      isolation: form.isolation,
      qos: form.qos,
      ...(form.models.length ? { models: form.models } : {}),
    },
    ...(form.primary || form.goal
      ? {
          metrics: {
            ...(form.primary ? { primary: form.primary } : {}),
            ...(form.goal ? { goal: form.goal } : {}),
          },
        }
      : {}),
    limits: { time: form.time, retries: form.retries },
    ...(form.priority ? { priority: form.priority } : {}),
    network: form.network,
    ...(Object.keys(env).length ? { env } : {}),
    ...(form.secrets.length ? { secrets: form.secrets } : {}),
    ...(form.ports.length ? { ports: form.ports } : {}),
  };
}
