#include "track.h"

#include <stdlib.h>

#define SHARDS 64

struct entry {
  enum vgpu_space space;
  uint64_t handle;
  struct vgpu_tracked what;
  struct entry *next;
};

struct shard {
  pthread_mutex_t mutex;
  struct entry **bucket;
  size_t buckets, count;
};

static struct shard shards[SHARDS] = {[0 ... SHARDS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER}};

static uint64_t hash(enum vgpu_space space, uint64_t handle) {
  uint64_t h = (handle ^ (uint64_t)space << 60) * 0x9E3779B97F4A7C15ull;
  return h ^ h >> 29;
}

static void grow(struct shard *s) {
  size_t n = s->buckets ? s->buckets * 2 : 64;
  struct entry **bigger = calloc(n, sizeof *bigger);
  if (!bigger) return;
  for (size_t i = 0; i < s->buckets; i++)
    for (struct entry *e = s->bucket[i], *next; e; e = next) {
      next = e->next;
      struct entry **b = &bigger[(hash(e->space, e->handle) >> 6) & (n - 1)];
      e->next = *b;
      *b = e;
    }
  free(s->bucket);
  s->bucket = bigger;
  s->buckets = n;
}

bool vgpu_track(enum vgpu_space space, uint64_t handle, struct vgpu_tracked what) {
  struct entry *e = malloc(sizeof *e);
  if (!e) return false;
  uint64_t h = hash(space, handle);
  struct shard *s = &shards[h & (SHARDS - 1)];
  pthread_mutex_lock(&s->mutex);
  if (s->count >= s->buckets) grow(s);
  bool good = s->buckets > 0;
  if (good) {
    struct entry **b = &s->bucket[(h >> 6) & (s->buckets - 1)];
    *e = (struct entry){space, handle, what, *b};
    *b = e;
    s->count++;
  } else {
    free(e);
  }
  pthread_mutex_unlock(&s->mutex);
  return good;
}

bool vgpu_tracked(enum vgpu_space space, uint64_t handle, bool remove, struct vgpu_tracked *out) {
  uint64_t h = hash(space, handle);
  struct shard *s = &shards[h & (SHARDS - 1)];
  bool found = false;
  pthread_mutex_lock(&s->mutex);
  if (s->buckets)
    for (struct entry **p = &s->bucket[(h >> 6) & (s->buckets - 1)]; *p; p = &(*p)->next) {
      struct entry *e = *p;
      if (e->space != space || e->handle != handle) continue;
      *out = e->what;
      found = true;
      if (remove) {
        *p = e->next;
        s->count--;
        free(e);
      }
      break;
    }
  pthread_mutex_unlock(&s->mutex);
  return found;
}

void vgpu_track_release_context(void *context) {
  for (int i = 0; i < SHARDS; i++) {
    struct shard *s = &shards[i];
    pthread_mutex_lock(&s->mutex);
    for (size_t b = 0; b < s->buckets; b++)
      for (struct entry **p = &s->bucket[b]; *p;) {
        struct entry *e = *p;
        if (e->what.context != context) {
          p = &e->next;
          continue;
        }
        *p = e->next;
        s->count--;
        vgpu_memory_release(e->what.member, e->what.kind, e->what.bytes);
        free(e);
      }
    pthread_mutex_unlock(&s->mutex);
  }
}

bool vgpu_take(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes) {
  if (!vgpu_member_attach(m)) return false; // to the arbiter of now, should it have been started again
  vgpu_flight_begin(m);
  if (vgpu_memory_reserve(m, kind, bytes)) return true;
  vgpu_flight_end(m);
  return false;
}

struct vgpu_leaving vgpu_leave(enum vgpu_space space, uint64_t handle) {
  struct vgpu_leaving l = {.space = space, .handle = handle};
  if (!handle || vgpu_members(NULL) == 0) return l;
  l.known = vgpu_tracked(space, handle, true, &l.what);
  if (l.known && l.what.member) vgpu_flight_begin(l.what.member);
  return l;
}

void vgpu_left(const struct vgpu_leaving *l, bool gone) {
  if (!l->known) return;
  struct vgpu_member *m = l->what.member;
  if (gone || !vgpu_track(l->space, l->handle, l->what)) {
    if (m) vgpu_memory_release(m, l->what.kind, l->what.bytes);
  }
  if (m) vgpu_flight_end(m);
}
