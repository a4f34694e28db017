// Graphs. As the driver does it, the memory of their nodes is mapped when they are launched or uploaded, and graphs that
// are launched into the same stream use the same memory; what they no longer need stays reserved until it is trimmed.
#include <stdlib.h>
#include <string.h>

#include "fake.h"

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
  static _Atomic devptr next = 0x700000000000ull; // addresses of graphs are nobody else's
  p->pointer = next;
  next += (p->bytes + 4095) & ~(size_t)4095;
  fake_node(g, (struct node){.kind = NODE_ALLOC, .bytes = p->bytes, .pointer = p->pointer});
  if (node) *node = (char *)g->last - offsetof(struct node, next);
  return OK;
}
API cuGraphAddMemFreeNode(void **node, struct graph *g, void **after, size_t n, devptr pointer) {
  size_t bytes = 0;
  for (const struct node *x = g->first; x; x = x->next)
    if (x->kind == NODE_ALLOC && x->pointer == pointer) bytes = x->bytes;
  if (bytes == 0) return INVALID_VALUE;
  fake_node(g, (struct node){.kind = NODE_FREE, .bytes = bytes, .pointer = pointer});
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
    if (n->kind == NODE_ALLOC && (e->live += n->bytes) > e->bytes) e->bytes = e->live;
    if (n->kind == NODE_FREE) e->live -= n->bytes;
    if (n->child) total(n->child, e);
  }
}

// What is reserved for the graphs of one stream.
struct reserve {
  int context, stream;
  uint64_t bytes;
  struct reserve *next;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct reserve *reserves;

static int reserve(const struct graph_exec *e, const struct stream *s) {
  if (e->bytes == 0) return OK;
  pthread_mutex_lock(&mutex);
  struct reserve *r = reserves;
  while (r && (r->context != s->context->id || r->stream != s->id)) r = r->next;
  if (!r && (r = calloc(1, sizeof *r))) {
    *r = (struct reserve){s->context->id, s->id, 0, reserves};
    reserves = r;
  }
  bool good = r && (e->bytes <= r->bytes || fake_memory_take(e->bytes - r->bytes));
  if (good && e->bytes > r->bytes) r->bytes = e->bytes;
  pthread_mutex_unlock(&mutex);
  return good ? OK : OUT_OF_MEMORY;
}
API cuDeviceGraphMemTrim(int device) {
  pthread_mutex_lock(&mutex);
  for (struct reserve *r = reserves; r; r = r->next)
    if (r->bytes && fake_stream_done(r->context, r->stream, UINT64_MAX)) {
      fake_memory_give(r->bytes);
      r->bytes = 0;
    }
  pthread_mutex_unlock(&mutex);
  return OK;
}
// Attributes 0: bytes in use now, 2: reserved now; peaks are not kept.
API cuDeviceGetGraphMemAttribute(int device, int attribute, uint64_t *value) {
  if (attribute != 0 && attribute != 2) return INVALID_VALUE;
  *value = 0;
  pthread_mutex_lock(&mutex);
  for (struct reserve *r = reserves; r; r = r->next)
    if (attribute == 2 || !fake_stream_done(r->context, r->stream, UINT64_MAX)) *value += r->bytes;
  pthread_mutex_unlock(&mutex);
  return OK;
}

API cuGraphInstantiateWithFlags(struct graph_exec **out, struct graph *g, unsigned long long flags) {
  struct graph_exec *e = calloc(1, sizeof *e);
  total(g, e);
  return *out = e, OK;
}
API cuGraphInstantiate_v2(struct graph_exec **out, struct graph *g, void *node, char *log, size_t n) {
  return cuGraphInstantiateWithFlags(out, g, 0);
}
API cuGraphExecDestroy(struct graph_exec *e) { return free(e), OK; }

static int launch(struct graph_exec *e, void *handle, bool per_thread, bool only_upload) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->capture) return CAPTURE_UNSUPPORTED;
  if ((r = reserve(e, s)) || only_upload) return r;
  fake_work(s->context->id, s->id, fake_sms(), e->ns ? e->ns : 1, e->span);
  return OK;
}
API cuGraphLaunch(struct graph_exec *e, void *stream) { return launch(e, stream, false, false); }
API cuGraphLaunch_ptsz(struct graph_exec *e, void *stream) { return launch(e, stream, true, false); }
API cuGraphUpload(struct graph_exec *e, void *stream) { return launch(e, stream, false, true); }
API cuGraphUpload_ptsz(struct graph_exec *e, void *stream) { return launch(e, stream, true, true); }
