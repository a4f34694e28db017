// Check-and-reserve on the account that all processes of a slice share. The lock word names its owner, so that the
// arbiter can repair the account when the owner dies inside.
#include <sched.h>

#include "../common/futex.h"
#include "member.h"

#define WAITERS 0x80000000u
#define SPINS 100

static void lock(struct vgpu_account *a, uint32_t me) {
  for (int i = 0;; i++) {
    uint32_t seen = 0;
    if (atomic_compare_exchange_weak(&a->lock, &seen, me)) return;
    if (i < SPINS || seen == 0) continue;
    if (!(seen & WAITERS)) {
      if (!atomic_compare_exchange_weak(&a->lock, &seen, seen | WAITERS)) continue;
      seen |= WAITERS;
    }
    // With a time limit: whoever takes the lock next does not know of other waiters.
    vgpu_futex_wait(&a->lock, seen, 1000000);
  }
}

static void unlock(struct vgpu_account *a) {
  if (atomic_exchange(&a->lock, 0) & WAITERS) vgpu_futex_wake(&a->lock, 1);
}

static uint64_t total(const struct vgpu_account *a) { return a->used + a->overhead; }

static bool take(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes, bool force) {
  struct vgpu_account *a = m->account;
  struct vgpu_slot *slot = m->slot;
  if (!a) return false;
  lock(a, m->index + 1);
  uint64_t cap = a->memory_cap, used = total(a);
  bool fits = cap == 0 || (bytes <= cap && used <= cap - bytes);
  // What cannot leave the device has to fit on it, in the part of it that stands behind this slice.
  uint64_t physical_cap = a->physical_cap, pinned = a->pinned + a->overhead;
  bool pins = kind != VGPU_KIND_MANAGED, over = false;
  if (fits && pins && physical_cap) over = bytes > physical_cap || pinned > physical_cap - bytes;
  if (over) fits = false;
  if (fits || force) {
    atomic_store_explicit(&a->used, a->used + bytes, memory_order_relaxed);
    if (pins) atomic_store_explicit(&a->pinned, a->pinned + bytes, memory_order_relaxed);
    atomic_store_explicit(&slot->memory[kind], slot->memory[kind] + bytes, memory_order_relaxed);
  }
  unlock(a);
  if (fits || force) atomic_fetch_add(&m->memory[kind], bytes);
  if (!fits && !force) atomic_fetch_add(&slot->denied, 1);
  if (over && !force)
    vgpu_debug("refused %llu bytes that cannot leave the device: %llu of %llu are taken", (unsigned long long)bytes,
               (unsigned long long)pinned, (unsigned long long)physical_cap);
  return fits;
}

bool vgpu_memory_reserve(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes) {
  return take(m, kind, bytes, false);
}

bool vgpu_memory_force(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes) { return take(m, kind, bytes, true); }

void vgpu_memory_release(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes) {
  struct vgpu_account *a = m->account;
  struct vgpu_slot *slot = m->slot;
  if (!a) return;
  lock(a, m->index + 1);
  uint64_t mine = slot->memory[kind], all = a->used;
  atomic_store_explicit(&slot->memory[kind], mine > bytes ? mine - bytes : 0, memory_order_relaxed);
  atomic_store_explicit(&a->used, all > bytes ? all - bytes : 0, memory_order_relaxed);
  uint64_t pinned = a->pinned;
  if (kind != VGPU_KIND_MANAGED) atomic_store_explicit(&a->pinned, pinned > bytes ? pinned - bytes : 0, memory_order_relaxed);
  unlock(a);
  uint64_t held = m->memory[kind];
  while (!atomic_compare_exchange_weak(&m->memory[kind], &held, held > bytes ? held - bytes : 0)) {
  }
}

uint64_t vgpu_memory_used(struct vgpu_member *m, uint64_t *cap) {
  struct vgpu_account *a = m->account;
  *cap = a ? (uint64_t)a->memory_cap : m->config.memory;
  return a ? total(a) : 0;
}

bool vgpu_memory_over(struct vgpu_member *m) {
  const struct vgpu_account *a = m->account;
  if (!a) return false;
  uint64_t cap = a->memory_cap, physical_cap = a->physical_cap;
  return (cap && total(a) > cap) || (physical_cap && a->pinned + a->overhead > physical_cap);
}
