// The memory of graphs, as the driver reserves it: it maps the memory of a graph's nodes when the graph is launched or
// uploaded, lets graphs of one stream and nodes that do not live at the same time use the same memory, and keeps what it
// has until it is trimmed (CUDA programming guide, graph memory nodes). How much that is it says
// (cuDeviceGetGraphMemAttribute), so that is what counts. Before a launch room is taken for the most that it can need;
// where there is none, the graph is uploaded first, which shows what it needs.
#include "../track.h"
#include "pager.h"
#include "slice.h"

#define CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool reserved_now(int device, uint64_t *bytes) {
  return VGPU_CALL(cuDeviceGetGraphMemAttribute, CUresult (*)(int, int, void *))(
             device, CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT, bytes) == CUDA_SUCCESS;
}

// With the mutex held: the account says what the driver says. Returns by how much it grew.
static uint64_t count(struct vgpu_member *m, int device) {
  uint64_t now, counted = m->memory[VGPU_KIND_GRAPH];
  if (!reserved_now(device, &now)) return 0;
  if (now < counted) vgpu_memory_release(m, VGPU_KIND_GRAPH, counted - now);
  if (now > counted) vgpu_memory_force(m, VGPU_KIND_GRAPH, now - counted);
  return now > counted ? now - counted : 0;
}

// Likewise, of which `bound` bytes are only a reservation: in one step, lest another allocation take the place of what is
// there already.
static void count_instead(struct vgpu_member *m, int device, uint64_t bound) {
  uint64_t now, counted = m->memory[VGPU_KIND_GRAPH];
  if (!reserved_now(device, &now)) now = counted > bound ? counted - bound : 0;
  if (now < counted) vgpu_memory_release(m, VGPU_KIND_GRAPH, counted - now);
  if (now > counted) vgpu_memory_force(m, VGPU_KIND_GRAPH, now - counted);
}

void vgpu_graph_memory_count(struct vgpu_member *m, int device) {
  if (!m->account || device < 0) return;
  pthread_mutex_lock(&mutex);
  count(m, device);
  pthread_mutex_unlock(&mutex);
}

static void trim(struct vgpu_member *m, int device) {
  VGPU_CALL(cuDeviceGraphMemTrim, CUresult (*)(int))(device);
  count(m, device);
}

void vgpu_graph_memory_trim(struct vgpu_member *m, int device) {
  if (device < 0 || m->memory[VGPU_KIND_GRAPH] == 0) return;
  pthread_mutex_lock(&mutex);
  trim(m, device);
  pthread_mutex_unlock(&mutex);
}

// With the mutex held: launches what may need up to `bound` bytes more than is reserved now.
static CUresult launch(struct vgpu_member *m, int device, uint64_t bound, void *real, void *upload, void *executable,
                       CUstream stream) {
  CUresult (*call)(void *, CUstream) = (CUresult(*)(void *, CUstream))real;
  count(m, device);
  bool roomy = vgpu_take(m, VGPU_KIND_GRAPH, bound);
  if (!roomy) {
    trim(m, device);
    roomy = vgpu_take(m, VGPU_KIND_GRAPH, bound);
  }
  if (roomy) {
    CUresult r = call(executable, stream);
    count_instead(m, device, bound);
    vgpu_flight_end(m);
    return r;
  }
  if (!m->account || m->failed) return CUDA_ERROR_SYSTEM_NOT_READY;
  // The bound does not fit, but memory is used again within a graph and by the graphs of a stream.
  CUresult r = ((CUresult(*)(void *, CUstream))upload)(executable, stream);
  if (r) return r;
  count(m, device);
  if (vgpu_memory_over(m)) {
    VGPU_CALL(cuStreamSynchronize, CUresult (*)(CUstream))(stream); // so that the upload itself can be given back
    trim(m, device);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return call(executable, stream);
}

static CUresult graph_launch(void *real, void *upload, void *executable, CUstream stream, bool per_thread, bool work) {
  struct vgpu_work passes;
  CUresult r = work ? vgpu_work_begin(&passes, stream, per_thread, vgpu_work_key(executable, 0)) : CUDA_SUCCESS;
  if (r) return r;
  if (work) VGPU_SAW(vgpu_saw_graph());
  struct vgpu_tracked t;
  int device = vgpu_device_current();
  bool counted = vgpu_members(NULL) && !vgpu_stream_captured(stream, per_thread) && device >= 0 &&
                 vgpu_tracked(VGPU_SPACE_GRAPH, (uintptr_t)executable, false, &t) &&
                 vgpu_driver_has(VGPU_FN_cuDeviceGetGraphMemAttribute);
  if (counted) {
    pthread_mutex_lock(&mutex);
    r = launch(t.member, device, t.bound, real, upload, executable, stream);
    pthread_mutex_unlock(&mutex);
  } else {
    r = ((CUresult(*)(void *, CUstream))real)(executable, stream);
  }
  if (work) vgpu_work_end(&passes, r);
  return r;
}

#define GRAPH_HOOKS(suffix, per_thread) \
  VGPU_EXPORT CUresult cuGraphLaunch##suffix(void *executable, CUstream stream) { \
    return graph_launch(vgpu_driver(VGPU_FN_cuGraphLaunch##suffix), vgpu_driver(VGPU_FN_cuGraphUpload##suffix), \
                        executable, stream, per_thread, true); \
  } \
  VGPU_EXPORT CUresult cuGraphUpload##suffix(void *executable, CUstream stream) { \
    void *real = vgpu_driver(VGPU_FN_cuGraphUpload##suffix); \
    return graph_launch(real, real, executable, stream, per_thread, false); \
  }
GRAPH_HOOKS(, false)
GRAPH_HOOKS(_ptsz, true)

VGPU_EXPORT CUresult cuDeviceGraphMemTrim(int device) {
  CUresult r = VGPU_CALL(cuDeviceGraphMemTrim, CUresult (*)(int))(device);
  struct vgpu_member *m = r == CUDA_SUCCESS ? vgpu_slice_of_device(device) : NULL;
  if (m) vgpu_graph_memory_count(m, device);
  return r;
}
