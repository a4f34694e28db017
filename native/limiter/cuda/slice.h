// Which slice the calling thread's device belongs to, and the work that passes its gate.
#ifndef VGPU_CUDA_SLICE_H
#define VGPU_CUDA_SLICE_H

#include "../gate.h"
#include "driver.h"

struct vgpu_work {
  struct vgpu_lane *lane; // NULL: not ours to hold back
  uint64_t key;
};

// The slice of a device, or of the current context's device; NULL: none, and the driver is left alone.
VGPU_HIDDEN struct vgpu_member *vgpu_slice_of_device(int device);
VGPU_HIDDEN struct vgpu_member *vgpu_slice_current(void);
VGPU_HIDDEN void *vgpu_context_current(void);
VGPU_HIDDEN int vgpu_device_current(void); // -1: none

// Streams that are being captured, in this process.
VGPU_HIDDEN extern _Atomic uint32_t vgpu_captures;
VGPU_HIDDEN bool vgpu_stream_captured(CUstream stream, bool per_thread);

// Tells threads apart; stands for the thread's own default stream.
VGPU_HIDDEN void *vgpu_thread_mark(void);
// Makes the context current where it is not; what it returns is for the second one.
VGPU_HIDDEN bool vgpu_context_enter(void *context);
VGPU_HIDDEN void vgpu_context_leave(bool entered);
VGPU_HIDDEN int vgpu_capture_mode(int mode); // of this thread; returns the one before

VGPU_HIDDEN extern const struct vgpu_fences vgpu_cuda_fences;
// The context is gone, and its events with it.
VGPU_HIDDEN void vgpu_cuda_fences_forget(void *context);

// The grid of the work that this thread is about to submit: blocks, 0: not known, VGPU_NO_GRID: a copy or the like,
// which keeps no multiprocessor from others.
#define VGPU_NO_GRID UINT64_MAX
VGPU_HIDDEN extern _Thread_local uint64_t vgpu_work_blocks;

// Brings the account to what the driver reserves for graphs; and gives back what it keeps without need.
VGPU_HIDDEN void vgpu_graph_memory_count(struct vgpu_member *m, int device);
VGPU_HIDDEN void vgpu_graph_memory_trim(struct vgpu_member *m, int device);

// Names a kernel with a grid of so many blocks.
static inline uint64_t vgpu_work_key(const void *handle, uint64_t blocks) {
  vgpu_work_blocks = blocks;
  return (uint64_t)(uintptr_t)handle ^ blocks * 0xD6E8FEB86659FD93ull;
}

VGPU_HIDDEN CUresult vgpu_work_begin(struct vgpu_work *work, CUstream stream, bool per_thread, uint64_t key);
VGPU_HIDDEN void vgpu_work_end(struct vgpu_work *work, CUresult result);

#endif
