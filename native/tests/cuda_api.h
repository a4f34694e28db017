// The driver API for test programs, found with dlopen and dlsym; with VGPU_TEST_ROAD=versions as the CUDA runtime finds
// it: cuGetProcAddress, told a version and no suffix, for each function.
#ifndef TEST_CUDA_API_H
#define TEST_CUDA_API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long devptr;

#define CUDA_FUNCTIONS \
  F(cuInit, (unsigned)) F(cuDeviceGet, (int *, int)) F(cuDeviceTotalMem_v2, (size_t *, int)) \
  F(cuCtxCreate_v2, (void **, unsigned, int)) F(cuCtxDestroy_v2, (void *)) F(cuCtxSynchronize, (void)) \
  F(cuCtxSetCurrent, (void *)) F(cuDevicePrimaryCtxRetain, (void **, int)) F(cuDevicePrimaryCtxRelease_v2, (int)) \
  F(cuModuleLoadData, (void **, const void *)) F(cuModuleGetFunction, (void **, void *, const char *)) \
  F(cuModuleUnload, (void *)) F(cuMemGetInfo_v2, (size_t *, size_t *)) \
  F(cuMemAlloc_v2, (devptr *, size_t)) F(cuMemFree_v2, (devptr)) F(cuMemAllocManaged, (devptr *, size_t, unsigned)) \
  F(cuMemAllocPitch_v2, (devptr *, size_t *, size_t, size_t, unsigned)) \
  F(cuMemAllocAsync, (devptr *, size_t, void *)) F(cuMemFreeAsync, (devptr, void *)) \
  F(cuMemPoolCreate, (void **, const void *)) F(cuMemAllocFromPoolAsync, (devptr *, size_t, void *, void *)) \
  F(cuMemAllocAsync_ptsz, (devptr *, size_t, void *)) F(cuMemCreate, (unsigned long long *, size_t, const void *, unsigned long long)) \
  F(cuMemRelease, (unsigned long long)) F(cuArrayCreate_v2, (void **, const void *)) \
  F(cuArray3DCreate_v2, (void **, const void *)) F(cuArrayDestroy, (void *)) \
  F(cuMipmappedArrayCreate, (void **, const void *, unsigned)) F(cuMipmappedArrayDestroy, (void *)) \
  F(cuMemcpyHtoD_v2, (devptr, const void *, size_t)) F(cuMemcpyDtoH_v2, (void *, devptr, size_t)) \
  F(cuMemsetD8_v2, (devptr, unsigned char, size_t)) \
  F(cuStreamCreate, (void **, unsigned)) F(cuStreamDestroy_v2, (void *)) F(cuStreamSynchronize, (void *)) \
  F(cuStreamBeginCapture_v2, (void *, int)) F(cuStreamEndCapture, (void *, void **)) F(cuStreamWaitEvent, (void *, void *, unsigned)) \
  F(cuEventCreate, (void **, unsigned)) F(cuEventRecord, (void *, void *)) F(cuEventSynchronize, (void *)) F(cuEventQuery, (void *)) \
  F(cuGraphCreate, (void **, unsigned)) F(cuGraphDestroy, (void *)) \
  F(cuGraphAddKernelNode_v2, (void **, void *, void **, size_t, const void *)) \
  F(cuGraphAddMemAllocNode, (void **, void *, void **, size_t, void *)) \
  F(cuGraphAddChildGraphNode, (void **, void *, void **, size_t, void *)) \
  F(cuGraphInstantiateWithFlags, (void **, void *, unsigned long long)) F(cuGraphExecDestroy, (void *)) \
  F(cuGraphLaunch, (void *, void *)) F(cuGraphUpload, (void *, void *)) F(cuDeviceGraphMemTrim, (int)) \
  F(cuGraphAddMemFreeNode, (void **, void *, void **, size_t, devptr)) \
  F(cuLaunchKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **)) \
  F(cuLaunchKernel_ptsz, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **)) \
  F(cuLaunchCooperativeKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **)) \
  F(cuLaunchHostFunc, (void *, void (*)(void *), void *)) \
  F(cuGetExportTable, (const void **, const void *)) \
  F(cuGetProcAddress_v2, (const char *, void **, int, unsigned long long, int *))

#define F(name, parameters) static int (*name) parameters;
CUDA_FUNCTIONS
#undef F

// By version 12.0 the probes' functions have the parameters above, but for this one.
static inline void *cuda_by_version(const char *symbol) {
  char base[64];
  snprintf(base, sizeof base, "%s", symbol);
  char *thread = strstr(base, "_ptsz"), *revision = strstr(base, "_v");
  if (thread) *thread = 0;
  if (revision) *revision = 0;
  void *function = NULL;
  int status;
  cuGetProcAddress_v2(base, &function, strcmp(base, "cuCtxCreate") ? 12000 : 3020, thread ? 2 : 0, &status);
  return function;
}

static inline void *cuda_load(void) {
  // Where dlsym is not interposed (under sanitizers) the hooks are found by their names alone.
  int global = getenv("VGPU_TEST_GLOBAL") != NULL;
  void *library = dlopen("libcuda.so.1", RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(77);
  }
#define F(name, parameters) *(void **)&name = dlsym(global ? RTLD_DEFAULT : library, #name);
  CUDA_FUNCTIONS
#undef F
  const char *road = getenv("VGPU_TEST_ROAD");
  if (road && strcmp(road, "versions") == 0) {
#define F(name, parameters) *(void **)&name = cuda_by_version(#name);
    CUDA_FUNCTIONS
#undef F
  }
  return library;
}

#define CHECK(call) \
  do { \
    int check_result = (call); \
    if (check_result) { \
      fprintf(stderr, "%s:%d: %s = %d\n", __FILE__, __LINE__, #call, check_result); \
      exit(1); \
    } \
  } while (0)

#endif
