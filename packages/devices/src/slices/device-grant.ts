import { readdirSync } from 'node:fs';
import type { Accelerator } from '../accelerator.ts';
import { nvidiaCdiSpec } from '../cdi/nvidia-spec.ts';
import { type CdiSpec, expand, installedSpecs, specFor } from '../cdi/spec.ts';
import { emptyGrant, type Grant } from './grant.ts';

/** Render nodes of open drivers, and AMD's compute node. */
function renderNodes(): string[] {
  const list = (dir: string) => {
    try {
      return readdirSync(dir);
    } catch {
      return [];
    }
  };
  const render = list('/dev/dri').filter((name) => name.startsWith('renderD'));
  return [
    ...render.map((name) => `/dev/dri/${name}`),
    ...list('/dev')
      .filter((n) => n === 'kfd')
      .map((n) => `/dev/${n}`),
  ];
}

/**
 * The device itself, without bounds: its nodes and its driver's files.
 * @param cdi whether the engine knows CDI; else the specification is expanded here.
 */
export function deviceGrant(
  device: Accelerator,
  cdi: boolean,
  specs: readonly CdiSpec[] = installedSpecs(),
): Grant {
  if (device.provider === 'nvidia') {
    const own = nvidiaCdiSpec([device]);
    const found = specFor(device.uuid, specs) ?? { spec: own, name: `${own.kind}=${device.uuid}` };
    if (cdi && found.spec !== own) return { ...emptyGrant(), cdi: [found.name] };
    return { ...expand(found.spec, device.uuid), env: { CUDA_VISIBLE_DEVICES: device.uuid } };
  }
  // A CPU behind OpenCL needs nothing but its driver, which the image brings.
  if (device.kind === 'cpu') return emptyGrant();
  return { ...emptyGrant(), devices: renderNodes().map((path) => ({ path })) };
}
