// Kernels and graphs.
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

API cuGraphCreate(struct graph **g, unsigned flags) {
  *g = calloc(1, sizeof **g);
  (*g)->last = &(*g)->first;
  return OK;
}
API cuGraphDestroy(struct graph *g) {
  for (struct node *n = g->first, *next; n; n = next) {
    next = n->next;
    free(n);
  }
  free(g);
  return OK;
}
struct kernel_node { // the beginning of CUDA_KERNEL_NODE_PARAMS
  struct function *f;
  unsigned x, y, z;
};
API cuGraphAddKernelNode_v2(void **node, struct graph *g, void **after, size_t n, const struct kernel_node *p) {
  fake_node(g, (struct node){.kind = NODE_KERNEL, .blocks = (uint64_t)p->x * p->y * p->z, .block_ns = p->f->block_ns});
  if (node) *node = (char *)g->last - offsetof(struct node, next);
  return OK;
}
struct alloc_node { // CUDA_MEM_ALLOC_NODE_PARAMS
  char pool[88];
  const void *access;
  size_t n, bytes;
  devptr pointer;
};
API cuGraphAddMemAllocNode(void **node, struct graph *g, void **after, size_t n, struct alloc_node *p) {
  fake_node(g, (struct node){.kind = NODE_ALLOC, .bytes = p->bytes, .pointer = 0x700000000000ull});
  p->pointer = 0x700000000000ull;
  if (node) *node = (char *)g->last - offsetof(struct node, next);
  return OK;
}
API cuGraphAddChildGraphNode(void **node, struct graph *g, void **after, size_t n, struct graph *child) {
  fake_node(g, (struct node){.kind = NODE_GRAPH, .child = child});
  if (node) *node = (char *)g->last - offsetof(struct node, next);
  return OK;
}
API cuGraphGetNodes(struct graph *g, struct node **out, size_t *n) {
  size_t i = 0;
  for (struct node *x = g->first; x; x = x->next, i++)
    if (out && i < *n) out[i] = x;
  *n = i;
  return OK;
}
API cuGraphNodeGetType(struct node *n, int *type) { return *type = (int)n->kind, OK; }
API cuGraphMemAllocNodeGetParams(struct node *n, struct alloc_node *p) {
  memset(p, 0, sizeof *p);
  p->bytes = n->bytes;
  p->pointer = n->pointer;
  return OK;
}
API cuGraphChildGraphNodeGetGraph(struct node *n, struct graph **g) { return *g = n->child, OK; }

static void total(const struct graph *g, struct graph_exec *e) {
  uint64_t sms = fake_sms();
  for (const struct node *n = g->first; n; n = n->next) {
    if (n->kind == NODE_KERNEL || n->kind == NODE_MEMSET) {
      e->ns += (n->blocks + sms - 1) / sms * n->block_ns;
      e->kernels++;
    }
    for (int i = 0; i < FAKE_SPANS && n->span.count; i++)
      if (e->span[i].count == 0) {
        e->span[i] = n->span;
        break;
      }
    if (n->kind == NODE_ALLOC) e->bytes += n->bytes;
    if (n->child) total(n->child, e);
  }
}

API cuGraphInstantiateWithFlags(struct graph_exec **out, struct graph *g, unsigned long long flags) {
  struct graph_exec *e = calloc(1, sizeof *e);
  total(g, e);
  if (e->bytes && !fake_memory_take(e->bytes)) {
    free(e);
    return OUT_OF_MEMORY;
  }
  *out = e;
  return OK;
}
API cuGraphInstantiate_v2(struct graph_exec **out, struct graph *g, void *node, char *log, size_t n) {
  return cuGraphInstantiateWithFlags(out, g, 0);
}
API cuGraphExecDestroy(struct graph_exec *e) {
  if (e->bytes) fake_memory_give(e->bytes);
  free(e);
  return OK;
}
API cuGraphLaunch(struct graph_exec *e, void *handle) {
  struct stream *s;
  int r = fake_resolve(handle, false, &s);
  if (r) return r;
  if (s->capture) return CAPTURE_UNSUPPORTED;
  fake_work(s->context->id, s->id, fake_sms(), e->ns ? e->ns : 1, e->span);
  return OK;
}
