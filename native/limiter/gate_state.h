// What the parts of the gate share: its state.
#ifndef VGPU_GATE_STATE_H
#define VGPU_GATE_STATE_H

#include <sched.h>

#include "estimate.h"
#include "gate.h"

#define VGPU_LANES 256 // chains of lanes
#define VGPU_UNKNOWN_NS 25000000ull // what a kernel is taken to last before it was ever measured
#define VGPU_STUCK_NS 100000000ull // work that does not move for so long may wait for the host: let the host go on

struct fence {
  struct vgpu_lane *lane;
  void *mark;
  uint64_t recorded_ns, first_ns, estimate_ns;
  uint32_t count, n_keys;
  uint64_t moved; // bytes that came to the device, where it is known that they did
  uint64_t keys[8];
  struct fence *next;
};

// A thread at the gate: only it writes here, so that passing costs no locked instruction. The others see it come in at
// the latest when they make all threads of the process pass a barrier (see visitors.c).
struct vgpu_visitor {
  _Alignas(64) _Atomic uint32_t inside; // between enter and exit
  uint64_t key, estimate_ns;            // of the piece of work that it brings
  _Atomic uint32_t in_use;              // by a thread that lives
  struct vgpu_visitor *next;
};

struct vgpu_gate {
  struct vgpu_member *member;
  const struct vgpu_fences *fences;
  // The fast path.
  struct vgpu_visitor *_Atomic visitors; // only ever added to
  bool barrier;                   // the kernel has one for all threads of a process
  _Atomic uint32_t closed;        // the turn is being given back
  _Atomic uint32_t given_back;    // generation + 1 of the last turn given back: its word may linger in the slot
  _Atomic uint64_t outstanding_ns; // estimated work before a fence that was not yet passed
  _Atomic uint64_t submitted;     // pieces of work before a fence
  _Atomic uint32_t unfenced;      // lanes with work behind their last fence
  _Atomic uint32_t used_turn;     // generation + 1 of the last turn that work was submitted in
  _Atomic uint32_t width;         // of this turn's work, all lanes together
  // Under the mutex.
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct vgpu_lane *lanes[VGPU_LANES];
  struct fence *first, **last;
  uint64_t moved_ns;              // when a fence was last passed
  uint64_t done_ns;               // when the device was last seen to finish something
  uint32_t waiters, last_width;
  uint32_t requested_in; // generation in which a turn was last asked for; a grant begins the next one
  bool requested, enough, running;
  struct vgpu_estimates estimates;
};

static inline void lane_lock(struct vgpu_lane *lane) {
  while (atomic_exchange_explicit(&lane->busy, 1, memory_order_acquire)) sched_yield();
}

static inline void lane_unlock(struct vgpu_lane *lane) { atomic_store_explicit(&lane->busy, 0, memory_order_release); }

// The calling thread at this gate; NULL: no memory.
VGPU_HIDDEN struct vgpu_visitor *vgpu_visitor_of(struct vgpu_gate *g);
VGPU_HIDDEN void vgpu_visitors_prepare(struct vgpu_gate *g);
// Whether a thread is inside. `surely`: one that came in before this call and does not show yet is waited for.
VGPU_HIDDEN bool vgpu_visitors_inside(struct vgpu_gate *g, bool surely);
// In a child process: the other threads are not there.
VGPU_HIDDEN void vgpu_visitors_forget(struct vgpu_gate *g);

static inline void visitor_enter(const struct vgpu_gate *g, struct vgpu_visitor *v) {
#if defined(__SANITIZE_THREAD__)
  atomic_fetch_add(&v->inside, 1); // it does not know of fences
  return;
#else
  atomic_store_explicit(&v->inside, atomic_load_explicit(&v->inside, memory_order_relaxed) + 1, memory_order_relaxed);
  // What is read next (whether the turn is held) must not be read before that is written. Whoever closes the gate
  // makes sure of it where it can; it does so seldom and this happens for every launch.
  if (g->barrier) atomic_signal_fence(memory_order_seq_cst);
  else atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void visitor_exit(struct vgpu_visitor *v) {
  atomic_store_explicit(&v->inside, atomic_load_explicit(&v->inside, memory_order_relaxed) - 1, memory_order_release);
}

// Starts the gate's thread, unless it runs.
VGPU_HIDDEN void vgpu_gate_follow(struct vgpu_gate *g);
// Until when the turn lasts, on this process's clock; UINT64_MAX: no end.
VGPU_HIDDEN uint64_t vgpu_turn_end(const struct vgpu_slot *slot, uint64_t now);
// Under MPS others may run beside this process as far as it said it would leave room. Work that needs more than that
// asks again.
VGPU_HIDDEN bool vgpu_outgrown(const struct vgpu_gate *g);
// Sets what to ask for: what this turn's work occupies so far, or the last one's did; 0: all.
VGPU_HIDDEN void vgpu_width_to_ask(struct vgpu_gate *g);
// Rings for the gate's thread.
VGPU_HIDDEN void vgpu_gate_bell(struct vgpu_gate *g);
// With the mutex held: waits for a change, or for so long.
VGPU_HIDDEN void vgpu_gate_wait(struct vgpu_gate *g, uint64_t ns);
// Whether streams that only their thread can name can be fenced by other threads.
static inline bool vgpu_lane_by_others(const struct vgpu_gate *g) { return g->fences->by_others && g->fences->by_others(); }
// With the mutex held: the turn is over; what its work occupied is remembered for the next request.
VGPU_HIDDEN void vgpu_lanes_narrow(struct vgpu_gate *g);
// Puts a fence behind what was submitted to a lane, or to all, since the last one.
VGPU_HIDDEN void vgpu_fence_lane(struct vgpu_gate *g, struct vgpu_lane *lane);
VGPU_HIDDEN void vgpu_fence_all(struct vgpu_gate *g);

#endif
