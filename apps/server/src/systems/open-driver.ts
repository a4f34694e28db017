import { DockerDriver, DriverError, findEngine } from '@vgpu/drivers';
import type { Logger } from 'pino';
import { removeStaleRoots } from '../home/stale-roots.ts';
import type { OpenDriver } from './engine.ts';

/** Opens the driver of the container engine that answers on this machine. */
export function openDockerDriver(home: string, log: Logger): OpenDriver {
  return async () => {
    const { engine, tried } = await findEngine(home);
    if (!engine) {
      const seen = tried.map((probe) => `${probe.socketPath}: ${probe.detail}`).join('; ');
      throw new DriverError('ENGINE_UNREACHABLE', seen || 'no engine answers');
    }
    const socketPath = engine.socketPath;
    const driver = await DockerDriver.open({
      socketPath,
      home,
      log: (line) => log.info({ driver: 'docker' }, line),
    });
    try {
      const removed = removeStaleRoots(home);
      if (removed.length > 0) log.info({ removed }, 'gave back the memory of homes that are gone');
    } catch (error) {
      log.warn({ err: error }, 'folders of homes that are gone stay in memory');
    }
    return driver;
  };
}
