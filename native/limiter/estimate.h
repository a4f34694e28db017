// How long each kernel takes, learnt from fences. A fixed table: a kernel that loses its place is learnt again.
#ifndef VGPU_ESTIMATE_H
#define VGPU_ESTIMATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VGPU_ESTIMATES 1024

struct vgpu_estimate {
  _Atomic uint64_t key;
  _Atomic uint64_t ns; // 0: never measured
};

struct vgpu_estimates {
  struct vgpu_estimate entry[VGPU_ESTIMATES];
};

static inline struct vgpu_estimate *vgpu_estimate_of(struct vgpu_estimates *t, uint64_t key) {
  struct vgpu_estimate *e = &t->entry[(key * 0x9E3779B97F4A7C15ull) >> 54];
  if (atomic_load_explicit(&e->key, memory_order_relaxed) != key) {
    atomic_store_explicit(&e->key, key, memory_order_relaxed);
    atomic_store_explicit(&e->ns, 0, memory_order_relaxed);
  }
  return e;
}

// A batch of `count` pieces with these keys, expected to take `expected` ns, took `took` ns for each piece.
static inline void vgpu_estimate_learn(struct vgpu_estimates *t, const uint64_t *keys, uint32_t n, uint32_t count,
                                       uint64_t expected, uint64_t took) {
  if (took == 0) took = 1;
  for (uint32_t i = 0; i < n; i++) {
    struct vgpu_estimate *e = vgpu_estimate_of(t, keys[i]);
    uint64_t old = atomic_load_explicit(&e->ns, memory_order_relaxed), now = took;
    // In a mixed batch each kernel is scaled by as much as the whole was off, at most by two.
    if (n > 1 && old && expected) {
      uint64_t whole = took * count;
      now = whole >= 2 * expected ? old * 2 : whole * 2 <= expected ? old / 2 + 1 : old * whole / expected + 1;
    }
    atomic_store_explicit(&e->ns, old ? (old + now + 1) / 2 : now, memory_order_relaxed);
  }
}

#endif
