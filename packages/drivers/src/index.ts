export { EngineClient } from './docker/client.ts';
export { DockerDriver, type DockerDriverOptions } from './docker/driver.ts';
export * from './errors.ts';
export * from './types.ts';
