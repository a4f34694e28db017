import type { Unbounded } from './bounds.ts';
import type { EngineClient } from './client.ts';
import type { EngineContainers } from './engine-containers.ts';
import type { EngineDialect } from './engine-dialect.ts';
import type { FolderSettings } from './worker-folders.ts';

/** What every part of the Docker driver shares. */
export interface DockerContext {
  client: EngineClient;
  containers: EngineContainers;
  homeId: string;
  folders: FolderSettings;
  runtime: { dir: string; hash: string };
  /** Undefined = the engine's default OCI runtime. */
  ociRuntime: string | undefined;
  dialect: EngineDialect;
  /** Bounds that the engine cannot enforce. */
  unbounded: Unbounded;
  cgroup: 'v1' | 'v2' | 'unknown';
  /** Folders made for containers that are not created yet: not orphans. */
  young: Set<string>;
  /** One line of what happens behind the scenes. */
  log: (line: string) => void;
}
