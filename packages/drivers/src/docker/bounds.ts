import { DriverError } from '../errors.ts';
import { EngineClient } from './client.ts';

/** The part of an engine's description that says what it can bound. */
export interface BoundsInfo {
  CgroupVersion?: string;
  MemoryLimit?: boolean;
  PidsLimit?: boolean;
  CpuCfsQuota?: boolean;
  SecurityOptions?: string[];
  /** Podman's own field. */
  Rootless?: boolean;
}

export type Bound = 'memory' | 'processes' | 'CPU time';

/** Whether the engine runs without root. */
export const rootlessOf = (info: BoundsInfo): boolean =>
  info.Rootless === true || (info.SecurityOptions?.some((o) => o.includes('rootless')) ?? false);

/** Controller of the kernel behind each bound. */
const CONTROLLERS: readonly [bound: Bound, controller: string, flag: keyof BoundsInfo][] = [
  ['memory', 'memory', 'MemoryLimit'],
  ['processes', 'pids', 'PidsLimit'],
  ['CPU time', 'cpu', 'CpuCfsQuota'],
];

/**
 * Bounds that an engine cannot enforce. Docker drops such a limit with no more than a warning.
 * @param controllers those that Podman says it may use; undefined for Docker, which has a flag for each.
 */
export function missingBounds(info: BoundsInfo, controllers?: readonly string[]): Bound[] {
  return CONTROLLERS.filter(([, controller, flag]) =>
    controllers ? !controllers.includes(controller) : info[flag] === false,
  ).map(([bound]) => bound);
}

/** Bounds that an engine cannot enforce, and what to do about it. */
export interface Unbounded {
  bounds: Bound[];
  hint: string;
}

/** Asks an engine what it cannot bound; `info` where it was asked already. */
export async function unboundedOf(client: EngineClient, info?: BoundsInfo): Promise<Unbounded> {
  const known = info ?? (await client.json<BoundsInfo>('GET', '/info'));
  const bounds = missingBounds(known, await podmanControllers(client));
  return { bounds, hint: boundsHint(known, rootlessOf(known)) };
}

/** Throws UNSUPPORTED for an engine that would run workers without their bounds. */
export async function assertBounded(socketPath: string, env = process.env): Promise<void> {
  const client = new EngineClient(socketPath);
  try {
    const { bounds, hint } = await unboundedOf(client);
    requireBounds(bounds, hint, env);
  } finally {
    await client.close();
  }
}

/** Controllers that Podman may use; undefined where it is not Podman, or does not say. */
export async function podmanControllers(client: EngineClient): Promise<string[] | undefined> {
  if ((await client.version()).engine !== 'podman') return undefined;
  const info = await client
    .json<{ host?: { cgroupControllers?: string[] } }>('GET', '/info', { libpod: true })
    .catch(() => undefined);
  return info?.host?.cgroupControllers;
}

/** What to do about bounds that are missing. */
export function boundsHint(info: BoundsInfo, rootless: boolean): string {
  const anyway = 'VGPU_ALLOW_UNBOUNDED=1 for the server runs workers all the same.';
  if (!rootless) return `Boot with the controllers (cgroup_enable=memory, or cgroup v2). ${anyway}`;
  if (info.CgroupVersion !== '2')
    return `A rootless engine bounds nothing with cgroup v1: boot with cgroup v2, or use an engine that runs as root. ${anyway}`;
  return `Delegate the controllers to users: Delegate=cpu cpuset io memory pids under [Service] in /etc/systemd/system/user@.service.d/delegate.conf, then sign in again. ${anyway}`;
}

/** Throws UNSUPPORTED unless workers are bounded, or somebody said that they need not be. */
export function requireBounds(missing: readonly Bound[], hint: string, env = process.env): void {
  if (missing.length === 0 || env.VGPU_ALLOW_UNBOUNDED === '1') return;
  throw new DriverError('UNSUPPORTED', `this engine cannot bound the ${listed(missing)} of workers`, hint);
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
