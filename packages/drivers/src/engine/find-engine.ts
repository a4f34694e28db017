import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineClient } from '../docker/client.ts';
import { DriverError } from '../errors.ts';
import { ownEnginePaths } from './own-engine.ts';

export type EngineOrigin =
  | 'VGPU_ENGINE'
  | 'DOCKER_HOST'
  | 'own'
  | 'docker'
  | 'rootless-docker'
  | 'podman'
  | 'rootless-podman';

/** An engine that may be there, or (once it answered) is. */
export interface EngineEndpoint {
  socketPath: string;
  origin: EngineOrigin;
}

export interface EngineProbe extends EngineEndpoint {
  answers: boolean;
  /** `docker 28.2.2 (API 1.47)`, or why it does not answer. */
  detail: string;
  hint: string;
}

/**
 * Where an engine may listen, in the order in which they are tried: what the user named, vgpu's own, the
 * system's Docker, a rootless one, Podman. Throws UNSUPPORTED for an address that is no Unix socket.
 */
export function engineCandidates(home: string, env: NodeJS.ProcessEnv = process.env): EngineEndpoint[] {
  for (const origin of ['VGPU_ENGINE', 'DOCKER_HOST'] as const) {
    const address = env[origin];
    if (!address) continue;
    if (!address.startsWith('unix://') && !address.startsWith('/')) {
      throw new DriverError(
        'UNSUPPORTED',
        `${origin}=${address} is not a Unix socket`,
        'vgpu runs workers on this machine: set it to unix:///path/to/docker.sock, or unset it.',
      );
    }
    // What the user named is meant: nothing else is tried.
    return [{ origin, socketPath: address.replace(/^unix:\/\//, '') }];
  }
  const user = env.XDG_RUNTIME_DIR ?? (process.getuid ? `/run/user/${process.getuid()}` : undefined);
  return [
    { origin: 'own', socketPath: ownEnginePaths(home).socket },
    { origin: 'docker', socketPath: '/var/run/docker.sock' },
    ...(user ? [{ origin: 'rootless-docker' as const, socketPath: join(user, 'docker.sock') }] : []),
    { origin: 'podman', socketPath: '/run/podman/podman.sock' },
    ...(user ? [{ origin: 'rootless-podman' as const, socketPath: join(user, 'podman/podman.sock') }] : []),
  ];
}

/** Asks one socket what it is. */
export async function probeEngine(endpoint: EngineEndpoint): Promise<EngineProbe> {
  if (!existsSync(endpoint.socketPath))
    return { ...endpoint, answers: false, detail: 'no such socket', hint: '' };
  const client = new EngineClient(endpoint.socketPath);
  try {
    const v = await client.version();
    return { ...endpoint, answers: true, detail: `${v.engine} ${v.version} (API ${v.apiVersion})`, hint: '' };
  } catch (error) {
    const hint = error instanceof DriverError ? error.hint : '';
    return { ...endpoint, answers: false, detail: (error as Error).message, hint };
  } finally {
    await client.close();
  }
}

/** The first engine that answers, and what was found on the way to it. */
export async function findEngine(
  home: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ engine?: EngineEndpoint; detail: string; tried: EngineProbe[] }> {
  const tried: EngineProbe[] = [];
  for (const candidate of engineCandidates(home, env)) {
    const probe = await probeEngine(candidate);
    tried.push(probe);
    if (probe.answers)
      return { engine: { socketPath: probe.socketPath, origin: probe.origin }, detail: probe.detail, tried };
  }
  return { detail: 'no engine answers', tried };
}
