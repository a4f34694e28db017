import { DockerDriver, DriverError, findEngine } from '@vgpu/drivers';
import type { Logger } from 'pino';
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
    return DockerDriver.open({ socketPath, home, log: (line) => log.info({ driver: 'docker' }, line) });
  };
}
