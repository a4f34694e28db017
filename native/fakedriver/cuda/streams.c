// Streams, events, capture and host functions.
#include <stdlib.h>
#include <string.h>

#include "../../common/futex.h"
#include "fake.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned captures;      // going on
static unsigned global_captures;
static _Thread_local int thread_mode; // 0 global, 1 thread local, 2 relaxed
static struct stream *captured[64];

static struct stream *legacy_of(struct context *c) {
  pthread_mutex_lock(&mutex);
  struct stream *s = c->streams;
  while (s && s->id != 0) s = s->next;
  if (!s) {
    s = calloc(1, sizeof *s);
    s->context = c;
    s->next = c->streams;
    c->streams = s;
  }
  pthread_mutex_unlock(&mutex);
  return s;
}

int fake_resolve(void *handle, bool per_thread, struct stream **out) {
  static _Thread_local struct {
    struct context *context;
    struct stream *stream;
  } own;
  struct context *c;
  if ((uintptr_t)handle > 2) {
    *out = handle;
    return OK;
  }
  int r = fake_context_of(&c);
  if (r) return r;
  if (handle == (void *)2 || (!handle && per_thread)) {
    if (own.context != c) {
      int id = fake_stream_create(c->id, true);
      struct stream *s = id == NONE ? NULL : calloc(1, sizeof *s);
      if (!s) return OUT_OF_MEMORY;
      s->context = c;
      s->id = id;
      own.context = c;
      own.stream = s;
    }
    *out = own.stream;
  } else {
    *out = legacy_of(c);
  }
  return OK;
}

void fake_prune(struct context *c) {
  pthread_mutex_lock(&mutex);
  for (struct stream *s = c->streams, *next; s; s = next) {
    next = s->next;
    free(s);
  }
  c->streams = NULL;
  pthread_mutex_unlock(&mutex);
}

int fake_unsafe(void) {
  if (thread_mode == 2 || __atomic_load_n(&global_captures, __ATOMIC_RELAXED) == 0) return OK;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < 64; i++)
    if (captured[i]) captured[i]->invalid = true;
  pthread_mutex_unlock(&mutex);
  return CAPTURE_UNSUPPORTED;
}

API cuThreadExchangeStreamCaptureMode(int *mode) {
  int before = thread_mode;
  thread_mode = *mode;
  *mode = before;
  return OK;
}

API cuStreamCreate(struct stream **out, unsigned flags) {
  struct context *c;
  int r = fake_context_of(&c);
  if (r) return r;
  int id = fake_stream_create(c->id, !(flags & 1));
  struct stream *s = id == NONE ? NULL : calloc(1, sizeof *s);
  if (!s) return OUT_OF_MEMORY;
  s->context = c;
  s->id = id;
  *out = s;
  return OK;
}
API cuStreamCreateWithPriority(struct stream **out, unsigned flags, int priority) { return cuStreamCreate(out, flags); }
API cuStreamDestroy_v2(struct stream *s) {
  fake_stream_destroy(s->context->id, s->id);
  free(s);
  return OK;
}
API cuStreamGetCtx(void *handle, struct context **c) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r == OK) *c = s->context;
  return r;
}
static int synchronize(void *handle, bool per_thread) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->capture || (r = fake_unsafe())) return CAPTURE_UNSUPPORTED;
  fake_stream_wait(s->context->id, s->id);
  return OK;
}
API cuStreamSynchronize(void *handle) { return synchronize(handle, false); }
API cuStreamSynchronize_ptsz(void *handle) { return synchronize(handle, true); }
API cuStreamQuery(void *handle) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r || (r = fake_unsafe())) return r;
  return fake_stream_done(s->context->id, s->id, UINT64_MAX) ? OK : NOT_READY;
}

API cuEventCreate(struct event **out, unsigned flags) {
  struct context *c;
  int r = fake_context_of(&c);
  if (r) return r;
  struct event *e = calloc(1, sizeof *e);
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  e->id = g->context[c->id].next_event++ % FAKE_EVENTS;
  fake_unlock(g);
  e->context = c;
  *out = e;
  return OK;
}
API cuEventDestroy_v2(struct event *e) { return free(e), OK; }
static int record(struct event *e, void *handle, bool per_thread) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->context != e->context) return INVALID_HANDLE;
  e->capture = s->capture;
  if (!s->capture) e->generation = fake_record(s->context->id, s->id, e->id);
  return OK;
}
API cuEventRecord(struct event *e, void *handle) { return record(e, handle, false); }
API cuEventRecord_ptsz(struct event *e, void *handle) { return record(e, handle, true); }
API cuCtxRecordEvent(struct context *c, struct event *e) {
  if (!c) c = fake_current();
  if (!c || c != e->context) return INVALID_HANDLE;
  int r = fake_unsafe();
  if (r) return r;
  e->capture = NULL;
  e->generation = fake_record_all(c->id, e->id);
  return OK;
}
API cuEventQuery(struct event *e) {
  int r = e->capture ? CAPTURE_UNSUPPORTED : fake_unsafe();
  if (r) return r;
  return fake_event_done(e->context->id, e->id, e->generation) ? OK : NOT_READY;
}
API cuEventSynchronize(struct event *e) {
  int r = e->capture ? CAPTURE_UNSUPPORTED : fake_unsafe();
  if (r) return r;
  fake_event_wait(e->context->id, e->id, e->generation);
  return OK;
}
API cuEventElapsedTime(float *ms, struct event *from, struct event *to) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  uint64_t a = g->context[from->context->id].event[from->id].done_ns, b = g->context[to->context->id].event[to->id].done_ns;
  fake_unlock(g);
  *ms = (float)((double)b - (double)a) / 1e6f;
  return OK;
}
API cuStreamWaitEvent(void *handle, struct event *e, unsigned flags) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r) return r;
  if (e->capture) {
    s->capture = e->capture; // joins the capture
  } else if (e->generation && s->context == e->context) {
    fake_submit(s->context->id, s->id,
                (struct fake_op){.kind = FAKE_WAIT, .event = e->id, .generation = e->generation});
  }
  return OK;
}

static int begin_capture(void *handle, bool per_thread, int mode) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->capture || s->id == 0) return CAPTURE_UNSUPPORTED;
  s->capture = calloc(1, sizeof *s->capture);
  s->capture->last = &s->capture->first;
  s->origin = true;
  s->invalid = false;
  s->mode = mode;
  pthread_mutex_lock(&mutex);
  captures++;
  if (mode == 0) global_captures++;
  for (int i = 0; i < 64; i++)
    if (!captured[i]) {
      captured[i] = s;
      break;
    }
  pthread_mutex_unlock(&mutex);
  return OK;
}
static int end_capture(void *handle, bool per_thread, struct graph **out) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (!s->capture || !s->origin) return CAPTURE_UNSUPPORTED;
  *out = s->invalid ? NULL : s->capture;
  pthread_mutex_lock(&mutex);
  captures--;
  if (s->mode == 0) global_captures--;
  for (int i = 0; i < 64; i++)
    if (captured[i] == s) captured[i] = NULL;
  pthread_mutex_unlock(&mutex);
  s->capture = NULL;
  s->origin = false;
  return s->invalid ? CAPTURE_INVALIDATED : OK;
}
API cuStreamBeginCapture_v2(void *handle, int mode) { return begin_capture(handle, false, mode); }
API cuStreamBeginCapture_v2_ptsz(void *handle, int mode) { return begin_capture(handle, true, mode); }
API cuStreamEndCapture(void *handle, struct graph **g) { return end_capture(handle, false, g); }
API cuStreamEndCapture_ptsz(void *handle, struct graph **g) { return end_capture(handle, true, g); }
API cuStreamIsCapturing(void *handle, int *status) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r == OK) *status = !s->capture ? 0 : s->invalid ? 2 : 1;
  return r;
}

// Host functions run on a thread of the process, in the order of their stream.
struct call {
  void (*f)(void *);
  void *data;
  int context;
  struct call *next;
};
static struct call *calls;
static bool serving;

static void *serve(void *unused) {
  for (;;) {
    bool idle = true;
    pthread_mutex_lock(&mutex);
    struct call *c = calls;
    pthread_mutex_unlock(&mutex);
    for (; c; c = c->next) {
      int stream;
      uint64_t ticket;
      if (!c->f || !fake_host_due(c->context, &stream, &ticket)) continue;
      struct call *due = (struct call *)(uintptr_t)ticket;
      due->f(due->data);
      due->f = NULL; // done; its entry stays
      fake_host_done(due->context, stream);
      idle = false;
    }
    if (idle) vgpu_sleep_ns(50000);
  }
  return unused;
}

API cuLaunchHostFunc(void *handle, void (*f)(void *), void *data) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r) return r;
  if (s->capture) return fake_node(s->capture, (struct node){.kind = NODE_HOST}), OK;
  struct call *c = calloc(1, sizeof *c);
  *c = (struct call){f, data, s->context->id, NULL};
  pthread_mutex_lock(&mutex);
  c->next = calls;
  calls = c;
  pthread_t thread;
  if (!serving) serving = pthread_create(&thread, NULL, serve, NULL) == 0 && pthread_detach(thread) == 0;
  pthread_mutex_unlock(&mutex);
  fake_submit(s->context->id, s->id, (struct fake_op){.kind = FAKE_HOST, .ticket = (uintptr_t)c});
  return OK;
}
