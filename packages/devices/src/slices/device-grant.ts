import { readdirSync, readFileSync } from 'node:fs';
import type { Accelerator } from '../accelerator.ts';
import { findDriverFiles, nvidiaCdiSpec } from '../cdi/nvidia-spec.ts';
import { type CdiSpec, expand, installedSpecs, specFor } from '../cdi/spec.ts';
import { emptyGrant, type Grant } from './grant.ts';

/** PCI vendor ids, as sysfs writes them. */
const vendorIds: Partial<Record<Accelerator['vendor'], string>> = { amd: '0x1002', intel: '0x8086' };

const list = (dir: string): string[] => {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
};

/**
 * The nodes of a device with an open driver: its own render node, by its PCI address. A driver that does not tell the
 * address leaves the render nodes of its vendor, of which there is one on most machines; AMD's also needs its compute node.
 * @param root of the host's files; another one for tests.
 */
export function renderNodes(device: Pick<Accelerator, 'vendor' | 'pciBusId'>, root = ''): string[] {
  const isRender = (name: string) => name.startsWith('renderD');
  const all = list(`${root}/dev/dri`).filter(isRender);
  const own = device.pciBusId
    ? list(`${root}/sys/bus/pci/devices/${device.pciBusId.toLowerCase()}/drm`).filter(isRender)
    : [];
  const vendorOf = (name: string): string => {
    try {
      return readFileSync(`${root}/sys/class/drm/${name}/device/vendor`, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const wanted = vendorIds[device.vendor];
  const render = device.pciBusId
    ? all.filter((name) => own.includes(name))
    : all.filter((name) => !wanted || vendorOf(name) === wanted);
  const compute = device.vendor === 'amd' ? list(`${root}/dev`).filter((name) => name === 'kfd') : [];
  return [...render.map((name) => `/dev/dri/${name}`), ...compute.map((name) => `/dev/${name}`)];
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
  return { ...emptyGrant(), devices: renderNodes(device).map((path) => ({ path })) };
}
