#include "mps.h"
#include "pager.h"
#include "slice.h"

#include <stdio.h>
#include <string.h>

#define DEVICES 64

_Atomic uint32_t vgpu_captures;

static _Atomic(struct vgpu_member *) of_device[DEVICES];
static struct vgpu_member nobody; // looked for and not found

static struct vgpu_member *find(int device) {
  struct cu_uuid u;
  CUresult r = CUDA_ERROR_NOT_FOUND;
  if (vgpu_driver_has(VGPU_FN_cuDeviceGetUuid_v2))
    r = VGPU_CALL(cuDeviceGetUuid_v2, CUresult (*)(struct cu_uuid *, int))(&u, device);
  if (r) r = VGPU_CALL(cuDeviceGetUuid, CUresult (*)(struct cu_uuid *, int))(&u, device);
  char name[48] = "";
  if (r == CUDA_SUCCESS) {
    const unsigned char *b = u.bytes;
    snprintf(name, sizeof name, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  }
  struct vgpu_member *m = vgpu_member_for(name);
  if (!m) { // of a MIG instance the driver gives the instance's UUID
    memcpy(name, "MIG", 3);
    m = vgpu_member_for(name);
  }
  return m;
}

struct vgpu_member *vgpu_slice_of_device(int device) {
  if (vgpu_members(NULL) == 0 || device < 0 || device >= DEVICES) return NULL;
  struct vgpu_member *m = atomic_load_explicit(&of_device[device], memory_order_acquire);
  if (!m) {
    m = find(device);
    if (!m) m = &nobody;
    atomic_store_explicit(&of_device[device], m, memory_order_release);
  }
  return m == &nobody ? NULL : m;
}

void *vgpu_context_current(void) {
  void *context = NULL;
  return VGPU_CALL(cuCtxGetCurrent, CUresult (*)(void **))(&context) ? NULL : context;
}

int vgpu_device_current(void) {
  int device = -1;
  return VGPU_CALL(cuCtxGetDevice, CUresult (*)(int *))(&device) ? -1 : device;
}

static _Thread_local struct {
  uint64_t era;
  void *context;
  struct vgpu_member *member;
} last_slice;

static struct vgpu_member *slice_of(void *context) {
  if (last_slice.context == context && context && last_slice.era == vgpu_lane_era()) return last_slice.member;
  struct vgpu_member *m = vgpu_slice_of_device(vgpu_device_current());
  last_slice.era = vgpu_lane_era();
  last_slice.context = context;
  last_slice.member = m;
  return m;
}

struct vgpu_member *vgpu_slice_current(void) {
  if (vgpu_members(NULL) == 0) return NULL;
  return slice_of(vgpu_context_current());
}

bool vgpu_stream_captured(CUstream stream, bool per_thread) {
  if (atomic_load_explicit(&vgpu_captures, memory_order_relaxed) == 0) return false;
  if (per_thread && !stream) stream = CU_STREAM_PER_THREAD;
  int status = 0;
  return VGPU_CALL(cuStreamIsCapturing, CUresult (*)(CUstream, int *))(stream, &status) == CUDA_SUCCESS && status != 0;
}

static _Thread_local struct {
  uint64_t era;
  void *context;
  CUstream stream;
  struct vgpu_lane *lane;
} last_lane;

static _Thread_local char thread_mark;
void *vgpu_thread_mark(void) { return &thread_mark; }

_Thread_local uint64_t vgpu_work_blocks = VGPU_NO_GRID;

CUresult vgpu_work_begin(struct vgpu_work *work, CUstream stream, bool per_thread, uint64_t key) {
  uint64_t blocks = vgpu_work_blocks;
  vgpu_work_blocks = VGPU_NO_GRID;
  work->lane = NULL;
  work->key = key;
  if (vgpu_members(NULL) == 0 || vgpu_stream_captured(stream, per_thread)) return CUDA_SUCCESS;
  bool own_thread = stream == CU_STREAM_PER_THREAD || (per_thread && !stream);
  if (own_thread) stream = (CUstream)&thread_mark;
  if (stream == CU_STREAM_LEGACY) stream = NULL;
  CUstream handle = own_thread ? CU_STREAM_PER_THREAD : stream;
  struct vgpu_lane *lane = last_lane.lane;
  bool same = lane && last_lane.stream == stream && last_lane.era == vgpu_lane_era();
  // Default streams are one for each context; every other handle is one stream's alone as long as that lives.
  void *context = same && stream && !own_thread ? last_lane.context : vgpu_context_current();
  if (!same || last_lane.context != context) {
    struct vgpu_member *m = slice_of(context);
    if (!m) return CUDA_SUCCESS;
    if (m->failed) return CUDA_ERROR_SYSTEM_NOT_READY;
    struct vgpu_gate *g = vgpu_gate_of(m, &vgpu_cuda_fences);
    void *owner = context;
    if (stream && !own_thread) VGPU_CALL(cuStreamGetCtx, CUresult (*)(CUstream, void **))(stream, &owner);
    uint64_t era = vgpu_lane_era();
    if (!g || !(lane = vgpu_lane_of(g, owner, stream, own_thread))) return CUDA_ERROR_OUT_OF_MEMORY;
    last_lane.era = era;
    last_lane.context = context;
    last_lane.stream = stream;
    last_lane.lane = lane;
  }
  if (lane->mps && blocks != VGPU_NO_GRID) vgpu_lane_occupies(lane, vgpu_mps_width(lane->member, blocks));
  if (!vgpu_gate_enter(lane->gate, key)) return CUDA_ERROR_SYSTEM_NOT_READY;
  work->lane = lane;
  VGPU_SAW(vgpu_pager_in(lane, handle));
  return CUDA_SUCCESS;
}

void vgpu_work_end(struct vgpu_work *work, CUresult result) {
  if (work->lane) vgpu_gate_exit(work->lane, work->key, result == CUDA_SUCCESS);
}
