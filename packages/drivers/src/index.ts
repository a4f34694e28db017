export { assertBounded } from './docker/bounds.ts';
export { EngineClient } from './docker/client.ts';
export { DockerDriver } from './docker/driver.ts';
export type { DockerDriverOptions } from './docker/open-engine.ts';
export { mountsUnder, mountTmpfs, unmount } from './docker/tmpfs.ts';
export {
  type EngineEndpoint,
  type EngineProbe,
  engineCandidates,
  findEngine,
  probeEngine,
} from './engine/find-engine.ts';
export {
  canReviveOwnEngine,
  type OwnEnginePaths,
  ownEnginePaths,
  startOwnEngine,
  stopEngine,
} from './engine/own-engine.ts';
export { type EnginePlan, ensureEngine, planEngineSetup } from './engine/setup-engine.ts';
export { canInstall, installStep, runStep, type SetupStep } from './engine/setup-step.ts';
export { which } from './engine/which.ts';
export * from './errors.ts';
export { imageArchive } from './image/archive.ts';
export { type BuildOptions, type BuildProgress, type BuiltImage, buildImage } from './image/build.ts';
export { hostArchitecture, imagesDir, listDefinitions } from './image/definition.ts';
export { ImageStore, type ImageSummary } from './image/image-store.ts';
export { writeLock } from './image/lock.ts';
export { relock } from './image/relock.ts';
export * from './types.ts';
