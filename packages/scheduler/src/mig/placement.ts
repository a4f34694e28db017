import type { MigInstance } from '../view.ts';
import type { MigProduct, MigProfile } from './profiles.ts';

export interface MigSpot {
  readonly profile: string;
  readonly start: number;
}

function profileOf(product: MigProduct, name: string): MigProfile | undefined {
  return product.profiles.find((p) => p.name === name);
}

function overlaps(product: MigProduct, profile: MigProfile, start: number, other: MigSpot): boolean {
  const size = profileOf(product, other.profile)?.size ?? product.memorySlices;
  return start < other.start + size && other.start < start + profile.size;
}

/** Whether the instances can exist together: legal starts, no overlap, compute and counts within bounds. */
export function isLegal(product: MigProduct, instances: readonly MigSpot[]): boolean {
  let compute = 0;
  const counts = new Map<string, number>();
  for (const [i, instance] of instances.entries()) {
    const profile = profileOf(product, instance.profile);
    if (!profile?.starts.includes(instance.start)) return false;
    compute += profile.compute;
    const n = (counts.get(profile.name) ?? 0) + 1;
    counts.set(profile.name, n);
    if (profile.max !== undefined && n > profile.max) return false;
    for (const other of instances.slice(0, i))
      if (overlaps(product, profile, instance.start, other)) return false;
  }
  return compute <= product.computeSlices;
}

/** Compute that is left for new instances beside those given, in the best packing of starts. */
function freeStarts(product: MigProduct, instances: readonly MigSpot[]): number {
  let n = 0;
  for (const profile of product.profiles) {
    if (profile.max !== undefined) continue;
    for (const start of profile.starts)
      if (isLegal(product, [...instances, { profile: profile.name, start }])) n += profile.size;
  }
  return n;
}

/**
 * Where a new instance of the profile goes: beside everything that exists if it can, otherwise over free
 * instances, fewest first; then where most room stays for others (weighed by size), then the first start.
 * @returns the start and the free instances that have to go, or undefined where held ones leave no room
 */
export function findSpot(
  product: MigProduct,
  existing: readonly MigInstance[],
  profileName: string,
): { start: number; destroy: readonly MigSpot[] } | undefined {
  const profile = profileOf(product, profileName);
  if (!profile) return undefined;
  const held = existing.filter((i) => i.taskId !== undefined);
  let best: { start: number; destroy: MigSpot[]; room: number } | undefined;
  for (const start of profile.starts) {
    const created = { profile: profileName, start };
    if (!isLegal(product, [...held, created])) continue;
    const kept: MigSpot[] = [...held];
    const destroy: MigSpot[] = [];
    for (const free of existing.filter((i) => i.taskId === undefined)) {
      if (isLegal(product, [...kept, created, free])) kept.push(free);
      else destroy.push({ profile: free.profile, start: free.start });
    }
    const room = freeStarts(product, [...kept, created]);
    if (
      !best ||
      destroy.length < best.destroy.length ||
      (destroy.length === best.destroy.length && room > best.room)
    )
      best = { start, destroy, room };
  }
  return best;
}

/** What one instance counts for: compute of 1000 and bytes of the device, both rounded down. */
export function profileAmounts(
  product: MigProduct,
  profile: MigProfile,
  vramBytes: number,
): { milli: number; vramBytes: number } {
  return {
    milli: Math.floor((1000 * profile.compute) / product.computeSlices),
    vramBytes: Math.floor((vramBytes * profile.size) / product.memorySlices),
  };
}
