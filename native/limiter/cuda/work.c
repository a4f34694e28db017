// Launches, copies and sets: through the gate. Most bodies are generated.
#include "pager.h"
#include "slice.h"

#include "../generated/work.inc"

static CUresult launch_ex(void *real, void *config, void *f, void *parameters, void *extra, bool per_thread) {
  const struct cu_launch *c = config;
  struct vgpu_work work;
  uint64_t blocks = c ? (uint64_t)c->grid[0] * c->grid[1] * c->grid[2] : 0;
  CUresult r = vgpu_work_begin(&work, c ? c->stream : NULL, per_thread, vgpu_work_key(f, blocks));
  if (r) return r;
  VGPU_SAW(vgpu_saw_launch(f, parameters, extra, c ? c->stream : NULL, per_thread));
  r = ((CUresult(*)(void *, void *, void *, void *))real)(config, f, parameters, extra);
  vgpu_work_end(&work, r);
  return r;
}

VGPU_EXPORT CUresult cuLaunchKernelEx(void *config, void *f, void *parameters, void *extra) {
  return launch_ex(vgpu_driver(VGPU_FN_cuLaunchKernelEx), config, f, parameters, extra, false);
}
VGPU_EXPORT CUresult cuLaunchKernelEx_ptsz(void *config, void *f, void *parameters, void *extra) {
  return launch_ex(vgpu_driver(VGPU_FN_cuLaunchKernelEx_ptsz), config, f, parameters, extra, true);
}

// One kernel on several devices at once: it passes the gate of each.
VGPU_EXPORT CUresult cuLaunchCooperativeKernelMultiDevice(void *list, unsigned n, unsigned flags) {
  const struct cu_launch_params *p = list;
  struct vgpu_work work[VGPU_MEMBERS_MAX];
  CUresult r = CUDA_SUCCESS;
  unsigned begun = 0;
  for (unsigned i = 0; i < n && p && begun < VGPU_MEMBERS_MAX && r == CUDA_SUCCESS; i++) {
    void *context = NULL;
    bool entered = p[i].stream &&
                   VGPU_CALL(cuStreamGetCtx, CUresult (*)(CUstream, void **))(p[i].stream, &context) == CUDA_SUCCESS &&
                   VGPU_CALL(cuCtxPushCurrent_v2, CUresult (*)(void *))(context) == CUDA_SUCCESS;
    r = vgpu_work_begin(&work[begun], p[i].stream, false, vgpu_work_key(p[i].function, 0));
    if (r == CUDA_SUCCESS) begun++;
    VGPU_SAW(vgpu_saw_launch(p[i].function, p[i].parameters, NULL, p[i].stream, false));
    if (entered) VGPU_CALL(cuCtxPopCurrent_v2, CUresult (*)(void **))(&context);
  }
  if (r == CUDA_SUCCESS)
    r = VGPU_CALL(cuLaunchCooperativeKernelMultiDevice, CUresult (*)(void *, unsigned, unsigned))(list, n, flags);
  while (begun) vgpu_work_end(&work[--begun], r);
  return r;
}
