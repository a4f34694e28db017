// The OpenCL layer: what its files share. No OpenCL headers are needed to build it.
#ifndef VGPU_OPENCL_LAYER_H
#define VGPU_OPENCL_LAYER_H

#include "../gate.h"

enum vgpu_opencl_entry {
#define ENTRY(name) VGPU_CL_##name,
#include "../generated/opencl_dispatch.inc"
#undef ENTRY
  VGPU_CL_ENTRIES
};

enum {
  CL_SUCCESS = 0,
  CL_MEM_OBJECT_ALLOCATION_FAILURE = -4,
  CL_OUT_OF_RESOURCES = -5,
  CL_OUT_OF_HOST_MEMORY = -6,
  CL_INVALID_VALUE = -30,
};

// The next layer's, or the loader's, table.
VGPU_HIDDEN extern void *vgpu_opencl_next[VGPU_CL_ENTRIES];
#define OPENCL_CALL(name, ...) ((__VA_ARGS__)vgpu_opencl_next[VGPU_CL_##name])

// The slice of a device, of a queue's device, or of the first device of a context that has one; NULL: none.
VGPU_HIDDEN struct vgpu_member *vgpu_opencl_slice_of(void *device);
VGPU_HIDDEN struct vgpu_member *vgpu_opencl_slice_of_context(void *context);

// Passes the gate of the queue's device. `*lane` is NULL where it has none.
VGPU_HIDDEN int vgpu_opencl_begin(struct vgpu_lane **lane, void *queue, uint64_t key);
// Names a kernel with a global size of `dimensions` numbers.
VGPU_HIDDEN uint64_t vgpu_opencl_key(const void *kernel, unsigned dimensions, const void *size);

VGPU_HIDDEN extern void *const vgpu_opencl_hooks[VGPU_CL_ENTRIES];

#endif
