// Managed memory: which of it a kernel touches, and moving it ahead of use.
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct managed {
  devptr address;
  size_t bytes;
  int extent;
  struct managed *next;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct managed *all;

int fake_managed_add(devptr p, size_t bytes) {
  struct managed *m = malloc(sizeof *m);
  int extent = m ? fake_managed_create(bytes) : NONE;
  if (extent == NONE) {
    free(m);
    return OUT_OF_MEMORY;
  }
  pthread_mutex_lock(&mutex);
  *m = (struct managed){p, bytes, extent, all};
  all = m;
  pthread_mutex_unlock(&mutex);
  return OK;
}

void fake_managed_remove(devptr p) {
  pthread_mutex_lock(&mutex);
  struct managed **m = &all, *found;
  while (*m && (*m)->address != p) m = &(*m)->next;
  if ((found = *m)) *m = found->next;
  pthread_mutex_unlock(&mutex);
  if (found) fake_managed_destroy(found->extent);
  free(found);
}

bool fake_span_of(devptr p, size_t bytes, struct fake_span *out) {
  struct fake_gpu *g = fake_gpu();
  bool found = false;
  pthread_mutex_lock(&mutex);
  for (const struct managed *m = all; m && !found; m = m->next) {
    if (p < m->address || p >= m->address + m->bytes) continue;
    if (bytes > m->address + m->bytes - p) bytes = (size_t)(m->address + m->bytes - p);
    uint64_t first = (p - m->address) / FAKE_BLOCK, last = (p - m->address + (bytes ? bytes - 1 : 0)) / FAKE_BLOCK;
    *out = (struct fake_span){g->residency.extent[m->extent].span.first + (uint32_t)first, (uint32_t)(last - first + 1)};
    found = true;
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

static int move(devptr p, size_t bytes, bool to_host, void *handle, bool per_thread) {
  struct stream *s;
  struct fake_op op = {.kind = to_host ? FAKE_TO_HOST : FAKE_TO_DEVICE};
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->capture) return CAPTURE_UNSUPPORTED;
  if (!fake_span_of(p, bytes, &op.span[0])) return INVALID_VALUE;
  fake_submit(s->context->id, s->id, op);
  return OK;
}

struct location {
  int type, id;
};
#define PREFETCH(suffix, per_thread) \
  API cuMemPrefetchAsync##suffix(devptr p, size_t bytes, int device, void *stream) { \
    return device > 0 ? INVALID_DEVICE : move(p, bytes, device < 0, stream, per_thread); \
  } \
  API cuMemPrefetchAsync_v2##suffix(devptr p, size_t bytes, struct location to, unsigned flags, void *stream) { \
    if (flags || to.type < 1 || to.type > 4) return INVALID_VALUE; \
    return to.type == 1 && to.id ? INVALID_DEVICE : move(p, bytes, to.type != 1, stream, per_thread); \
  }
PREFETCH(, false)
PREFETCH(_ptsz, true)

// Advice is taken and changes nothing here.
API cuMemAdvise(devptr p, size_t bytes, int advice, int device) {
  struct fake_span s;
  return fake_span_of(p, bytes, &s) ? OK : INVALID_VALUE;
}
API cuMemAdvise_v2(devptr p, size_t bytes, int advice, struct location at) { return cuMemAdvise(p, bytes, advice, 0); }

// For tests: bytes of this process on the device; of all processes: faults (a count), moved in and out, and what of
// both was prefetched.
API vgpuFakeResidency(uint64_t out[6]) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  const struct fake_residency *r = &g->residency;
  uint64_t mine = 0;
  for (int e = 0; e < FAKE_EXTENTS; e++)
    if (r->extent[e].in_use && r->extent[e].process == fake_self())
      for (uint32_t i = 0; i < r->extent[e].span.count; i++) mine += r->block[r->extent[e].span.first + i].resident;
  const uint64_t all_of_it[] = {mine * FAKE_BLOCK,           r->faults,
                                r->moved_in * FAKE_BLOCK,    r->moved_out * FAKE_BLOCK,
                                r->prefetched_in * FAKE_BLOCK, r->prefetched_out * FAKE_BLOCK};
  memcpy(out, all_of_it, sizeof all_of_it);
  fake_unlock(g);
  return OK;
}
