// What the driver holds for a process beyond what the process accounted: contexts, modules, stacks, memory that a
// pool keeps. NVML reports by host process id, which is what SO_PEERCRED gives the arbiter.
#include <dlfcn.h>
#include <string.h>

#include "server.h"

#define PIDS_MAX 1024

struct nvml_process { // nvmlProcessInfo_v2_t
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};
struct nvml_memory { // nvmlMemory_t
  unsigned long long total, free, used;
};

static int (*running)(void *, unsigned *, struct nvml_process *);
static int (*memory_info)(void *, struct nvml_memory *);
static void *device_handle;

bool measure_open(const char *library, const char *device) {
  if (strcmp(library, "none") == 0 || strncmp(device, "opencl:", 7) == 0) return false;
  void *nvml = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!nvml) return false;
  int (*init)(void) = (int (*)(void))dlsym(nvml, "nvmlInit_v2");
  int (*by_uuid)(const char *, void **) = (int (*)(const char *, void **))dlsym(nvml, "nvmlDeviceGetHandleByUUID");
  int (*by_index)(unsigned, void **) = (int (*)(unsigned, void **))dlsym(nvml, "nvmlDeviceGetHandleByIndex_v2");
  running = (int (*)(void *, unsigned *, struct nvml_process *))dlsym(nvml, "nvmlDeviceGetComputeRunningProcesses_v3");
  memory_info = (int (*)(void *, struct nvml_memory *))dlsym(nvml, "nvmlDeviceGetMemoryInfo");
  if (!init || !by_uuid || !by_index || init() != 0) running = NULL;
  if (running && (device[0] ? by_uuid(device, &device_handle) : by_index(0, &device_handle)) != 0) running = NULL;
  return running != NULL;
}

uint64_t measure_device_memory(void) {
  struct nvml_memory m = {0};
  return running && memory_info && memory_info(device_handle, &m) == 0 ? m.total : 0;
}

static unsigned list(struct nvml_process *out) {
  unsigned n = PIDS_MAX;
  return running && running(device_handle, &n, out) == 0 ? n : 0;
}

// What the processes with this id say they hold on the device. Managed memory is only there while it is used, so NVML's
// figure need not contain it.
static uint64_t accounted(struct server *s, pid_t pid, bool contexts) {
  uint64_t sum = 0;
  for (struct process *p = s->processes; p; p = p->next)
    if (p->greeted && p->pid == pid)
      for (int k = 0; k < VGPU_KINDS; k++)
        if (k != VGPU_KIND_MANAGED && (contexts || k != VGPU_KIND_CONTEXT))
          sum += p->slice->account->slot[p->slot].memory[k];
  return sum;
}

// The process's first connection carries the overhead; it may have another one for OpenCL.
static bool first(struct server *s, const struct process *p) {
  bool found = true;
  for (struct process *o = s->processes; o; o = o->next)
    if (o != p && o->pid == p->pid && o->greeted && o->slice == p->slice && o->slot < p->slot) found = false;
  return found;
}

// Bytes that the driver holds for the process; UINT64_MAX where NVML cannot say.
static uint64_t held(pid_t pid, const struct nvml_process *all, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if ((pid_t)all[i].pid == pid) return all[i].used;
  return running ? 0 : UINT64_MAX;
}

static uint64_t excess(struct server *s, const struct process *p, uint64_t used) {
  uint64_t known = accounted(s, p->pid, true);
  return used != UINT64_MAX && used > known && first(s, p) ? used - known : 0;
}

static void set(struct process *p, uint64_t overhead) {
  p->overhead = overhead;
  p->lower_once = 0;
  p->slice->account->slot[p->slot].overhead = overhead;
}

uint64_t measure_process(struct server *s, struct process *p) {
  static struct nvml_process all[PIDS_MAX];
  unsigned n = list(all);
  uint64_t used = held(p->pid, all, n);
  set(p, excess(s, p, used));
  if (used == UINT64_MAX) return used;
  uint64_t others = accounted(s, p->pid, false), contexts = used > others ? used - others : 0;
  // What a context takes is learnt from the first process that has nothing else.
  if (contexts && others == 0 && !s->context_estimate) {
    s->context_estimate = contexts;
    for (struct slice *x = s->slices; x; x = x->next) x->account->context_estimate = contexts;
  }
  return contexts;
}

void measure_all(struct server *s, uint64_t now) {
  (void)now;
  static struct nvml_process all[PIDS_MAX];
  if (!running || !s->processes) return;
  unsigned n = list(all);
  struct nvml_memory m = {0};
  if (memory_info && memory_info(device_handle, &m) == 0) s->ledger->memory_physical_used = m.used;
  for (struct slice *x = s->slices; x; x = x->next) {
    uint64_t sum = 0;
    for (struct process *p = s->processes; p; p = p->next) {
      if (p->slice != x || !p->greeted) continue;
      uint64_t found = excess(s, p, held(p->pid, all, n));
      // An allocation that is reserved and not yet made looks like less overhead: believe it when seen twice.
      if (found >= p->overhead || p->lower_once) set(p, found);
      else p->lower_once = 1;
      sum += p->overhead;
    }
    x->account->overhead = sum;
  }
}
