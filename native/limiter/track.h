// What was allocated: handle → slice, kind and size.
#ifndef VGPU_TRACK_H
#define VGPU_TRACK_H

#include "member.h"

// Handles of different kinds may be equal numbers: `space` keeps them apart.
enum vgpu_space {
  VGPU_SPACE_POINTER,
  VGPU_SPACE_HANDLE, // cuMemCreate
  VGPU_SPACE_ARRAY,
  VGPU_SPACE_MIPMAP,
  VGPU_SPACE_GRAPH,
  VGPU_SPACE_EXTERNAL,
  VGPU_SPACE_POOL, // size: 1 where it gives out device memory
  VGPU_SPACE_OPENCL,
  VGPU_SPACE_CONTEXT,
};

struct vgpu_tracked {
  struct vgpu_member *member;
  enum vgpu_kind kind;
  uint64_t bytes;
  void *context;     // it ends with this one; NULL: with none
  uint32_t retained; // how often, beyond the first time
  uint64_t bound;    // of a graph: bytes that its launch makes the driver reserve at most
};

// False where there is no memory left for the entry.
VGPU_HIDDEN bool vgpu_track(enum vgpu_space space, uint64_t handle, struct vgpu_tracked what);
// Looks an entry up, and removes it if `remove`. False: unknown.
VGPU_HIDDEN bool vgpu_tracked(enum vgpu_space space, uint64_t handle, bool remove, struct vgpu_tracked *out);
// Removes all entries of a context and gives their memory back.
VGPU_HIDDEN void vgpu_track_release_context(void *context);

// Reserves, before the driver is asked; then a flight has begun, and the caller ends it. False: over the cap.
VGPU_HIDDEN bool vgpu_take(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes);

// Something that is being freed. Its entry is removed before the driver is asked, which may give the same handle to
// another thread at once, and its memory given back after.
struct vgpu_leaving {
  bool known;
  enum vgpu_space space;
  uint64_t handle;
  struct vgpu_tracked what;
};
VGPU_HIDDEN struct vgpu_leaving vgpu_leave(enum vgpu_space space, uint64_t handle);
VGPU_HIDDEN void vgpu_left(const struct vgpu_leaving *leaving, bool gone); // not gone: it is known again

#endif
