// Kernels.
#include <stdlib.h>
#include <string.h>

#include "fake.h"

void fake_node(struct graph *g, struct node node) {
  struct node *n = malloc(sizeof *n);
  *n = node;
  n->next = NULL;
  *g->last = n;
  g->last = &n->next;
}

static int launch(struct function *f, uint64_t blocks, void *handle, void **parameters, bool per_thread) {
  if (f->nothing) return OK;
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (f->meeting && !s->capture) {
    fake_meet(s->context->id, s->id, f->block_ns, f->meeting, f->rank, ++f->rounds);
    return OK;
  }
  struct fake_span spans[FAKE_SPANS];
  fake_run(f, parameters, !s->capture, spans);
  if (s->capture) {
    fake_node(s->capture, (struct node){.kind = NODE_KERNEL, .blocks = blocks, .block_ns = f->block_ns, .span = spans[0]});
    return OK;
  }
  fake_work(s->context->id, s->id, blocks, f->block_ns, spans);
  return OK;
}

#define LAUNCH(suffix, per_thread) \
  API cuLaunchKernel##suffix(struct function *f, unsigned x, unsigned y, unsigned z, unsigned a, unsigned b, unsigned c, \
                             unsigned shared, void *stream, void **parameters, void **extra) { \
    return launch(f, (uint64_t)x * y * z, stream, parameters, per_thread); \
  } \
  API cuLaunchKernelEx##suffix(const void *config, struct function *f, void **parameters, void **extra) { \
    const unsigned *grid = config; \
    void *stream; \
    memcpy(&stream, (const char *)config + 32, sizeof stream); \
    return launch(f, (uint64_t)grid[0] * grid[1] * grid[2], stream, parameters, per_thread); \
  } \
  API cuLaunchCooperativeKernel##suffix(struct function *f, unsigned x, unsigned y, unsigned z, unsigned a, unsigned b, \
                                        unsigned c, unsigned shared, void *stream, void **parameters) { \
    return launch(f, (uint64_t)x * y * z, stream, parameters, per_thread); \
  }
LAUNCH(, false)
LAUNCH(_ptsz, true)
