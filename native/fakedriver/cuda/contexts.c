// Initialisation, the device and contexts.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mps/mps.h"
#include "fake.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct context *all;
// The primary context's handle is always the same; only while it is retained is there a context behind it (id).
static struct context primary_context = {.id = NONE, .primary = true};
static unsigned primary_count;
static _Thread_local struct context *stack[16];
static _Thread_local int depth;
static _Thread_local struct context *thread_context;
static bool initialised;
static int fake_joined; // an MPS server

struct context *fake_current(void) { return thread_context; }

int fake_context_of(struct context **c) {
  *c = thread_context;
  return !*c ? INVALID_CONTEXT : (*c)->id == NONE ? CONTEXT_IS_DESTROYED : OK;
}

int fake_primary(struct context **c, int device) { return *c = &primary_context, device ? INVALID_DEVICE : OK; }

API cuInit(unsigned flags) {
  if (flags) return INVALID_VALUE;
  if (initialised) return OK;
  if (!fake_gpu()) return NO_DEVICE;
  struct fake_mps_terms mps;
  int r = fake_mps_join(&mps);
  if (r > 1) return r;
  fake_joined = r == 0;
  if (r == 0) {
    double sms = fake_gpu()->sms * mps.percentage / 100;
    uint32_t whole = (uint32_t)sms;
    fake_serve(mps.server, whole + (sms > whole), mps.memory); // a part of a multiprocessor is a whole one
  }
  initialised = true;
  return OK;
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
  // Multiprocessors, MPS, threads of each, compute capability; 1 for whatever else is asked.
  *value = attribute == 16 ? (int)fake_sms() : attribute == 133 ? fake_joined : attribute == 39 ? 2048 : attribute == 75 ? 9 : attribute == 76 ? 0 : 1;
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
  const struct fake_limit *limit = fake_limit_on(g, g->process[fake_self()].group);
  if (limit && limit->hard < *total) { // reported instead of the device
    uint64_t mine = fake_limit_used(g, limit), left = mine < limit->hard ? limit->hard - mine : 0;
    *total = limit->hard;
    if (left < *free_bytes) *free_bytes = left;
  }
  fake_unlock(g);
  return OK;
}

static int create(struct context *c) {
  if (!initialised) return NOT_INITIALIZED;
  int id = fake_context_create();
  if (id == NONE) return OUT_OF_MEMORY;
  c->id = id;
  c->next = all;
  all = c;
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
  c->id = NONE;
  if (thread_context == c && !c->primary) thread_context = NULL;
  if (!c->primary) free(c);
}

API cuCtxCreate_v2(struct context **out, unsigned flags, int device) {
  if (device) return INVALID_DEVICE;
  struct context *c = calloc(1, sizeof *c);
  pthread_mutex_lock(&mutex);
  int r = c ? create(c) : OUT_OF_MEMORY;
  pthread_mutex_unlock(&mutex);
  if (r) return free(c), r;
  if (depth < 16) stack[depth++] = thread_context;
  return thread_context = *out = c, OK;
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
  int r = primary_count ? OK : create(&primary_context);
  if (r == OK) {
    primary_count++;
    *out = &primary_context;
  }
  pthread_mutex_unlock(&mutex);
  return r;
}
API cuDevicePrimaryCtxRelease_v2(int device) {
  pthread_mutex_lock(&mutex);
  int r = primary_count ? OK : INVALID_CONTEXT;
  if (primary_count && --primary_count == 0) destroy(&primary_context);
  pthread_mutex_unlock(&mutex);
  return r;
}
API cuDevicePrimaryCtxReset_v2(int device) {
  pthread_mutex_lock(&mutex);
  if (primary_count) destroy(&primary_context);
  primary_count = 0;
  pthread_mutex_unlock(&mutex);
  return OK;
}
API cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return *flags = 0, *active = primary_count != 0, OK;
}
API cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return OK; }
