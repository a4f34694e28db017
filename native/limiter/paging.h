// The memory of an over-committed slice's process that may lie on the host: what of it the process uses, and what of
// that is on the device. API-independent; `move` is how the API moves it.
//
// Nobody can know what a kernel touches. What its parameters point to is seen at its launch; where they cannot be read
// everything is taken to be in use. What was seen of late is the working set: it is brought to the
// device when a turn begins, what was used last first, and leaves it, what was unused for longest first, when a turn
// ends and others need the room. Where the process cannot do that (it is stopped, or dead) the driver does by itself
// what it always does: it moves pages when they are touched.
#ifndef VGPU_PAGING_H
#define VGPU_PAGING_H

#include "member.h"

// An allocation leaves the working set when it was not seen for so many turns, and for so long.
#define VGPU_SET_TURNS 8
#define VGPU_SET_NS 30000000000ull

struct vgpu_span { // one allocation
  uint64_t address, bytes;
  uint64_t on_device; // bytes from its beginning that are believed to be there
  uint64_t seen;      // when it was last seen, by a counter
  uint64_t turn;      // and in which turn; 0: never
  uint64_t turn_ns;   // when that one began
  bool recorded;      // seen by a launch that became part of a graph
  bool own;           // the program asked for managed memory itself, and may use it from the host
  void *context;
};

struct vgpu_paging {
  pthread_mutex_t mutex;
  struct vgpu_span *span; // by address
  size_t n, room;
  _Atomic uint64_t lowest, highest; // of all addresses: most words of a kernel's parameters are none of them
  uint64_t counter;
  uint64_t turns;         // begun so far
  uint64_t turn_ns;       // when the last one began
  bool opaque;            // work was launched whose use of memory is not known
  uint32_t disturbed;     // what the slot said when the beliefs were last revised
  // Kept by the API: the turn (generation + 1) that memory was last brought in for, how often something was, what
  // moves it, and a pool of memory that can leave the device.
  _Atomic uint32_t turn;
  _Atomic uint64_t arrivals;
  void *_Atomic mover;
  void *pool;
  bool pool_tried;
};

// Moves `bytes` at `address`, asynchronously and in order. False: refused (then it is left where it is).
typedef bool vgpu_move(void *self, uint64_t address, uint64_t bytes, bool to_host);

VGPU_HIDDEN void vgpu_paging_start(struct vgpu_member *m); // over-commitment works here; safe to call again
VGPU_HIDDEN void vgpu_paging_add(struct vgpu_member *m, struct vgpu_span span);
VGPU_HIDDEN void vgpu_paging_remove(struct vgpu_member *m, uint64_t address); // about to be freed
VGPU_HIDDEN void vgpu_paging_remove_context(struct vgpu_member *m, void *context);
// These 8-byte words are given to a kernel; `recorded`: when its graph is launched.
VGPU_HIDDEN void vgpu_paging_saw(struct vgpu_member *m, const uint64_t *words, size_t n, bool recorded);
VGPU_HIDDEN void vgpu_paging_saw_graph(struct vgpu_member *m); // a graph is launched
VGPU_HIDDEN void vgpu_paging_opaque(struct vgpu_member *m);    // a kernel is launched that may use anything

// A turn begins: brings the working set to the device. Returns the bytes that are on their way; `*surely` is false
// where some of them may have been there already.
VGPU_HIDDEN uint64_t vgpu_paging_in(struct vgpu_member *m, vgpu_move *move, void *self, bool *surely);
// Lets go until no more than the slot's `keep` is on the device; `held`: at the end of a turn, in which anything may
// have come there. Returns the bytes that are on their way.
VGPU_HIDDEN uint64_t vgpu_paging_out(struct vgpu_member *m, bool held, vgpu_move *move, void *self);
// Whether vgpu_paging_out has something to do.
VGPU_HIDDEN bool vgpu_paging_over(const struct vgpu_member *m);
VGPU_HIDDEN void vgpu_paging_forget(struct vgpu_paging *p); // in a child process

#endif
