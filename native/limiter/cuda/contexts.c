// Contexts and modules: what the driver takes for them is measured and counted.
#include <strings.h>

#include "../../common/futex.h"
#include "../track.h"
#include "mps.h"
#include "pager.h"
#include "slice.h"

#define MEASURE_NS 100000000ull

VGPU_EXPORT CUresult cuInit(unsigned flags) {
  CUresult r = vgpu_mps_before_init();
  if (r) return r;
  if ((r = VGPU_CALL(cuInit, CUresult (*)(unsigned))(flags))) return r;
  if ((r = vgpu_mps_after_init())) return r;
  struct vgpu_member *members;
  int n = vgpu_members(&members);
  // A slice that nobody serves grants nothing.
  for (int i = 0; i < n; i++)
    if (strncasecmp(members[i].config.device, "opencl:", 7) != 0 && !vgpu_member_attach(&members[i]))
      return CUDA_ERROR_SYSTEM_NOT_READY;
  return CUDA_SUCCESS;
}

struct creation {
  struct vgpu_member *m;
  uint64_t estimate;
};

static CUresult before(struct creation *c, int device) {
  c->m = vgpu_slice_of_device(device);
  if (!c->m) return CUDA_SUCCESS;
  if (!vgpu_member_attach(c->m)) return CUDA_ERROR_SYSTEM_NOT_READY;
  c->estimate = c->m->account->context_estimate;
  return vgpu_take(c->m, VGPU_KIND_CONTEXT, c->estimate) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

static void give_back(const struct creation *c) {
  if (!c->m) return;
  vgpu_memory_release(c->m, VGPU_KIND_CONTEXT, c->estimate);
  vgpu_flight_end(c->m);
}

// The estimate is corrected by what was measured. False: with that the slice is over its cap.
static bool after(struct creation *c) {
  if (!c->m) return true;
  vgpu_flight_end(c->m);
  vgpu_member_measure(c->m);
  return !vgpu_memory_over(c->m);
}

static void forget(void *context, struct vgpu_member *m) {
  if (m && m->gate) vgpu_gate_drain(m->gate, context, true);
  vgpu_pager_forget(context);
  vgpu_cuda_fences_forget(context);
}

static CUresult created(struct creation *c, void *context, CUresult r) {
  if (r) {
    give_back(c);
    return r;
  }
  if (after(c)) return r;
  VGPU_CALL(cuCtxDestroy_v2, CUresult (*)(void *))(*(void **)context);
  *(void **)context = NULL;
  vgpu_member_measure(c->m);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

#define CREATE(name, device, parameters, arguments, ...) \
  VGPU_EXPORT CUresult name parameters { \
    struct creation c = {0}; \
    CUresult r = before(&c, device); \
    return r ? r : created(&c, context, VGPU_CALL(name, __VA_ARGS__) arguments); \
  }
CREATE(cuCtxCreate, device, (void *context, unsigned flags, int device), (context, flags, device),
       CUresult (*)(void *, unsigned, int))
CREATE(cuCtxCreate_v2, device, (void *context, unsigned flags, int device), (context, flags, device),
       CUresult (*)(void *, unsigned, int))
CREATE(cuCtxCreate_v3, device, (void *context, void *affinity, int n, unsigned flags, int device),
       (context, affinity, n, flags, device), CUresult (*)(void *, void *, int, unsigned, int))
CREATE(cuCtxCreate_v4, device, (void *context, void *params, unsigned flags, int device),
       (context, params, flags, device), CUresult (*)(void *, void *, unsigned, int))

VGPU_EXPORT CUresult cuDevicePrimaryCtxRetain(void *context, int device) {
  CUresult (*real)(void *, int) = VGPU_CALL(cuDevicePrimaryCtxRetain, CUresult (*)(void *, int));
  unsigned flags;
  int active = 0;
  VGPU_CALL(cuDevicePrimaryCtxGetState, CUresult (*)(int, unsigned *, int *))(device, &flags, &active);
  if (active) return real(context, device);
  struct creation c = {0};
  CUresult r = before(&c, device);
  if (r) return r;
  r = real(context, device);
  if (r) {
    give_back(&c);
    return r;
  }
  if (after(&c)) return r;
  VGPU_CALL(cuDevicePrimaryCtxRelease_v2, CUresult (*)(int))(device);
  *(void **)context = NULL;
  vgpu_member_measure(c.m);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

static CUresult destroy(void *context, CUresult (*real)(void *)) {
  if (vgpu_members(NULL) == 0 || !context) return real(context);
  struct vgpu_member *m = NULL;
  if (VGPU_CALL(cuCtxPushCurrent_v2, CUresult (*)(void *))(context) == CUDA_SUCCESS) {
    m = vgpu_slice_current();
    VGPU_CALL(cuCtxPopCurrent_v2, CUresult (*)(void **))(&(void *){NULL});
  }
  forget(context, m); // its events die with it: nobody may wait for them any more
  if (m) vgpu_flight_begin(m);
  CUresult r = real(context);
  if (r == CUDA_SUCCESS) vgpu_track_release_context(context);
  if (m) vgpu_flight_end(m);
  if (r == CUDA_SUCCESS && m) vgpu_paging_remove_context(m, context);
  if (r == CUDA_SUCCESS && m) vgpu_member_measure(m);
  return r;
}

VGPU_EXPORT CUresult cuCtxDestroy(void *context) {
  return destroy(context, VGPU_CALL(cuCtxDestroy, CUresult (*)(void *)));
}
VGPU_EXPORT CUresult cuCtxDestroy_v2(void *context) {
  return destroy(context, VGPU_CALL(cuCtxDestroy_v2, CUresult (*)(void *)));
}

// Releasing or resetting a primary context ends it, or not: the driver says so afterwards. The context's handle is
// learnt by retaining it once more.
static CUresult end_primary(int device, CUresult (*real)(int), bool reset) {
  struct vgpu_member *m = vgpu_slice_of_device(device);
  if (!m) return real(device);
  unsigned flags;
  int active = 0;
  void *context = NULL;
  VGPU_CALL(cuDevicePrimaryCtxGetState, CUresult (*)(int, unsigned *, int *))(device, &flags, &active);
  if (active && VGPU_CALL(cuDevicePrimaryCtxRetain, CUresult (*)(void **, int))(&context, device) == CUDA_SUCCESS)
    VGPU_CALL(cuDevicePrimaryCtxRelease_v2, CUresult (*)(int))(device);
  if (context) forget(context, m);
  vgpu_flight_begin(m);
  CUresult r = real(device);
  if (r == CUDA_SUCCESS && context) {
    active = 0;
    VGPU_CALL(cuDevicePrimaryCtxGetState, CUresult (*)(int, unsigned *, int *))(device, &flags, &active);
    if (!active || reset) {
      vgpu_track_release_context(context);
      vgpu_paging_remove_context(m, context);
    }
  }
  vgpu_flight_end(m);
  if (r || !context) return r;
  vgpu_member_measure(m);
  return r;
}

VGPU_EXPORT CUresult cuDevicePrimaryCtxRelease(int device) {
  return end_primary(device, VGPU_CALL(cuDevicePrimaryCtxRelease, CUresult (*)(int)), false);
}
VGPU_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(int device) {
  return end_primary(device, VGPU_CALL(cuDevicePrimaryCtxRelease_v2, CUresult (*)(int)), false);
}
VGPU_EXPORT CUresult cuDevicePrimaryCtxReset(int device) {
  return end_primary(device, VGPU_CALL(cuDevicePrimaryCtxReset, CUresult (*)(int)), true);
}
VGPU_EXPORT CUresult cuDevicePrimaryCtxReset_v2(int device) {
  return end_primary(device, VGPU_CALL(cuDevicePrimaryCtxReset_v2, CUresult (*)(int)), true);
}

// Whatever else makes the driver take memory of its own: measured afterwards, but not for each of the hundreds of
// modules that a framework loads in a row. What is left out here the arbiter finds within half a second.
static CUresult measured(CUresult r) {
  static _Atomic uint64_t last;
  struct vgpu_member *m = r == CUDA_SUCCESS ? vgpu_slice_current() : NULL;
  uint64_t now = vgpu_now_ns();
  if (!m || !m->account || now - atomic_load(&last) < MEASURE_NS) return r;
  vgpu_member_measure(m);
  atomic_store(&last, vgpu_now_ns());
  return r;
}

VGPU_EXPORT CUresult cuGreenCtxCreate(void *context, void *resources, int device, unsigned flags) {
  return measured(VGPU_CALL(cuGreenCtxCreate, CUresult (*)(void *, void *, int, unsigned))(context, resources, device, flags));
}
VGPU_EXPORT CUresult cuGreenCtxDestroy(void *context) {
  struct vgpu_member *m = vgpu_slice_current();
  if (m && m->gate) vgpu_gate_drain(m->gate, NULL, true);
  return measured(VGPU_CALL(cuGreenCtxDestroy, CUresult (*)(void *))(context));
}
VGPU_EXPORT CUresult cuCtxSetLimit(int limit, size_t value) {
  return measured(VGPU_CALL(cuCtxSetLimit, CUresult (*)(int, size_t))(limit, value));
}
VGPU_EXPORT CUresult cuModuleLoad(void *module, void *file) {
  return measured(VGPU_CALL(cuModuleLoad, CUresult (*)(void *, void *))(module, file));
}
VGPU_EXPORT CUresult cuModuleLoadData(void *module, void *image) {
  return measured(VGPU_CALL(cuModuleLoadData, CUresult (*)(void *, void *))(module, image));
}
VGPU_EXPORT CUresult cuModuleLoadDataEx(void *module, void *image, unsigned n, void *options, void *values) {
  return measured(VGPU_CALL(cuModuleLoadDataEx, CUresult (*)(void *, void *, unsigned, void *, void *))(
      module, image, n, options, values));
}
VGPU_EXPORT CUresult cuModuleLoadFatBinary(void *module, void *image) {
  return measured(VGPU_CALL(cuModuleLoadFatBinary, CUresult (*)(void *, void *))(module, image));
}
VGPU_EXPORT CUresult cuModuleUnload(void *module) {
  vgpu_parameters_forget();
  return measured(VGPU_CALL(cuModuleUnload, CUresult (*)(void *))(module));
}
VGPU_EXPORT CUresult cuLibraryLoadData(void *library, void *code, void *jit, void *jit_values, unsigned n_jit,
                                       void *options, void *values, unsigned n) {
  return measured(VGPU_CALL(cuLibraryLoadData, CUresult (*)(void *, void *, void *, void *, unsigned, void *, void *, unsigned))(
      library, code, jit, jit_values, n_jit, options, values, n));
}
VGPU_EXPORT CUresult cuLibraryLoadFromFile(void *library, void *file, void *jit, void *jit_values, unsigned n_jit,
                                           void *options, void *values, unsigned n) {
  return measured(VGPU_CALL(cuLibraryLoadFromFile, CUresult (*)(void *, void *, void *, void *, unsigned, void *, void *, unsigned))(
      library, file, jit, jit_values, n_jit, options, values, n));
}
VGPU_EXPORT CUresult cuLibraryUnload(void *library) {
  vgpu_parameters_forget();
  return measured(VGPU_CALL(cuLibraryUnload, CUresult (*)(void *))(library));
}
