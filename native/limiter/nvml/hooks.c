// nvidia-smi and every framework inside a worker see the slice: its memory, its use, and no neighbours.
#include "nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cuda/driver.h"

enum { NVML_SUCCESS = 0, NVML_ERROR_FUNCTION_NOT_FOUND = 13, NVML_ERROR_NOT_FOUND = 6 };

struct memory {
  unsigned long long total, free, used;
};
struct memory_v2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct utilization {
  unsigned gpu, memory;
};

static void *real(const char *name) {
  void *library = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!library) library = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL);
  return library ? vgpu_dlsym_real(library, name) : NULL;
}

static struct vgpu_member *slice_of(void *device) {
  if (vgpu_members(NULL) == 0) return NULL;
  int (*uuid)(void *, char *, unsigned) = (int (*)(void *, char *, unsigned))real("nvmlDeviceGetUUID");
  char name[96] = "";
  if (!uuid || uuid(device, name, sizeof name) != NVML_SUCCESS) return NULL;
  struct vgpu_member *m = vgpu_member_for(name);
  return m && vgpu_member_attach(m) ? m : NULL;
}

static void show(struct vgpu_member *m, unsigned long long *total, unsigned long long *free_bytes,
                 unsigned long long *used) {
  uint64_t cap, mine = vgpu_memory_used(m, &cap);
  if (cap && (cap < *total || m->config.overcommit)) *total = cap;
  *used = mine < *total ? mine : *total;
  unsigned long long left = *total - *used;
  if (*free_bytes > left || m->config.overcommit) *free_bytes = left;
}

VGPU_EXPORT int nvmlDeviceGetMemoryInfo(void *device, void *memory) {
  int (*f)(void *, void *) = (int (*)(void *, void *))real("nvmlDeviceGetMemoryInfo");
  if (!f) return NVML_ERROR_FUNCTION_NOT_FOUND;
  int r = f(device, memory);
  struct vgpu_member *m = r == NVML_SUCCESS ? slice_of(device) : NULL;
  struct memory *out = memory;
  if (m) show(m, &out->total, &out->free, &out->used);
  return r;
}

VGPU_EXPORT int nvmlDeviceGetMemoryInfo_v2(void *device, void *memory) {
  int (*f)(void *, void *) = (int (*)(void *, void *))real("nvmlDeviceGetMemoryInfo_v2");
  if (!f) return NVML_ERROR_FUNCTION_NOT_FOUND;
  int r = f(device, memory);
  struct vgpu_member *m = r == NVML_SUCCESS ? slice_of(device) : NULL;
  struct memory_v2 *out = memory;
  if (m) {
    show(m, &out->total, &out->free, &out->used);
    out->reserved = 0;
  }
  return r;
}

VGPU_EXPORT int nvmlDeviceGetUtilizationRates(void *device, void *utilization) {
  int (*f)(void *, void *) = (int (*)(void *, void *))real("nvmlDeviceGetUtilizationRates");
  if (!f) return NVML_ERROR_FUNCTION_NOT_FOUND;
  int r = f(device, utilization);
  struct vgpu_member *m = r == NVML_SUCCESS ? slice_of(device) : NULL;
  if (m) ((struct utilization *)utilization)->gpu = (unsigned)(m->account->utilisation_permille / 10);
  return r;
}

// Process ids are those of the host's namespace, so of a container's processes only the count could be right: a
// process sees itself if it is there, and nobody else's.
static int own(const char *name, void *device, void *count, void *infos, size_t size) {
  int (*f)(void *, void *, void *) = (int (*)(void *, void *, void *))real(name);
  if (!f) return NVML_ERROR_FUNCTION_NOT_FOUND;
  if (vgpu_members(NULL) == 0 || !slice_of(device)) return f(device, count, infos);
  unsigned n = 1024, kept = 0, room = *(unsigned *)count;
  char *all = calloc(n, size);
  if (!all) return f(device, count, infos);
  int r = f(device, &n, all);
  if (r == NVML_SUCCESS) {
    for (unsigned i = 0; i < n; i++) {
      unsigned pid;
      memcpy(&pid, all + i * size, sizeof pid);
      if ((pid_t)pid != getpid()) continue;
      if (kept < room) memcpy((char *)infos + kept * size, all + i * size, size);
      kept++;
    }
    if (kept > room) r = 7; // NVML_ERROR_INSUFFICIENT_SIZE
    *(unsigned *)count = kept;
  }
  free(all);
  return r;
}

#define OWN(name, size) \
  VGPU_EXPORT int name(void *device, void *count, void *infos) { return own(#name, device, count, infos, size); }
OWN(nvmlDeviceGetComputeRunningProcesses, 16)
OWN(nvmlDeviceGetComputeRunningProcesses_v2, 24)
OWN(nvmlDeviceGetComputeRunningProcesses_v3, 24)
OWN(nvmlDeviceGetGraphicsRunningProcesses, 16)
OWN(nvmlDeviceGetGraphicsRunningProcesses_v2, 24)
OWN(nvmlDeviceGetGraphicsRunningProcesses_v3, 24)

VGPU_EXPORT int nvmlDeviceGetProcessUtilization(void *device, void *samples, void *count, unsigned long long since) {
  int (*f)(void *, void *, void *, unsigned long long) =
      (int (*)(void *, void *, void *, unsigned long long))real("nvmlDeviceGetProcessUtilization");
  if (!f) return NVML_ERROR_FUNCTION_NOT_FOUND;
  if (!slice_of(device)) return f(device, samples, count, since);
  *(unsigned *)count = 0;
  return NVML_ERROR_NOT_FOUND;
}
