// Memory: addresses are the host's, reserved without being used; what counts is the shared total.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake.h"

enum place { DEVICE, POOL, VMM, MANAGED, ADDRESS };

struct block {
  devptr address;
  size_t bytes;
  enum place place;
  struct block *next;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks[4096];

static struct block **bucket(devptr p) { return &blocks[(p >> 12) * 0x9E3779B97F4A7C15ull >> 52]; }

static int map(devptr *out, size_t bytes, enum place place) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct block *b = p == MAP_FAILED ? NULL : malloc(sizeof *b);
  if (!b) return OUT_OF_MEMORY;
  pthread_mutex_lock(&mutex);
  struct block **head = bucket((devptr)(uintptr_t)p);
  *b = (struct block){(devptr)(uintptr_t)p, bytes, place, *head};
  *head = b;
  pthread_mutex_unlock(&mutex);
  *out = b->address;
  return OK;
}

static bool physical(enum place place) { return place != MANAGED && place != ADDRESS; }

static int unmap(devptr p) {
  pthread_mutex_lock(&mutex);
  struct block **b = bucket(p), *found;
  while (*b && (*b)->address != p) b = &(*b)->next;
  found = *b;
  if (found) *b = found->next;
  pthread_mutex_unlock(&mutex);
  if (!found) return INVALID_VALUE;
  if (found->place == MANAGED) fake_managed_remove(p);
  munmap((void *)(uintptr_t)p, found->bytes);
  if (physical(found->place)) fake_memory_give(found->bytes);
  free(found);
  return OK;
}

static int allocate(devptr *out, size_t bytes, enum place place) {
  if (bytes == 0 || !out) return INVALID_VALUE;
  if (!fake_current()) return INVALID_CONTEXT;
  if (physical(place) && !fake_memory_take(bytes)) return OUT_OF_MEMORY;
  int r = map(out, bytes, place);
  if (r && physical(place)) fake_memory_give(bytes);
  if (r == OK && place == MANAGED && (r = fake_managed_add(*out, bytes))) unmap(*out);
  return r;
}

API cuMemAlloc_v2(devptr *p, size_t bytes) {
  int r = fake_unsafe();
  return r ? r : allocate(p, bytes, DEVICE);
}
API cuMemAllocManaged(devptr *p, size_t bytes, unsigned flags) { return allocate(p, bytes, MANAGED); }
API cuMemAllocPitch_v2(devptr *p, size_t *pitch, size_t width, size_t height, unsigned element) {
  *pitch = (width + 255) & ~(size_t)255;
  return allocate(p, *pitch * height, DEVICE);
}
API cuMemFree_v2(devptr p) { return p ? unmap(p) : OK; }

struct pool {
  bool managed;
};
static int alloc_async(devptr *p, size_t bytes, const struct pool *pool, void *handle, bool per_thread) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (!s->capture) return allocate(p, bytes, pool && pool->managed ? MANAGED : POOL);
  if (pool && pool->managed) return CAPTURE_UNSUPPORTED;
  if ((r = map(p, bytes, ADDRESS))) return r; // an address, and memory only once the graph is launched
  fake_node(s->capture, (struct node){.kind = NODE_ALLOC, .bytes = bytes, .pointer = *p});
  return OK;
}
API cuMemAllocAsync(devptr *p, size_t bytes, void *stream) { return alloc_async(p, bytes, NULL, stream, false); }
API cuMemAllocAsync_ptsz(devptr *p, size_t bytes, void *stream) { return alloc_async(p, bytes, NULL, stream, true); }
static struct pool default_pool;
API cuMemAllocFromPoolAsync(devptr *p, size_t bytes, struct pool *pool, void *stream) {
  return alloc_async(p, bytes, pool, stream, false);
}
static int free_async(devptr p, void *handle, bool per_thread) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (!s->capture) return unmap(p);
  size_t bytes = 0;
  for (const struct node *n = s->capture->first; n; n = n->next)
    if (n->kind == NODE_ALLOC && n->pointer == p) bytes = n->bytes;
  fake_node(s->capture, (struct node){.kind = NODE_FREE, .bytes = bytes, .pointer = p});
  return OK;
}
API cuMemFreeAsync(devptr p, void *stream) { return free_async(p, stream, false); }
API cuMemFreeAsync_ptsz(devptr p, void *stream) { return free_async(p, stream, true); }
API cuDeviceGetDefaultMemPool(struct pool **pool, int device) { return *pool = &default_pool, OK; }
struct pool_props { // the beginning of CUmemPoolProps
  int type, handle_types, location_type, location_id;
};
API cuMemPoolCreate(struct pool **pool, const struct pool_props *props) {
  if (props->type < 1 || props->type > 2 || (props->type == 2 && props->handle_types)) return INVALID_VALUE;
  if (!(*pool = malloc(sizeof **pool))) return OUT_OF_MEMORY;
  (*pool)->managed = props->type == 2;
  return OK;
}
API cuMemPoolDestroy(struct pool *pool) { return free(pool), OK; }
API cuMemPoolTrimTo(struct pool *pool, size_t keep) { return OK; }

// cuMemCreate's handles stand for memory without an address.
API cuMemCreate(unsigned long long *handle, size_t bytes, const void *prop, unsigned long long flags) {
  if (!fake_memory_take(bytes)) return OUT_OF_MEMORY;
  size_t *p = malloc(2 * sizeof *p);
  p[0] = bytes;
  p[1] = 1;
  return *handle = (uintptr_t)p, OK;
}
API cuMemRelease(unsigned long long handle) {
  size_t *p = (size_t *)(uintptr_t)handle;
  if (--p[1]) return OK;
  fake_memory_give(p[0]);
  free(p);
  return OK;
}
API cuMemRetainAllocationHandle(unsigned long long *handle, void *address) {
  ((size_t *)address)[1]++; // the fake maps nothing: the address is the handle
  return *handle = (uintptr_t)address, OK;
}
API cuMemGetAllocationGranularity(size_t *bytes, const void *prop, int option) { return *bytes = 2 << 20, OK; }

static int array(void **out, size_t bytes) {
  if (!fake_memory_take(bytes)) return OUT_OF_MEMORY;
  size_t *p = malloc(sizeof *p);
  *p = bytes;
  return *out = p, OK;
}
static size_t element(int format) {
  return format == 0x01 || format == 0x08 ? 1 : format == 0x02 || format == 0x09 || format == 0x10 ? 2 : 4;
}
struct array_description {
  size_t width, height;
  int format;
  unsigned channels;
};
struct array3d_description {
  size_t width, height, depth;
  int format;
  unsigned channels, flags;
};
API cuArrayCreate_v2(void **out, const struct array_description *d) {
  return array(out, d->width * (d->height ? d->height : 1) * d->channels * element(d->format));
}
API cuArray3DCreate_v2(void **out, const struct array3d_description *d) {
  return array(out, d->width * (d->height ? d->height : 1) * (d->depth ? d->depth : 1) * d->channels * element(d->format));
}
API cuMipmappedArrayCreate(void **out, const struct array3d_description *d, unsigned levels) {
  size_t bytes = 0, w = d->width, h = d->height ? d->height : 1, z = d->depth ? d->depth : 1;
  for (unsigned i = 0; i < levels; i++) {
    bytes += w * h * z * d->channels * element(d->format);
    w = w > 1 ? w / 2 : 1;
    h = h > 1 ? h / 2 : 1;
    z = z > 1 ? z / 2 : 1;
  }
  return array(out, bytes);
}
API cuArrayDestroy(void *a) {
  fake_memory_give(*(size_t *)a);
  free(a);
  return OK;
}
API cuMipmappedArrayDestroy(void *a) { return cuArrayDestroy(a); }

// Copies and sets are done at once; those within the device also take time on it: 2 bytes a picosecond.
static int device_work(devptr to, size_t bytes, void *handle, bool per_thread) {
  struct stream *s;
  int r = fake_resolve(handle, per_thread, &s);
  if (r) return r;
  if (s->capture) return fake_node(s->capture, (struct node){.kind = NODE_MEMSET, .blocks = 1, .block_ns = bytes / 2000}), OK;
  struct fake_span spans[FAKE_SPANS] = {{0}};
  fake_span_of(to, bytes, &spans[0]);
  fake_work(s->context->id, s->id, fake_sms(), bytes / 2000 + 1, spans);
  return OK;
}
static int host_copy(void *to, const void *from, size_t bytes, bool wait) {
  struct context *c;
  int r = fake_context_of(&c);
  if (r) return r;
  if (wait) fake_stream_wait(c->id, 0);
  memcpy(to, from, bytes);
  return OK;
}
#define AT(p) ((void *)(uintptr_t)(p))
API cuMemcpyHtoD_v2(devptr to, const void *from, size_t n) { return host_copy(AT(to), from, n, true); }
API cuMemcpyDtoH_v2(void *to, devptr from, size_t n) { return host_copy(to, AT(from), n, true); }
API cuMemcpyHtoDAsync_v2(devptr to, const void *from, size_t n, void *s) { return host_copy(AT(to), from, n, false); }
API cuMemcpyDtoHAsync_v2(void *to, devptr from, size_t n, void *s) { return host_copy(to, AT(from), n, false); }
API cuMemcpyDtoD_v2(devptr to, devptr from, size_t n) { return memcpy(AT(to), AT(from), n), device_work(to, n, NULL, false); }
API cuMemcpyDtoDAsync_v2(devptr to, devptr from, size_t n, void *s) { return memcpy(AT(to), AT(from), n), device_work(to, n, s, false); }
API cuMemcpyAsync(devptr to, devptr from, size_t n, void *s) { return memcpy(AT(to), AT(from), n), device_work(to, n, s, false); }
API cuMemsetD8_v2(devptr to, unsigned char v, size_t n) { return memset(AT(to), v, n), device_work(to, n, NULL, false); }
API cuMemsetD8Async(devptr to, unsigned char v, size_t n, void *s) { return memset(AT(to), v, n), device_work(to, n, s, false); }
API cuMemsetD32Async(devptr to, unsigned v, size_t n, void *s) {
  for (size_t i = 0; i < n; i++) ((unsigned *)AT(to))[i] = v;
  return device_work(to, n * 4, s, false);
}
