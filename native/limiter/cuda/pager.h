// Over-commitment in CUDA: device allocations become managed memory, which moves ahead of use as turns come and go.
#ifndef VGPU_CUDA_PAGER_H
#define VGPU_CUDA_PAGER_H

#include "../paging.h"
#include "slice.h"

// Whether allocations of the slice on this device are made as managed memory: it is over-committed, and the device
// can fault and move pages while kernels run.
VGPU_HIDDEN bool vgpu_pages(struct vgpu_member *m, int device);
// The pool of managed memory that stands in for the device's default pool; NULL where the driver has none.
VGPU_HIDDEN void *vgpu_managed_pool(struct vgpu_member *m, int device);

// Work is about to be submitted to the lane: with the first of a turn the working set is brought in, and the lane
// waits for it on the device.
VGPU_HIDDEN void vgpu_pager_in(struct vgpu_lane *lane, CUstream stream);
VGPU_HIDDEN void vgpu_pager_out(struct vgpu_gate *g, bool held);
VGPU_HIDDEN void vgpu_pager_forget(void *context); // it is about to be destroyed, or gone

// A kernel is launched with these parameters (either form may be NULL), or work on this address.
VGPU_HIDDEN void vgpu_saw_launch(void *function, void **parameters, void **extra, CUstream stream, bool per_thread);
VGPU_HIDDEN void vgpu_saw_pointer(CUdeviceptr p, CUstream stream, bool per_thread);
VGPU_HIDDEN void vgpu_saw_graph(void);
VGPU_HIDDEN void vgpu_parameters_forget(void); // handles of kernels may be given out anew

// Any slice of this process pages. Nothing above costs more than looking at this while none does.
VGPU_HIDDEN extern _Atomic bool vgpu_paging_any;
#define VGPU_SAW(call) \
  do { /* where any slice pages */ \
    if (atomic_load_explicit(&vgpu_paging_any, memory_order_relaxed)) call; \
  } while (0)

#endif
