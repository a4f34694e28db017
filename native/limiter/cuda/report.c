// What a process is told about its device: the slice.
#include <string.h>

#include "../symbols.h"
#include "pager.h"
#include "slice.h"

// What of an over-committed slice can be had on a device whose memory cannot move: its part of the device.
static void without_paging(struct vgpu_member *m, int device, uint64_t *cap) {
  uint64_t physical = m->account ? (uint64_t)m->account->physical_cap : 0;
  if (physical && physical < *cap && !vgpu_pages(m, device)) *cap = physical;
}

VGPU_EXPORT CUresult cuMemGetInfo_v2(void *free_bytes, void *total_bytes) {
  CUresult r = VGPU_CALL(cuMemGetInfo_v2, CUresult (*)(void *, void *))(free_bytes, total_bytes);
  struct vgpu_member *m = r == CUDA_SUCCESS ? vgpu_slice_current() : NULL;
  if (!m || !vgpu_member_attach(m)) return r;
  uint64_t cap, used = vgpu_memory_used(m, &cap);
  size_t *available = free_bytes, *total = total_bytes;
  if (cap == 0) return r;
  without_paging(m, vgpu_device_current(), &cap);
  if (*total > cap || m->config.overcommit) *total = cap;
  uint64_t left = *total > used ? *total - used : 0;
  if (*available > left || m->config.overcommit) *available = left;
  return r;
}

VGPU_EXPORT CUresult cuDeviceTotalMem_v2(void *bytes, int device) {
  CUresult r = VGPU_CALL(cuDeviceTotalMem_v2, CUresult (*)(void *, int))(bytes, device);
  struct vgpu_member *m = r == CUDA_SUCCESS ? vgpu_slice_of_device(device) : NULL;
  if (!m) return r;
  uint64_t cap;
  vgpu_memory_used(m, &cap);
  without_paging(m, device, &cap);
  if (cap && (*(size_t *)bytes > cap || m->config.overcommit)) *(size_t *)bytes = cap;
  return r;
}

static CUresult proc_address(const char *symbol, void *out, int cuda_version, bool per_thread, CUresult r) {
  void **function = out;
  if (r || !symbol || !function || !*function || vgpu_members(NULL) == 0) return r;
  void *real = *function;
  *function = vgpu_hook_for_version(symbol, cuda_version, per_thread, real);
  vgpu_debug("look-up %s %d %s: %s", symbol, cuda_version, per_thread ? "thread" : "legacy",
             *function == real ? "driver" : vgpu_is_refusal(*function) ? "refused" : "hook");
  return r;
}

VGPU_EXPORT CUresult cuGetProcAddress(void *symbol, void *function, int cuda_version, unsigned long long flags) {
  CUresult r = VGPU_CALL(cuGetProcAddress, CUresult (*)(void *, void *, int, unsigned long long))(symbol, function,
                                                                                                  cuda_version, flags);
  return proc_address(symbol, function, cuda_version, flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, r);
}

VGPU_EXPORT CUresult cuGetProcAddress_v2(void *symbol, void *function, int cuda_version, unsigned long long flags,
                                         void *status) {
  CUresult r = VGPU_CALL(cuGetProcAddress_v2, CUresult (*)(void *, void *, int, unsigned long long, void *))(
      symbol, function, cuda_version, flags, status);
  return proc_address(symbol, function, cuda_version, flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, r);
}

// Compiled for per-thread default streams: that is what it asks for unless it says otherwise.
VGPU_EXPORT CUresult cuGetProcAddress_v2_ptsz(void *symbol, void *function, int cuda_version, unsigned long long flags,
                                              void *status) {
  CUresult r = VGPU_CALL(cuGetProcAddress_v2_ptsz, CUresult (*)(void *, void *, int, unsigned long long, void *))(
      symbol, function, cuda_version, flags, status);
  bool legacy = flags & 1;
  return proc_address(symbol, function, cuda_version, !legacy, r);
}
