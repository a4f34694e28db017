import { readdirSync } from 'node:fs';
import type { Accelerator } from '../accelerator.ts';
import { findDriverFiles, nvidiaCdiSpec } from '../cdi/nvidia-spec.ts';
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
 * The device itself, without bounds: its nodes and its driver's files. By the name of an installed CDI specification
 * where the engine knows CDI; else expanded: from what is found of the driver, or, where that lies in unusual places,
 * from the installed specification.
 * @param cdi whether the engine knows CDI.
 */
export function deviceGrant(
  device: Accelerator,
  cdi: boolean,
  specs: readonly CdiSpec[] = installedSpecs(),
): Grant {
  if (device.provider === 'nvidia') {
    const installed = specFor(device.uuid, specs);
    if (cdi && installed) return { ...emptyGrant(), cdi: [installed.name] };
    const driver = findDriverFiles();
    const spec =
      driver.libraries.length === 0 && installed ? installed.spec : nvidiaCdiSpec([device], driver);
    const grant = expand(spec, device.uuid);
    return { ...grant, env: { ...grant.env, CUDA_VISIBLE_DEVICES: device.uuid } };
  }
  // A CPU behind OpenCL needs nothing but its driver, which the image brings.
  if (device.kind === 'cpu') return emptyGrant();
  return { ...emptyGrant(), devices: renderNodes().map((path) => ({ path })) };
}
