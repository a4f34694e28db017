import { DriverError } from '../errors.ts';
import { LABEL } from '../types.ts';
import type { EngineClient } from './client.ts';

/** The parts of a container's description that vgpu reads. */
export interface ContainerDescription {
  Id: string;
  Name: string;
  Created: string;
  Image: string;
  State: {
    Status: string;
    Running: boolean;
    Pid: number;
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
  };
  Config: { Image: string; Labels: Record<string, string> };
  HostConfig: { Memory: number; NanoCpus: number; CpuQuota: number; PidsLimit: number };
}

/** Calls about containers, in the driver's words. */
export class EngineContainers {
  readonly client: EngineClient;

  constructor(client: EngineClient) {
    this.client = client;
  }

  /** Cannot be aborted: the engine would go on and make a container that nobody knows of. */
  async create(name: string, spec: Record<string, unknown>): Promise<string> {
    const made = await this.client.json<{ Id: string }>('POST', '/containers/create', {
      query: { name },
      body: spec,
    });
    return made.Id;
  }

  async start(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.client.status('POST', `/containers/${id}/start`, { signal, timeoutMs: 120_000 });
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'ENGINE_FAILED') throw error;
      const noPython = /python3.*(not found|no such file)/i.test(error.message);
      throw new DriverError(
        'WORKER_START_FAILED',
        error.message,
        noPython ? 'The image needs python3 (3.9 or later) on its PATH.' : '',
        { cause: error },
      );
    }
  }

  /** Undefined where the engine knows no such container. */
  async inspect(id: string): Promise<ContainerDescription | undefined> {
    const response = await this.client.call('GET', `/containers/${id}/json`, { accept: [404] });
    if (response.statusCode === 404) {
      await response.body.dump();
      return undefined;
    }
    return (await response.body.json()) as ContainerDescription;
  }

  /** Every container of a home, asked now. */
  async list(homeId: string): Promise<ContainerDescription[]> {
    const filters = JSON.stringify({ label: [`${LABEL.managed}=true`, `${LABEL.home}=${homeId}`] });
    const brief = await this.client.json<{ Id: string }[]>('GET', '/containers/json', {
      query: { all: true, filters },
    });
    const full = await Promise.all(brief.map((c) => this.inspect(c.Id)));
    return full.filter((c): c is ContainerDescription => c !== undefined);
  }

  /** Kills; a container that is not running (or is gone) is already what was asked for. */
  async kill(id: string, signal = 'SIGKILL'): Promise<void> {
    await this.client.status('POST', `/containers/${id}/kill`, { query: { signal }, accept: [404, 409] });
  }

  /** Kills and removes with its volumes; resolves when the engine no longer knows it. */
  async remove(id: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const status = await this.client.status('DELETE', `/containers/${id}`, {
        // Podman would ask first, and wait for ten seconds; Docker knows no such thing, and kills.
        query: { force: true, v: true, timeout: 0 },
        accept: [404, 409, 500],
      });
      if (status === 204 || status === 404) return;
      // 409: another removal is under way. 500: the runtime was busy with the same container.
      await new Promise((resolve) => setTimeout(resolve, 20 + attempt * 10));
      if ((await this.inspect(id)) === undefined) return;
    }
    throw new DriverError(
      'ENGINE_FAILED',
      `the engine does not remove container ${id.slice(0, 12)}`,
      'vgpu doctor looks closer.',
    );
  }

  async rename(id: string, name: string): Promise<void> {
    await this.client.status('POST', `/containers/${id}/rename`, { query: { name }, accept: [404, 409] });
  }

  async update(id: string, limits: Record<string, number>): Promise<void> {
    const path = `/containers/${id}/update`;
    const { engine } = await this.client.version();
    if (engine === 'docker') await this.client.status('POST', path, { body: limits });
    else await this.client.status('POST', path, { body: ociResources(limits), libpod: true });
  }
}

/** Docker's words for limits → those of the OCI runtime specification, which Podman's own API takes. */
export function ociResources(limits: Record<string, number>): Record<string, unknown> {
  const { Memory, MemorySwap, CpuPeriod, CpuQuota, PidsLimit } = limits;
  return {
    ...(Memory ? { memory: { limit: Memory, swap: MemorySwap } } : {}),
    ...(CpuQuota ? { cpu: { period: CpuPeriod, quota: CpuQuota } } : {}),
    ...(PidsLimit ? { pids: { limit: PidsLimit } } : {}),
  };
}
