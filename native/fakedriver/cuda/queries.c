// What a program may ask about the device, its contexts, its memory and its code, and the settings that change nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fake.h"

int cuDeviceGetDefaultMemPool(void **pool, int device);

API cuModuleGetLoadingMode(int *mode) { return *mode = 2, OK; } // lazy
API cuDeviceComputeCapability(int *major, int *minor, int device) { return *major = 9, *minor = 0, device ? INVALID_DEVICE : OK; }
API cuDeviceGetPCIBusId(char *text, int n, int device) { return snprintf(text, (size_t)n, "0000:01:00.0"), device ? INVALID_DEVICE : OK; }
API cuDeviceGetByPCIBusId(int *device, const char *text) { return *device = 0, strcasecmp(text, "0000:01:00.0") ? INVALID_VALUE : OK; }
API cuDeviceCanAccessPeer(int *can, int device, int peer) { return *can = 0, OK; }
API cuDeviceGetP2PAttribute(int *value, int attribute, int a, int b) { return *value = 0, OK; }
// The 32-bit one of CUDA 3.1: what a slice refuses.
API cuDeviceTotalMem(unsigned *bytes, int device) { return *bytes = 1u << 31, device ? INVALID_DEVICE : OK; }

API cuCtxGetApiVersion(void *context, unsigned *version) { return *version = 13050, OK; }
API cuCtxGetFlags(unsigned *flags) { return *flags = 0, OK; }
API cuCtxSetFlags(unsigned flags) { return OK; }
API cuCtxGetId(struct context *c, unsigned long long *id) { return *id = (unsigned long long)(c ? c : fake_current())->id + 1, OK; }
API cuCtxGetLimit(size_t *value, int limit) { return *value = limit == 0 ? 1024 : limit == 2 ? 8 << 20 : 0, OK; }
API cuCtxGetStreamPriorityRange(int *least, int *greatest) { return *least = 0, *greatest = -5, OK; }
API cuCtxGetCacheConfig(int *config) { return *config = 0, OK; }
API cuCtxSetCacheConfig(int config) { return OK; }
API cuCtxGetDevice_v2(int *device, struct context *c) { return *device = 0, OK; }

API cuStreamGetPriority(void *stream, int *priority) { return *priority = 0, OK; }
API cuStreamGetFlags(void *stream, unsigned *flags) { return *flags = 0, OK; }
API cuStreamGetId(void *stream, unsigned long long *id) { return *id = (uintptr_t)stream, OK; }
API cuStreamGetDevice(void *stream, int *device) { return *device = 0, OK; }

API cuDeviceGetMemPool(void **pool, int device) { return cuDeviceGetDefaultMemPool(pool, device); }
API cuDeviceSetMemPool(int device, void *pool) { return OK; }
API cuMemPoolSetAttribute(void *pool, int attribute, void *value) { return OK; }
API cuMemPoolGetAttribute(void *pool, int attribute, void *value) { return memset(value, 0, attribute <= 3 ? 4 : 8), OK; }
API cuMemPoolSetAccess(void *pool, const void *map, size_t n) { return OK; }

API cuMemHostAlloc(void **p, size_t bytes, unsigned flags) {
  if (!fake_current()) return INVALID_CONTEXT;
  return (*p = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095)) ? OK : OUT_OF_MEMORY;
}
API cuMemAllocHost_v2(void **p, size_t bytes) { return cuMemHostAlloc(p, bytes, 0); }
API cuMemFreeHost(void *p) { return free(p), OK; }
API cuMemHostRegister_v2(void *p, size_t bytes, unsigned flags) { return OK; }
API cuMemHostUnregister(void *p) { return OK; }
API cuMemHostGetDevicePointer_v2(devptr *out, void *p, unsigned flags) { return *out = (uintptr_t)p, OK; }
API cuMemHostGetFlags(unsigned *flags, void *p) { return *flags = 0, OK; }

// Context, kind of memory (2: the device's), the pointer itself on both sides; the others are not asked for.
API cuPointerGetAttribute(void *value, int attribute, devptr p) {
  if (attribute == 1) return *(void **)value = fake_current(), OK;
  if (attribute == 2) return *(unsigned *)value = 2, OK;
  if (attribute == 3 || attribute == 4) return *(devptr *)value = p, OK;
  if (attribute == 9) return *(int *)value = 0, OK; // the device
  return INVALID_VALUE;
}

API cuFuncGetAttribute(int *value, int attribute, struct function *f) { return *value = attribute == 0 ? 1024 : 0, OK; }
API cuFuncSetAttribute(struct function *f, int attribute, int value) { return OK; }
API cuFuncSetCacheConfig(struct function *f, int config) { return OK; }
API cuKernelGetAttribute(int *value, int attribute, struct function *f, int device) { return cuFuncGetAttribute(value, attribute, f); }
API cuKernelSetAttribute(int attribute, int value, struct function *f, int device) { return OK; }
API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, struct function *f, int threads, size_t shared) {
  return *n = 2048 / (threads ? threads : 1), OK;
}
API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, struct function *f, int threads, size_t shared, unsigned flags) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(n, f, threads, shared);
}

static const struct {
  int code;
  const char *name, *text;
} errors[] = {
    {OK, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
};
static int error(int code, const char **out, bool name) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].code == code) return *out = name ? errors[i].name : errors[i].text, OK;
  return *out = name ? "CUDA_ERROR_UNKNOWN" : "an error of the fake driver", OK;
}
API cuGetErrorString(int code, const char **out) { return error(code, out, false); }
API cuGetErrorName(int code, const char **out) { return error(code, out, true); }
