// Initialisation, the device, contexts and modules.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct context *all;
static struct context *primary;
static unsigned primary_count;
static _Thread_local struct context *stack[16];
static _Thread_local int depth;
static _Thread_local struct context *thread_context;
static bool initialised;

struct context *fake_current(void) { return thread_context; }

int fake_context_of(struct context **c) {
  *c = thread_context;
  return *c ? OK : INVALID_CONTEXT;
}

API cuInit(unsigned flags) {
  if (flags) return INVALID_VALUE;
  initialised = fake_gpu() != NULL;
  return initialised ? OK : NO_DEVICE;
}
API cuDriverGetVersion(int *version) { return *version = 13050, OK; }
API cuDeviceGetCount(int *n) { return *n = 1, initialised ? OK : NOT_INITIALIZED; }
API cuDeviceGet(int *device, int ordinal) { return *device = ordinal, ordinal == 0 ? OK : INVALID_DEVICE; }
API cuDeviceGetName(char *name, int length, int device) {
  snprintf(name, (size_t)length, "Fake GPU");
  return device == 0 ? OK : INVALID_DEVICE;
}
API cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
  memcpy(uuid, "vgpufake\0\0\0\0\0\0\0\1", 16);
  return device == 0 ? OK : INVALID_DEVICE;
}
API cuDeviceGetUuid(unsigned char *uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }
API cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = fake_gpu()->memory_total, device ? INVALID_DEVICE : OK; }
API cuDeviceGetAttribute(int *value, int attribute, int device) {
  // Multiprocessors, threads of each, compute capability; 1 for whatever else is asked.
  *value = attribute == 16 ? (int)fake_gpu()->sms : attribute == 39 ? 2048 : attribute == 75 ? 9 : attribute == 76 ? 0 : 1;
  return device == 0 ? OK : INVALID_DEVICE;
}
API cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
  struct context *c;
  int r = fake_context_of(&c);
  if (r) return r;
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  *total = g->memory_total;
  uint64_t used = g->memory_used + g->residency.resident * FAKE_BLOCK;
  *free_bytes = g->memory_total > used ? g->memory_total - used : 0;
  fake_unlock(g);
  return OK;
}

static int create(struct context **out, bool is_primary) {
  if (!initialised) return NOT_INITIALIZED;
  int id = fake_context_create();
  if (id == NONE) return OUT_OF_MEMORY;
  struct context *c = calloc(1, sizeof *c);
  *c = (struct context){.id = id, .primary = is_primary, .next = all};
  all = c;
  *out = c;
  return OK;
}

static void destroy(struct context *c) {
  for (struct context **p = &all; *p; p = &(*p)->next)
    if (*p == c) {
      *p = c->next;
      break;
    }
  fake_stream_wait(c->id, NONE);
  fake_context_destroy(c->id);
  fake_prune(c);
  if (thread_context == c) thread_context = NULL;
  free(c);
}

API cuCtxCreate_v2(struct context **out, unsigned flags, int device) {
  if (device) return INVALID_DEVICE;
  pthread_mutex_lock(&mutex);
  int r = create(out, false);
  pthread_mutex_unlock(&mutex);
  if (r == OK) {
    if (depth < 16) stack[depth++] = thread_context;
    thread_context = *out;
  }
  return r;
}
API cuCtxCreate_v4(struct context **out, void *params, unsigned flags, int device) { return cuCtxCreate_v2(out, flags, device); }
API cuCtxDestroy_v2(struct context *c) {
  pthread_mutex_lock(&mutex);
  struct context *p = all;
  while (p && p != c) p = p->next;
  if (p) destroy(c);
  pthread_mutex_unlock(&mutex);
  return p ? OK : INVALID_CONTEXT;
}
API cuCtxPushCurrent_v2(struct context *c) {
  if (depth == 16) return INVALID_VALUE;
  stack[depth++] = thread_context;
  thread_context = c;
  return OK;
}
API cuCtxPopCurrent_v2(struct context **c) {
  if (depth == 0) return INVALID_CONTEXT;
  if (c) *c = thread_context;
  thread_context = stack[--depth];
  return OK;
}
API cuCtxSetCurrent(struct context *c) { return thread_context = c, OK; }
API cuCtxGetCurrent(struct context **c) { return *c = thread_context, OK; }
API cuCtxGetDevice(int *device) { return *device = 0, thread_context ? OK : INVALID_CONTEXT; }
API cuCtxSetLimit(int limit, size_t value) { return OK; }
API cuCtxSynchronize(void) {
  struct context *c;
  int r = fake_context_of(&c);
  if (r || (r = fake_unsafe())) return r;
  fake_stream_wait(c->id, NONE);
  return OK;
}

API cuDevicePrimaryCtxRetain(struct context **out, int device) {
  if (device) return INVALID_DEVICE;
  pthread_mutex_lock(&mutex);
  int r = primary ? OK : create(&primary, true);
  if (r == OK) {
    primary_count++;
    *out = primary;
  }
  pthread_mutex_unlock(&mutex);
  return r;
}
API cuDevicePrimaryCtxRelease_v2(int device) {
  pthread_mutex_lock(&mutex);
  int r = primary ? OK : INVALID_CONTEXT;
  if (primary && --primary_count == 0) {
    destroy(primary);
    primary = NULL;
  }
  pthread_mutex_unlock(&mutex);
  return r;
}
API cuDevicePrimaryCtxReset_v2(int device) {
  pthread_mutex_lock(&mutex);
  if (primary) destroy(primary);
  primary = NULL;
  primary_count = 0;
  pthread_mutex_unlock(&mutex);
  return OK;
}
API cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return *flags = 0, *active = primary != NULL, OK;
}
API cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return OK; }

API cuModuleLoadData(void **module, const void *image) {
  if (!thread_context) return INVALID_CONTEXT;
  if (!fake_memory_take(fake_gpu()->module_bytes)) return OUT_OF_MEMORY;
  return (*module = calloc(1, 8)) ? OK : OUT_OF_MEMORY;
}
API cuModuleLoadDataEx(void **module, const void *image, unsigned n, void *options, void **values) {
  return cuModuleLoadData(module, image);
}
API cuModuleUnload(void *module) {
  free(module);
  fake_memory_give(fake_gpu()->module_bytes);
  return OK;
}
API cuModuleGetFunction(struct function **f, void *module, const char *name) {
  struct function parsed = {.increments = strncmp(name, "increment_", 10) == 0, .touches = strncmp(name, "touch_", 6) == 0};
  const char *number = strchr(name, '_');
  if (!number || (!parsed.increments && !parsed.touches && strncmp(name, "spin_", 5) != 0)) return NOT_FOUND;
  parsed.block_ns = strtoull(number + 1, NULL, 10);
  snprintf(parsed.name, sizeof parsed.name, "%s", name);
  *f = malloc(sizeof **f);
  if (!*f) return OUT_OF_MEMORY;
  **f = parsed;
  return OK;
}
API cuGetErrorString(int error, const char **text) { return *text = "an error of the fake driver", OK; }
API cuGetErrorName(int error, const char **text) { return *text = "CUDA_ERROR", OK; }

// The newest variant that the version knows. Only names whose variants differ in version are listed.
static int proc_address(const char *symbol, void **f, int version, unsigned long long flags) {
  static const struct {
    const char *base;
    int since;
    const char *name;
  } known[] = {
      {"cuCtxCreate", 12050, "cuCtxCreate_v4"},           {"cuCtxCreate", 3020, "cuCtxCreate_v2"},
      {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"}, {"cuGetProcAddress", 11030, "cuGetProcAddress"},
      {"cuStreamBeginCapture", 10010, "cuStreamBeginCapture_v2"},
  };
  void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  char name[128];
  *f = NULL;
  for (size_t i = 0; i < sizeof known / sizeof *known && !*f; i++)
    if (strcmp(known[i].base, symbol) == 0 && version >= known[i].since) *f = dlsym(library, known[i].name);
  if (!*f && (flags & 2)) {
    snprintf(name, sizeof name, "%s_ptsz", symbol);
    *f = dlsym(library, name);
  }
  if (!*f) {
    snprintf(name, sizeof name, "%s_v2", symbol);
    *f = version >= 3020 ? dlsym(library, name) : NULL;
  }
  if (!*f) *f = dlsym(library, symbol);
  if (library) dlclose(library);
  return *f ? OK : NOT_FOUND;
}
API cuGetProcAddress(const char *symbol, void **f, int version, unsigned long long flags) {
  return proc_address(symbol, f, version, flags);
}
API cuGetProcAddress_v2(const char *symbol, void **f, int version, unsigned long long flags, int *status) {
  int r = proc_address(symbol, f, version, flags);
  if (status) *status = r ? 1 : 0;
  return r;
}
