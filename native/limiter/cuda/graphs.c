// Graphs: what their launches may make the driver reserve is learnt when they are instantiated. Capture: work that is
// recorded is not done.
#include <stdlib.h>

#include "../track.h"
#include "slice.h"

#define NODES_MAX 1000000

// Bytes that the graph's memory nodes allocate, child graphs included. The driver may use the same memory for several
// of them; what it really takes is never more.
static uint64_t memory_of(void *graph, int depth) {
  size_t n = 0;
  CUresult (*nodes_of)(void *, void **, size_t *) = VGPU_CALL(cuGraphGetNodes, CUresult (*)(void *, void **, size_t *));
  if (depth > 16 || nodes_of(graph, NULL, &n) || n == 0 || n > NODES_MAX) return 0;
  void **node = calloc(n, sizeof *node);
  uint64_t bytes = 0;
  if (node && nodes_of(graph, node, &n) == CUDA_SUCCESS)
    for (size_t i = 0; i < n; i++) {
      int type = -1;
      VGPU_CALL(cuGraphNodeGetType, CUresult (*)(void *, int *))(node[i], &type);
      struct cu_mem_alloc_node p = {0};
      void *child;
      if (type == CU_GRAPH_NODE_TYPE_MEM_ALLOC &&
          VGPU_CALL(cuGraphMemAllocNodeGetParams, CUresult (*)(void *, void *))(node[i], &p) == CUDA_SUCCESS)
        bytes += p.bytes;
      if (type == CU_GRAPH_NODE_TYPE_GRAPH &&
          VGPU_CALL(cuGraphChildGraphNodeGetGraph, CUresult (*)(void *, void **))(node[i], &child) == CUDA_SUCCESS)
        bytes += memory_of(child, depth + 1);
    }
  free(node);
  return bytes;
}

// From now on its launches are known to need memory. Nothing is taken yet: nor does the driver.
static CUresult instantiated(void *executable, uint64_t bound, struct vgpu_member *m, CUresult r) {
  if (r || !m || !bound) return r;
  struct vgpu_tracked t = {m, VGPU_KIND_GRAPH, 0, vgpu_context_current(), 0, bound};
  return vgpu_track(VGPU_SPACE_GRAPH, (uintptr_t)*(void **)executable, t) ? r : CUDA_ERROR_OUT_OF_MEMORY;
}

#define INSTANTIATE(name, parameters, arguments, ...) \
  VGPU_EXPORT CUresult name parameters { \
    struct vgpu_member *m = vgpu_slice_current(); \
    uint64_t bound = m ? memory_of(graph, 0) : 0; \
    return instantiated(executable, bound, m, VGPU_CALL(name, __VA_ARGS__) arguments); \
  }
INSTANTIATE(cuGraphInstantiate, (void *executable, void *graph, void *node, void *log, size_t size),
            (executable, graph, node, log, size), CUresult (*)(void *, void *, void *, void *, size_t))
INSTANTIATE(cuGraphInstantiate_v2, (void *executable, void *graph, void *node, void *log, size_t size),
            (executable, graph, node, log, size), CUresult (*)(void *, void *, void *, void *, size_t))
INSTANTIATE(cuGraphInstantiateWithFlags, (void *executable, void *graph, unsigned long long flags),
            (executable, graph, flags), CUresult (*)(void *, void *, unsigned long long))
INSTANTIATE(cuGraphInstantiateWithParams, (void *executable, void *graph, void *params), (executable, graph, params),
            CUresult (*)(void *, void *, void *))
INSTANTIATE(cuGraphInstantiateWithParams_ptsz, (void *executable, void *graph, void *params),
            (executable, graph, params), CUresult (*)(void *, void *, void *))

VGPU_EXPORT CUresult cuGraphExecDestroy(void *executable) {
  CUresult r = VGPU_CALL(cuGraphExecDestroy, CUresult (*)(void *))(executable);
  struct vgpu_tracked t;
  if (r == CUDA_SUCCESS && vgpu_members(NULL) && vgpu_tracked(VGPU_SPACE_GRAPH, (uintptr_t)executable, true, &t))
    vgpu_graph_memory_count(t.member, vgpu_device_current());
  return r;
}

// All that was submitted gets its fence before a capture begins: until it ends, streams may not be touched.
static void capture_begins(void) {
  struct vgpu_member *members;
  int n = vgpu_members(&members);
  for (int i = 0; i < n; i++)
    if (members[i].gate) vgpu_gate_settle(members[i].gate);
  atomic_fetch_add(&vgpu_captures, 1);
}

static CUresult capture_began(CUresult r) {
  if (r) atomic_fetch_sub(&vgpu_captures, 1);
  return r;
}

// A capture that became invalid is over too.
static CUresult capture_ended(bool captured, CUresult r) {
  if (captured) atomic_fetch_sub(&vgpu_captures, 1);
  return r;
}

#define CAPTURE_HOOKS(suffix, per_thread) \
  VGPU_EXPORT CUresult cuStreamBeginCapture##suffix(CUstream stream) { \
    capture_begins(); \
    return capture_began(VGPU_CALL(cuStreamBeginCapture##suffix, CUresult (*)(CUstream))(stream)); \
  } \
  VGPU_EXPORT CUresult cuStreamBeginCapture_v2##suffix(CUstream stream, int mode) { \
    capture_begins(); \
    return capture_began(VGPU_CALL(cuStreamBeginCapture_v2##suffix, CUresult (*)(CUstream, int))(stream, mode)); \
  } \
  VGPU_EXPORT CUresult cuStreamBeginCaptureToGraph##suffix(CUstream stream, void *graph, void *after_nodes, void *edges, \
                                                           size_t n, int mode) { \
    capture_begins(); \
    return capture_began( \
        VGPU_CALL(cuStreamBeginCaptureToGraph##suffix, CUresult (*)(CUstream, void *, void *, void *, size_t, int))( \
            stream, graph, after_nodes, edges, n, mode)); \
  } \
  VGPU_EXPORT CUresult cuStreamBeginRecaptureToGraph##suffix(CUstream stream, int mode, void *graph, void *callback, \
                                                             void *data) { \
    capture_begins(); \
    return capture_began( \
        VGPU_CALL(cuStreamBeginRecaptureToGraph##suffix, CUresult (*)(CUstream, int, void *, void *, void *))( \
            stream, mode, graph, callback, data)); \
  } \
  VGPU_EXPORT CUresult cuStreamBeginCaptureToCig##suffix(CUstream stream, void *params) { \
    capture_begins(); \
    return capture_began(VGPU_CALL(cuStreamBeginCaptureToCig##suffix, CUresult (*)(CUstream, void *))(stream, params)); \
  } \
  VGPU_EXPORT CUresult cuStreamEndCapture##suffix(CUstream stream, void *graph) { \
    bool captured = vgpu_stream_captured(stream, per_thread); \
    return capture_ended(captured, VGPU_CALL(cuStreamEndCapture##suffix, CUresult (*)(CUstream, void *))(stream, graph)); \
  } \
  VGPU_EXPORT CUresult cuStreamEndCaptureToCig##suffix(CUstream stream) { \
    bool captured = vgpu_stream_captured(stream, per_thread); \
    return capture_ended(captured, VGPU_CALL(cuStreamEndCaptureToCig##suffix, CUresult (*)(CUstream))(stream)); \
  }
CAPTURE_HOOKS(, false)
CAPTURE_HOOKS(_ptsz, true)

static CUresult stream_destroy(CUstream stream, CUresult (*real)(CUstream)) {
  struct vgpu_member *members;
  int n = vgpu_members(&members);
  void *context = NULL;
  if (n && stream && VGPU_CALL(cuStreamGetCtx, CUresult (*)(CUstream, void **))(stream, &context) == CUDA_SUCCESS)
    for (int i = 0; i < n; i++)
      if (members[i].gate) vgpu_lane_forget(members[i].gate, context, stream);
  return real(stream);
}

VGPU_EXPORT CUresult cuStreamDestroy(CUstream stream) {
  return stream_destroy(stream, VGPU_CALL(cuStreamDestroy, CUresult (*)(CUstream)));
}
VGPU_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  return stream_destroy(stream, VGPU_CALL(cuStreamDestroy_v2, CUresult (*)(CUstream)));
}
