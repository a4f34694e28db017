// A slice as a process sees it: its settings, its account, and the connection to the arbiter.
#ifndef VGPU_MEMBER_H
#define VGPU_MEMBER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../common/protocol.h"
#include "../common/slice_config.h"

#define VGPU_MEMBERS_MAX 16
#define VGPU_HIDDEN __attribute__((visibility("hidden")))
#define VGPU_EXPORT __attribute__((visibility("default")))

struct vgpu_gate;
struct vgpu_paging;

struct vgpu_member {
  struct vgpu_slice_config config;
  char dir[512];
  pthread_mutex_t mutex; // of the connection
  int fd;
  bool failed;           // the slice is gone, or nobody serves it: everything is refused
  struct vgpu_account *account; // NULL before the first attach
  struct vgpu_slot *slot;
  uint32_t index;        // of the slot
  _Atomic uint64_t memory[VGPU_KINDS]; // what this process holds, to be brought along to a new arbiter
  uint32_t mps_milli;    // multiprocessors this process may use under MPS; 0: not under MPS
  _Atomic uint32_t width; // of those, what its work occupies (milli of the device); 0: all
  struct vgpu_gate *gate;
  struct vgpu_paging *_Atomic paging; // NULL: nothing of this process can leave the device
};

// The slices of this process, read once: folders below /run/vgpu/slices, else those in VGPU_SLICE. Returns how many.
VGPU_HIDDEN int vgpu_members(struct vgpu_member **out);

// The slice for a device of this UUID or name (see README); NULL where none is.
VGPU_HIDDEN struct vgpu_member *vgpu_member_for(const char *device);

// Connects, or connects again. False: refused, or no arbiter within VGPU_ARBITER_WAIT_MS.
VGPU_HIDDEN bool vgpu_member_attach(struct vgpu_member *m);

// Attached, and the arbiter is there. Costs a system call.
VGPU_HIDDEN bool vgpu_member_alive(struct vgpu_member *m);

// Sends a packet; false where the connection is lost.
VGPU_HIDDEN bool vgpu_member_send(struct vgpu_member *m, uint32_t type, uint32_t generation, uint64_t value);

// Asks the arbiter to measure what the driver holds for this process, waits until it has, and gives back what was set
// aside for contexts beyond that.
VGPU_HIDDEN void vgpu_member_measure(struct vgpu_member *m);

// Takes `bytes` from the slice's memory, or nothing: exact across all processes of the slice.
VGPU_HIDDEN bool vgpu_memory_reserve(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes);
VGPU_HIDDEN void vgpu_memory_release(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes);
// Takes `bytes` even where the cap is exceeded (the memory is there already); false: it now is.
VGPU_HIDDEN bool vgpu_memory_force(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes);
// Around every call to the driver that allocates or frees, from the reservation until what was freed is given back: while
// one is under way the driver's figures and the account's do not belong together, and the arbiter must not compare them.
VGPU_HIDDEN void vgpu_flight_begin(struct vgpu_member *m);
VGPU_HIDDEN void vgpu_flight_end(struct vgpu_member *m);
// An arbiter that was started again gave the slice a new account: what the earlier one knew of the past goes with it.
VGPU_HIDDEN void vgpu_memory_take_over(struct vgpu_member *m, const struct vgpu_account *earlier);
// Bytes used by the whole slice, and its cap (0: none).
VGPU_HIDDEN uint64_t vgpu_memory_used(struct vgpu_member *m, uint64_t *cap);
// Whether the slice holds more than it may: of all memory, or of what cannot leave the device.
VGPU_HIDDEN bool vgpu_memory_over(struct vgpu_member *m);

// Writes a line to standard error where VGPU_DEBUG is set.
VGPU_HIDDEN void vgpu_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
