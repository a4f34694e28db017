// Fences are events, kept for reuse by context.
#include <stdlib.h>

#include "pager.h"
#include "slice.h"

struct event {
  void *handle, *context;
  struct event *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct event *spare;

bool vgpu_context_enter(void *context) {
  if (vgpu_context_current() == context) return false;
  return VGPU_CALL(cuCtxPushCurrent_v2, CUresult (*)(void *))(context) == CUDA_SUCCESS;
}

void vgpu_context_leave(bool entered) {
  void *context;
  if (entered) VGPU_CALL(cuCtxPopCurrent_v2, CUresult (*)(void **))(&context);
}

int vgpu_capture_mode(int mode) {
  VGPU_CALL(cuThreadExchangeStreamCaptureMode, CUresult (*)(int *))(&mode);
  return mode;
}

static struct event *take(void *context) {
  pthread_mutex_lock(&mutex);
  struct event **e = &spare;
  while (*e && (*e)->context != context) e = &(*e)->next;
  struct event *found = *e;
  if (found) *e = found->next;
  pthread_mutex_unlock(&mutex);
  if (found) return found;
  if (!(found = calloc(1, sizeof *found))) return NULL;
  found->context = context;
  CUresult r = VGPU_CALL(cuEventCreate, CUresult (*)(void **, unsigned))(
      &found->handle, CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING);
  if (r == CUDA_SUCCESS) return found;
  free(found);
  return NULL;
}

static void give(struct event *e) {
  pthread_mutex_lock(&mutex);
  e->next = spare;
  spare = e;
  pthread_mutex_unlock(&mutex);
}

// Whether the driver can mark the end of all work of a context (CUDA 12.5): 0 not known, 1 yes, 2 no.
static _Atomic int whole_contexts;

static bool by_others(void) {
  int known = atomic_load_explicit(&whole_contexts, memory_order_relaxed);
  if (!known) atomic_store(&whole_contexts, known = vgpu_driver_has(VGPU_FN_cuCtxRecordEvent) ? 1 : 2);
  return known == 1;
}

static void *record(struct vgpu_lane *lane) {
  bool entered = vgpu_context_enter(lane->context);
  // Another thread may be capturing: our events are none of its business, nor does it make them unsafe.
  bool capturing = atomic_load(&vgpu_captures) > 0;
  int mode = capturing ? vgpu_capture_mode(CU_STREAM_CAPTURE_MODE_RELAXED) : 0;
  struct event *e = take(lane->context);
  CUstream stream = lane->own_thread ? CU_STREAM_PER_THREAD : lane->stream;
  bool foreign = lane->own_thread && lane->stream != vgpu_thread_mark(), good = false;
  // A captured stream has no work of its own; it was settled before the capture began.
  if (e && foreign) {
    CUresult r = VGPU_CALL(cuCtxRecordEvent, CUresult (*)(void *, void *))(lane->context, e->handle);
    good = r == CUDA_SUCCESS;
    if (r == CUDA_ERROR_NOT_FOUND || r == CUDA_ERROR_NOT_SUPPORTED) atomic_store(&whole_contexts, 2);
  } else if (e) {
    good = !vgpu_stream_captured(stream, false) &&
           VGPU_CALL(cuEventRecord, CUresult (*)(void *, CUstream))(e->handle, stream) == CUDA_SUCCESS;
  }
  if (e && !good) {
    give(e);
    e = NULL;
  }
  if (capturing) vgpu_capture_mode(mode);
  vgpu_context_leave(entered);
  return e;
}

static void wait(struct vgpu_lane *lane, void *mark) {
  static _Thread_local bool relaxed;
  if (!relaxed) vgpu_capture_mode(CU_STREAM_CAPTURE_MODE_RELAXED);
  relaxed = true;
  struct event *e = mark;
  bool entered = vgpu_context_enter(lane->context);
  VGPU_CALL(cuEventSynchronize, CUresult (*)(void *))(e->handle);
  vgpu_context_leave(entered);
  give(e);
}

void vgpu_cuda_fences_forget(void *context) {
  pthread_mutex_lock(&mutex);
  for (struct event **e = &spare; *e;) {
    struct event *x = *e;
    if (x->context != context) {
      e = &x->next;
      continue;
    }
    *e = x->next;
    free(x); // the driver destroys a context's events with it
  }
  pthread_mutex_unlock(&mutex);
}

const struct vgpu_fences vgpu_cuda_fences = {record, wait, by_others, vgpu_pager_out};
