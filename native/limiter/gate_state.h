// What the parts of the gate share: its state.
#ifndef VGPU_GATE_STATE_H
#define VGPU_GATE_STATE_H

#include <sched.h>

#include "estimate.h"
#include "gate.h"

#define VGPU_LANES 256 // chains of lanes
#define VGPU_STUCK_NS 100000000ull // work that does not move for so long may wait for the host: let the host go on

struct fence {
  struct vgpu_lane *lane;
  void *mark;
  uint64_t recorded_ns, first_ns, estimate_ns;
  uint32_t count, n_keys;
  uint64_t keys[8];
  struct fence *next;
};

struct vgpu_gate {
  struct vgpu_member *member;
  const struct vgpu_fences *fences;
  // The fast path.
  _Atomic uint32_t inside;        // threads between enter and exit
  _Atomic uint32_t closed;        // the turn is being given back
  _Atomic uint32_t given_back;    // generation + 1 of the last turn given back: its word may linger in the slot
  _Atomic uint64_t outstanding_ns; // estimated work before a fence that was not yet passed
  _Atomic uint64_t submitted;     // pieces of work before a fence
  _Atomic uint32_t unfenced;      // lanes with work behind their last fence
  _Atomic uint32_t used_turn;     // generation + 1 of the last turn that work was submitted in
  // Under the mutex.
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct vgpu_lane *lanes[VGPU_LANES];
  struct fence *first, **last;
  uint64_t moved_ns;              // when a fence was last passed
  uint64_t done_ns;               // when the device was last seen to finish something
  uint32_t waiters;
  uint32_t requested_in; // generation in which a turn was last asked for; a grant begins the next one
  bool requested, enough, running;
  struct vgpu_estimates estimates;
};

static inline void lane_lock(struct vgpu_lane *lane) {
  while (atomic_exchange_explicit(&lane->busy, 1, memory_order_acquire)) sched_yield();
}

static inline void lane_unlock(struct vgpu_lane *lane) { atomic_store_explicit(&lane->busy, 0, memory_order_release); }

// Rings for the gate's thread.
VGPU_HIDDEN void vgpu_gate_bell(struct vgpu_gate *g);
// With the mutex held: waits for a change, or for so long.
VGPU_HIDDEN void vgpu_gate_wait(struct vgpu_gate *g, uint64_t ns);
// Puts a fence behind what was submitted to a lane, or to all, since the last one.
VGPU_HIDDEN void vgpu_fence_lane(struct vgpu_gate *g, struct vgpu_lane *lane);
VGPU_HIDDEN void vgpu_fence_all(struct vgpu_gate *g);

#endif
