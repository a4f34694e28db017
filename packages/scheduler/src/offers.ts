import { deviceMismatch, takesWhole } from './eligible.ts';
import { findSpot, type MigSpot, profileAmounts } from './mig/placement.ts';
import { migProduct } from './mig/profiles.ts';
import type { Pending } from './pending.ts';
import type { WaitCode } from './reasons.ts';
import type { AcceleratorShare, AcceleratorView } from './view.ts';

/** What one device could give a task now. */
export interface Offer {
  readonly device: AcceleratorView;
  readonly share: AcceleratorShare;
  /** The device has to be recut first. */
  readonly recut?: { readonly destroy: readonly MigSpot[]; readonly create: readonly MigSpot[] };
}

/** 1/7 of a device is 142.86 milli: a request rounded up to 143 still means one slice. */
const ROUNDING = 1;

/**
 * What the device could give the task now, or why it cannot.
 * @param recut whether MIG devices may be recut for it
 */
export function offerOf(task: Pending, device: AcceleratorView, recut: boolean): Offer | WaitCode {
  const never = deviceMismatch(task, device);
  if (never) return never;
  if (device.freeSlots !== undefined && device.freeSlots < 1) return 'slots';
  if (device.oneProject != null && device.oneProject !== task.project) return 'project';
  switch (device.mode) {
    case 'passthrough':
      if (device.freeMilli < device.milli) return 'gpu';
      return { device, share: { uuid: device.uuid, milli: device.milli, vramBytes: device.freeVramBytes } };
    case 'shared':
    case 'remote':
      return limiterOffer(task, device);
    case 'mig':
    case 'mig-vgpu':
      return migOffer(task, device, recut);
    case 'vgpu':
      return vgpuOffer(task, device);
  }
}

function limiterOffer(task: Pending, device: AcceleratorView): Offer | WaitCode {
  // A soft device gives hard isolation only to a task that has it to itself (`deviceMismatch` saw to the rest).
  if (task.isolation === 'hard' && device.isolation !== 'hard') {
    if (device.freeMilli < device.milli) return 'gpu';
    return { device, share: { uuid: device.uuid, milli: device.milli, vramBytes: device.freeVramBytes } };
  }
  if (device.freeMilli < task.gpuMilli) return 'gpu';
  const vramBytes = task.vramBytes ?? defaultVram(task, device);
  if (device.freeVramBytes < vramBytes) return 'vram';
  return { device, share: { uuid: device.uuid, milli: task.gpuMilli, vramBytes } };
}

/** Memory that comes with a share that names none: the same part as of the compute; all that is free with all of it. */
function defaultVram(task: Pending, device: AcceleratorView): number {
  if (takesWhole(task) && task.gpuMilli >= device.milli) return device.freeVramBytes;
  return Math.floor((device.vramBytes * task.gpuMilli) / device.milli);
}

function migOffer(task: Pending, device: AcceleratorView, recut: boolean): Offer | WaitCode {
  const product = migProduct(device.model, device.vramBytes);
  const existing = device.mig ?? [];
  if (!product) return 'profile';
  const suitable = product.profiles.filter((p) => {
    if (task.profile !== undefined) return p.name === task.profile;
    if (p.name.endsWith('+me')) return false;
    const has = profileAmounts(product, p, device.vramBytes);
    return has.milli + ROUNDING >= task.gpuMilli && has.vramBytes >= (task.vramBytes ?? 0);
  });
  if (suitable.length === 0) return task.profile === undefined ? 'too-large' : 'profile';
  // The smallest that exists and is free, unless a smaller one can be cut without breaking another.
  for (const profile of suitable) {
    const share = (start: number): AcceleratorShare => ({
      uuid: device.uuid,
      ...profileAmounts(product, profile, device.vramBytes),
      profile: profile.name,
      start,
    });
    const free = existing.find((i) => i.profile === profile.name && i.taskId === undefined);
    if (free) return { device, share: share(free.start) };
    const spot = recut ? findSpot(product, existing, profile.name) : undefined;
    if (spot && (spot.destroy.length === 0 || profile === suitable.at(-1) || !existsFree(suitable, existing)))
      return {
        device,
        share: share(spot.start),
        recut: { destroy: spot.destroy, create: [{ profile: profile.name, start: spot.start }] },
      };
  }
  return 'profile';
}

function existsFree(
  profiles: readonly { readonly name: string }[],
  existing: readonly { readonly profile: string; readonly taskId?: string }[],
): boolean {
  return existing.some((i) => i.taskId === undefined && profiles.some((p) => p.name === i.profile));
}

/** Time-sliced vGPU: all instances of a device have one type; an empty device takes any of its types. */
function vgpuOffer(task: Pending, device: AcceleratorView): Offer | WaitCode {
  const types = (device.vgpuTypes ?? [])
    .filter((t) => device.vgpuType === undefined || t.name === device.vgpuType)
    .filter((t) => task.profile === undefined || t.name === task.profile)
    .filter((t) => t.vramBytes >= (task.vramBytes ?? 0))
    .map((t) => ({ type: t, milli: Math.floor(device.milli / t.maxInstances) }))
    .filter((t) => t.milli + ROUNDING >= task.gpuMilli)
    .sort((a, b) => a.milli - b.milli || a.type.vramBytes - b.type.vramBytes);
  const smallest = types[0];
  if (!smallest) return 'profile';
  const { type, milli } = smallest;
  if (device.freeMilli < milli) return 'gpu';
  if (device.freeVramBytes < type.vramBytes) return 'vram';
  return { device, share: { uuid: device.uuid, milli, vramBytes: type.vramBytes, profile: type.name } };
}
