// The gate in front of an accelerator: work passes while the process holds the turn, no more of it at a time than
// lets the turn be handed over in time. API-independent: CUDA and OpenCL tell it how to follow their streams.
//
// Every piece of work passes vgpu_gate_enter and vgpu_gate_exit, some nanoseconds together while the turn is held. A
// thread of its own follows the work with fences (events), gives the turn back when it is over, or when the device
// would stand idle while somebody waits, and learns how long each kernel takes.
#ifndef VGPU_GATE_H
#define VGPU_GATE_H

#include "member.h"

struct vgpu_gate;

// One stream or queue.
struct vgpu_lane {
  void *stream, *context;     // of the API
  struct vgpu_gate *gate;
  bool own_thread;            // only the launching thread can name the stream
  _Atomic uint32_t busy;      // a lock on the fields below; streams are rarely shared between threads
  uint32_t count;             // pieces of work since the last fence
  uint32_t uncounted;         // of them, not yet in the ledger
  uint64_t estimate_ns;       // and how long they will take
  uint64_t first_ns;          // when the first of them was submitted
  uint64_t keys[8];           // which kernels they were, as far as they fit
  uint32_t n_keys, other_keys;
  struct vgpu_member *member;
  bool mps;                   // its slice is under MPS: others may run beside what it does
  uint32_t width;             // milli of the device that its work of this turn occupies
  uint64_t moving;            // bytes that its work brings to the device; for the stream that does nothing else
  _Atomic uint64_t paged;     // the page-in that its work already waits for
  struct vgpu_lane *next;
};

struct vgpu_fences { // how an API follows its streams
  // Marks the end of what was submitted to the lane so far; NULL where that is impossible (and not needed).
  void *(*record)(struct vgpu_lane *lane);
  // Waits until the work before the mark is finished, or can no longer be followed; disposes of the mark.
  void (*wait)(struct vgpu_lane *lane, void *mark);
  // Whether a lane whose stream only its thread can name can be marked by others. Where not (NULL: never), such a lane
  // gets a fence after every piece of work.
  bool (*by_others)(void);
  // Over-commitment: lets go of what the slot says must not stay on the device (see paging.h), and waits until it is
  // gone. NULL: nothing can leave it.
  void (*page_out)(struct vgpu_gate *g, bool held);
};

// The member's gate, made at the first call. `fences` must be the same at every call.
VGPU_HIDDEN struct vgpu_gate *vgpu_gate_of(struct vgpu_member *m, const struct vgpu_fences *fences);

// The gate's lane for a stream, made at the first call.
VGPU_HIDDEN struct vgpu_lane *vgpu_lane_of(struct vgpu_gate *g, void *context, void *stream, bool own_thread);

// The lane's next work occupies so much of the device (milli; 0: all that the process may use).
VGPU_HIDDEN void vgpu_lane_occupies(struct vgpu_lane *lane, uint32_t width);

// Waits until a piece of work may be submitted. `key` names the kernel or graph, 0 for others. False: refused for
// good (the slice is gone); then vgpu_gate_exit must not be called.
VGPU_HIDDEN bool vgpu_gate_enter(struct vgpu_gate *g, uint64_t key);
// The piece of work was submitted to the lane (or, `submitted` false, was refused by the driver).
VGPU_HIDDEN void vgpu_gate_exit(struct vgpu_lane *lane, uint64_t key, bool submitted);

// A move to the device was just submitted to the lane: it is followed like work, and timed where `bytes` are known (not 0).
VGPU_HIDDEN void vgpu_gate_moves(struct vgpu_lane *lane, uint64_t bytes);

// Puts a fence behind everything submitted so far, so that streams can be captured without being touched again.
VGPU_HIDDEN void vgpu_gate_settle(struct vgpu_gate *g);
// Waits until everything submitted to the context (NULL: to all) is finished, and forgets its lanes if `forget`.
VGPU_HIDDEN void vgpu_gate_drain(struct vgpu_gate *g, void *context, bool forget);
// Puts a fence behind the stream's work and forgets its lane: the stream is about to be destroyed.
VGPU_HIDDEN void vgpu_lane_forget(struct vgpu_gate *g, void *context, void *stream);
// The process ends: its last launches are counted.
VGPU_HIDDEN void vgpu_gate_count(struct vgpu_gate *g);
// In a child process: all is forgotten.
VGPU_HIDDEN void vgpu_gate_forget(struct vgpu_gate *g);
// Changes whenever a lane is forgotten: pointers kept from before are void.
VGPU_HIDDEN uint64_t vgpu_lane_era(void);

#endif
