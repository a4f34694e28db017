import {
  canReviveOwnEngine,
  DockerDriver,
  DriverError,
  type EngineEndpoint,
  findEngine,
  ownEnginePaths,
  startOwnEngine,
} from '@vgpu/drivers';
import type { Logger } from 'pino';
import { removeStaleRoots } from '../home/stale-roots.ts';
import type { EngineAccess } from './engine.ts';

/**
 * The container engine of this machine: how to open its driver, and how to start it again when it is vgpu's own and has
 * died. Any other engine belongs to somebody else, who starts it.
 */
export function dockerEngine(home: string, log: Logger): EngineAccess {
  const isOwn = (engine: EngineEndpoint) => engine.socketPath === ownEnginePaths(home).socket;
  let own = false;

  const find = async (): Promise<EngineEndpoint> => {
    const { engine, tried } = await findEngine(home);
    if (engine) return engine;
    // One that is named and does not answer is not replaced by another.
    if (tried.some(isOwn) && canReviveOwnEngine(home)) {
      log.info("starting vgpu's own container engine");
      return { socketPath: (await startOwnEngine(home)).socket, origin: 'own' };
    }
    const seen = tried.map((probe) => `${probe.socketPath}: ${probe.detail}`).join('; ');
    throw new DriverError('ENGINE_UNREACHABLE', seen || 'no engine answers');
  };

  return {
    async open() {
      const engine = await find();
      own = isOwn(engine);
      const driver = await DockerDriver.open({
        socketPath: engine.socketPath,
        home,
        log: (line) => log.info({ driver: 'docker' }, line),
      });
      try {
        const removed = await removeStaleRoots(home);
        if (removed.length > 0) log.info({ removed }, 'gave back the memory of homes that are gone');
      } catch (error) {
        log.warn({ err: error }, 'folders of homes that are gone stay in memory');
      }
      return driver;
    },
    async revive() {
      if (!own || !canReviveOwnEngine(home)) return false;
      log.warn("vgpu's own container engine is gone: starting it again");
      await startOwnEngine(home);
      return true;
    },
  };
}
