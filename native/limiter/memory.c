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

static void subtract(au64 *sum, uint64_t bytes) {
  uint64_t all = *sum;
  while (!atomic_compare_exchange_weak(sum, &all, all > bytes ? all - bytes : 0)) {
  }
}

static void raise_to(au64 *most, uint64_t bytes) {
  uint64_t seen = *most;
  while (seen < bytes && !atomic_compare_exchange_weak(most, &seen, bytes)) {
  }
}

static uint64_t unmanaged(const struct vgpu_slot *slot) {
  uint64_t sum = 0;
  for (int k = 0; k < VGPU_KINDS; k++)
    if (k != VGPU_KIND_MANAGED) sum += atomic_load_explicit(&slot->memory[k], memory_order_relaxed);
  return sum;
}

// The account and this process's slot in it, which belong together also while another thread is being given new ones.
static struct vgpu_slot *slot_in(struct vgpu_member *m, struct vgpu_account **account) {
  for (;;) {
    struct vgpu_account *a = __atomic_load_n(&m->account, __ATOMIC_ACQUIRE);
    struct vgpu_slot *slot = __atomic_load_n(&m->slot, __ATOMIC_ACQUIRE);
    *account = a;
    if (!a || (slot >= a->slot && slot < a->slot + VGPU_SLOTS_MAX)) return slot;
    sched_yield();
  }
}

void vgpu_flight_begin(struct vgpu_member *m) {
  struct vgpu_account *a;
  struct vgpu_slot *slot = slot_in(m, &a);
  if (!a) return;
  atomic_fetch_add(&slot->flying, 1);
  atomic_fetch_add(&slot->flights, 1);
}

void vgpu_flight_end(struct vgpu_member *m) {
  struct vgpu_account *a;
  struct vgpu_slot *slot = slot_in(m, &a);
  if (!a) return;
  uint32_t flying = slot->flying; // a slot that is new since the beginning does not know of it
  while (flying && !atomic_compare_exchange_weak(&slot->flying, &flying, flying - 1)) {
  }
}

static bool take(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes, bool force) {
  struct vgpu_account *a;
  struct vgpu_slot *slot = slot_in(m, &a);
  if (!a) return false;
  lock(a, (uint32_t)(slot - a->slot) + 1);
  uint64_t cap = a->memory_cap, used = total(a);
  bool fits = cap == 0 || (bytes <= cap && used <= cap - bytes);
  // What cannot leave the device has to fit on it, in the part of it that stands behind this slice.
  uint64_t physical_cap = a->physical_cap, pinned = a->pinned + a->overhead;
  bool pins = kind != VGPU_KIND_MANAGED, over = false;
  if (fits && pins && physical_cap) over = bytes > physical_cap || pinned > physical_cap - bytes;
  if (over) fits = false;
  if (fits || force) {
    // Added, not stored: the arbiter adds to the sums, without the lock, what a process brings along to it.
    atomic_fetch_add(&a->used, bytes);
    if (pins) atomic_fetch_add(&a->pinned, bytes);
    atomic_store_explicit(&slot->memory[kind], slot->memory[kind] + bytes, memory_order_relaxed);
    raise_to(&a->peak, total(a));
    raise_to(&slot->high, unmanaged(slot));
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
  struct vgpu_account *a;
  struct vgpu_slot *slot = slot_in(m, &a);
  if (!a) return;
  lock(a, (uint32_t)(slot - a->slot) + 1);
  // The sums are those of the slots' words, whatever is given back.
  uint64_t mine = slot->memory[kind], back = mine < bytes ? mine : bytes;
  atomic_store_explicit(&slot->memory[kind], mine - back, memory_order_relaxed);
  subtract(&a->used, back);
  if (kind != VGPU_KIND_MANAGED) subtract(&a->pinned, back);
  unlock(a);
  uint64_t held = m->memory[kind];
  while (!atomic_compare_exchange_weak(&m->memory[kind], &held, held > bytes ? held - bytes : 0)) {
  }
}

void vgpu_memory_take_over(struct vgpu_member *m, const struct vgpu_account *earlier) {
  if (earlier) raise_to(&m->account->peak, earlier->peak);
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
