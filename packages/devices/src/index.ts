export * from './accelerator.ts';
export * from './cdi/nvidia-spec.ts';
export * from './cdi/spec.ts';
export * from './cordons.ts';
export * from './history.ts';
export * from './host-backing.ts';
export * from './inventory.ts';
export * from './mps/mps-daemon.ts';
export * from './mps/mps-plan.ts';
export * from './mps/mps-tool.ts';
export * from './pool.ts';
export * from './pool-file.ts';
export * from './provider.ts';
export { NvidiaProvider } from './providers/nvidia/provider.ts';
export { OpenClProvider } from './providers/opencl/provider.ts';
export * from './scheduler-view.ts';
export * from './slices/arbiter-client.ts';
export {
  arbiterDir,
  arbiterRoot,
  ensureArbiter,
  limiterName,
  stopIdleArbiters,
} from './slices/arbiter-process.ts';
export { buildNative, isNativeBuilt, type NativeBuild } from './slices/build-native.ts';
export * from './slices/device-grant.ts';
export { type ExecRequest, execUnderSlice } from './slices/exec.ts';
export * from './slices/grant.ts';
export * from './slices/limiter-grant.ts';
export * from './slices/native-files.ts';
export * from './slices/slice.ts';
export * from './slices/slice-manager.ts';
export type { DeviceUse, SliceUse } from './slices/usage-meter.ts';
