// The real driver. A function is looked up when it is first called, never before.
#ifndef VGPU_DRIVER_H
#define VGPU_DRIVER_H

#include "../member.h"
#include "cuda.h"

// Not hooked, but called by the hooks.
#define VGPU_DRIVER_EXTRAS \
  SYMBOL(cuCtxGetCurrent) SYMBOL(cuCtxGetDevice) SYMBOL(cuCtxPushCurrent_v2) SYMBOL(cuCtxPopCurrent_v2) \
  SYMBOL(cuDeviceGetUuid) SYMBOL(cuDeviceGetUuid_v2) SYMBOL(cuStreamGetCtx) SYMBOL(cuStreamIsCapturing) \
  SYMBOL(cuEventCreate) SYMBOL(cuEventRecord) SYMBOL(cuEventSynchronize) SYMBOL(cuEventDestroy_v2) \
  SYMBOL(cuThreadExchangeStreamCaptureMode) SYMBOL(cuGraphGetNodes) SYMBOL(cuGraphNodeGetType) \
  SYMBOL(cuGraphMemAllocNodeGetParams) SYMBOL(cuGraphChildGraphNodeGetGraph) SYMBOL(cuDevicePrimaryCtxGetState) \
  SYMBOL(cuDeviceGetDefaultMemPool) SYMBOL(cuMemPoolTrimTo) SYMBOL(cuCtxSynchronize) SYMBOL(cuDeviceGet) SYMBOL(cuCtxRecordEvent) \
  SYMBOL(cuDeviceGetGraphMemAttribute) \
  SYMBOL(cuDeviceGetAttribute) SYMBOL(cuDeviceGetMemPool) SYMBOL(cuMemPrefetchAsync) \
  SYMBOL(cuMemPrefetchAsync_v2) SYMBOL(cuStreamCreate) SYMBOL(cuStreamWaitEvent) SYMBOL(cuFuncGetParamInfo) \
  SYMBOL(cuKernelGetParamInfo) SYMBOL(cuStreamSynchronize)

enum vgpu_driver_function {
#define SYMBOL(name) VGPU_FN_##name,
#include "../generated/symbols.inc"
  VGPU_DRIVER_EXTRAS
#undef SYMBOL
  VGPU_DRIVER_FUNCTIONS
};

// The driver's function; one that returns CUDA_ERROR_NOT_FOUND where the driver lacks it.
VGPU_HIDDEN void *vgpu_driver(enum vgpu_driver_function f);
VGPU_HIDDEN bool vgpu_driver_has(enum vgpu_driver_function f);

#define VGPU_CALL(name, ...) ((__VA_ARGS__)vgpu_driver(VGPU_FN_##name))

// The real dlsym.
VGPU_HIDDEN void *vgpu_dlsym_real(void *handle, const char *name);

#endif
