import { DriverError } from '../errors.ts';
import type { DriverFingerprint } from '../types.ts';
import { type BoundsInfo, rootlessOf, unboundedOf } from './bounds.ts';
import { EngineClient } from './client.ts';
import type { DockerContext } from './context.ts';
import { EngineContainers } from './engine-containers.ts';
import { engineDialect } from './engine-dialect.ts';
import { folderSettings, homeIdentity, stageRuntime } from './host-settings.ts';

export interface DockerDriverOptions {
  /** The engine's Unix socket. */
  socketPath: string;
  /** VGPU_HOME. */
  home: string;
  /** OCI runtime by its name in the engine; default: crun where the engine has it and control groups are v2. */
  ociRuntime?: string;
  log?: (line: string) => void;
}

/** What an engine says of itself at `/info`, as far as it matters here. */
export interface EngineInfo extends BoundsInfo {
  DefaultRuntime?: string;
  Runtimes?: Record<string, unknown>;
  SwapLimit?: boolean;
  CDISpecDirs?: string[];
}

/** Connects to an engine and finds out how this home uses it. Throws ENGINE_UNREACHABLE, ENGINE_REFUSED or UNSUPPORTED. */
export async function openEngine(
  options: DockerDriverOptions,
): Promise<{ context: DockerContext; info: EngineInfo }> {
  const client = new EngineClient(options.socketPath);
  const { engine } = await client.version();
  const info = await client.json<EngineInfo>('GET', '/info');
  const homeId = homeIdentity(options.home);
  const dialect = engineDialect(engine, rootlessOf(info), options.home);
  if (dialect.rootless && process.getuid?.() === 0) {
    await client.close();
    throw new DriverError(
      'UNSUPPORTED',
      `the rootless engine at ${client.socketPath} belongs to a user, and vgpu runs as root here`,
      'Run vgpu as that user: the engine reads nothing of what belongs to root.',
    );
  }
  const unbounded = await unboundedOf(client, info);
  const runtimes = Object.keys(info.Runtimes ?? {});
  const context: DockerContext = {
    client,
    containers: new EngineContainers(client),
    homeId,
    folders: folderSettings(options.home, homeId, client.socketPath, dialect),
    runtime: stageRuntime(options.home),
    // crun starts and ends containers faster; it refuses hosts that mix both control group versions.
    ociRuntime:
      options.ociRuntime ?? (runtimes.includes('crun') && info.CgroupVersion === '2' ? 'crun' : undefined),
    dialect,
    unbounded,
    cgroup: info.CgroupVersion === '2' ? 'v2' : info.CgroupVersion === '1' ? 'v1' : 'unknown',
    young: new Set(),
    log: options.log ?? (() => {}),
  };
  return { context, info };
}

/** What the engine can do for workers, and what it cannot. */
export async function fingerprintOf(
  name: string,
  context: DockerContext,
  info: EngineInfo,
): Promise<DriverFingerprint> {
  const version = await context.client.version();
  const warnings: string[] = [];
  if (!info.SecurityOptions?.some((o) => o.includes('seccomp')))
    warnings.push('the engine has no seccomp: workers run without a system-call filter');
  const { unbounded } = context;
  if (info.SwapLimit === false)
    warnings.push('the engine cannot limit swap: a worker may swap beyond its memory');
  return {
    driver: name,
    healthy: true,
    engine: version.engine,
    version: version.version,
    apiVersion: version.apiVersion,
    cgroup: context.cgroup,
    rootless: context.dialect.rootless,
    capabilities: {
      warmPool: true,
      updateLimits: true,
      ports: true,
      egress: process.getuid?.() === 0 && !context.dialect.rootless,
      cdi: Array.isArray(info.CDISpecDirs) && info.CDISpecDirs.length > 0,
      outputBounds: context.folders.canMount ? 'hard' : 'watched',
    },
    ...(unbounded.bounds.length > 0 ? { unbounded } : {}),
    warnings,
  };
}
