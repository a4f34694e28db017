#include "mps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "slice.h"

#define ATTRIBUTE_MULTIPROCESSORS 16
#define ATTRIBUTE_MPS 133 // CU_DEVICE_ATTRIBUTE_MPS_ENABLED, since CUDA 12.4
#define MPS_CONNECTION_FAILED 805

// A process has one MPS server: the first of its slices that is under MPS names it.
static struct vgpu_member *member(void) {
  struct vgpu_member *all;
  int n = vgpu_members(&all);
  for (int i = 0; i < n; i++)
    if (all[i].config.mps[0] && strncasecmp(all[i].config.device, "opencl:", 7) != 0) return &all[i];
  return NULL;
}

static void put(const char *name, const char *value) {
  const char *now = getenv(name);
  if (!now || strcmp(now, value) != 0) setenv(name, value, 1);
}

CUresult vgpu_mps_before_init(void) {
  struct vgpu_member *m = member();
  if (!m) return CUDA_SUCCESS;
  if (!vgpu_member_attach(m)) return CUDA_ERROR_SYSTEM_NOT_READY;
  char text[64];
  put("CUDA_MPS_PIPE_DIRECTORY", m->config.mps);
  snprintf(text, sizeof text, "%u.%u", m->mps_milli / 10, m->mps_milli % 10);
  put("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", text);
  // The driver counts in megabytes and for each process by itself: it is the second fence, a little behind ours. Managed
  // memory, which over-commitment makes of all allocations, it does not count.
  if (m->config.memory && !m->config.overcommit) {
    snprintf(text, sizeof text, "0=%lluM", (unsigned long long)((m->config.memory + (1 << 20) - 1) >> 20));
    put("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", text);
  }
  return CUDA_SUCCESS;
}

CUresult vgpu_mps_after_init(void) {
  struct vgpu_member *m = member();
  int joined = 0;
  if (!m || !vgpu_driver_has(VGPU_FN_cuDeviceGetAttribute)) return CUDA_SUCCESS;
  CUresult r = VGPU_CALL(cuDeviceGetAttribute, CUresult (*)(int *, int, int))(&joined, ATTRIBUTE_MPS, 0);
  if (r != CUDA_SUCCESS || joined) return CUDA_SUCCESS; // an older driver does not tell
  vgpu_debug("%s: the driver did not join the MPS server in %s", m->dir, m->config.mps);
  return MPS_CONNECTION_FAILED;
}

uint32_t vgpu_mps_width(struct vgpu_member *m, uint64_t blocks) {
  static _Atomic int multiprocessors;
  int n = multiprocessors;
  if (n == 0) {
    if (VGPU_CALL(cuDeviceGetAttribute, CUresult (*)(int *, int, int))(&n, ATTRIBUTE_MULTIPROCESSORS, 0) || n < 1) n = 1;
    multiprocessors = n;
  }
  // Each block is taken to have a multiprocessor to itself, as hardware spreads them. Where the driver tells how many
  // the process may use, instead of how many there are, that is too much rather than too little.
  if (blocks == 0 || blocks >= (uint64_t)n) return 0;
  uint32_t width = (uint32_t)((blocks * 1000 + (uint64_t)n - 1) / (uint64_t)n);
  return width < m->mps_milli ? width : 0;
}
