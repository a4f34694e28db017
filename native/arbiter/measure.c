// What the driver holds for a process beyond what the process accounted: contexts, modules, stacks, memory that a
// pool keeps. NVML reports by host process id, which is what SO_PEERCRED gives the arbiter.
#include <dlfcn.h>
#include <string.h>

#include "server.h"

#define PIDS_MAX 1024
#define TRIES 4 // to see a process quiet that wants to know

struct nvml_process { // nvmlProcessInfo_v2_t
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};
struct nvml_limits { // nvmlSetMemoryLimits_v1_t, driver 615
  const char *cgroup;
  unsigned long long soft, hard;
};
struct nvml_memory { // nvmlMemory_t
  unsigned long long total, free, used;
};

static int (*running)(void *, unsigned *, struct nvml_process *);
static int (*memory_info)(void *, struct nvml_memory *);
static int (*set_limits)(void *, struct nvml_limits *);
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
  set_limits = (int (*)(void *, struct nvml_limits *))dlsym(nvml, "nvmlDeviceSetMemoryLimits_v1");
  if (!init || !by_uuid || !by_index || init() != 0) running = NULL;
  if (running && (device[0] ? by_uuid(device, &device_handle) : by_index(0, &device_handle)) != 0) running = NULL;
  return running != NULL;
}

uint64_t measure_device_memory(void) {
  struct nvml_memory m = {0};
  return running && memory_info && memory_info(device_handle, &m) == 0 ? m.total : 0;
}

// Without a soft limit: memory above one is lent, and MPS may end its holder when others need it; and soft limits add up
// in the groups above, where they stay when a group goes without having been asked to.
bool measure_limit(const char *cgroup, uint64_t bytes) {
  struct nvml_limits limits = {cgroup, 0, bytes};
  return running && set_limits && set_limits(device_handle, &limits) == 0;
}

static unsigned list(struct nvml_process *out) {
  unsigned n = PIDS_MAX;
  return running && running(device_handle, &n, out) == 0 ? n : 0;
}

// What a process says it holds on the device. Managed memory is only there while it is used, so NVML's figure need not
// contain it.
static uint64_t accounted(const struct process *p, bool contexts) {
  const struct vgpu_slot *slot = &p->slice->account->slot[p->slot];
  uint64_t sum = 0;
  for (int k = 0; k < VGPU_KINDS; k++)
    if (k != VGPU_KIND_MANAGED && (contexts || k != VGPU_KIND_CONTEXT)) sum += slot->memory[k];
  return sum;
}

// Before NVML is asked. A process goes on allocating meanwhile, and what it gives back until its account is read would
// look like memory that it holds beside it: so the most counts that it had at any time from here on.
static void look(struct process *p) {
  struct vgpu_slot *slot = &p->slice->account->slot[p->slot];
  slot->high = 0;
  p->known = accounted(p, true);
  p->flights = slot->flights;
  p->quiet = slot->flying == 0;
}

// After that: whether nothing was allocated or freed by the process with this id, so that its account and what NVML says
// belong together.
static bool quiet(const struct server *s, pid_t pid) {
  for (const struct process *p = s->processes; p; p = p->next)
    if (p->greeted && p->pid == pid && !(p->quiet && p->flights == p->slice->account->slot[p->slot].flights)) return false;
  return true;
}

// The most that all connections of the process with this id accounted since then.
static uint64_t known(const struct server *s, pid_t pid) {
  uint64_t sum = 0;
  for (const struct process *p = s->processes; p; p = p->next) {
    if (!p->greeted || p->pid != pid) continue;
    uint64_t most = accounted(p, true), high = p->slice->account->slot[p->slot].high;
    if (high > most) most = high;
    sum += most > p->known ? most : p->known;
  }
  return sum;
}

// The process's first connection carries the overhead; it may have another one for OpenCL.
static bool first(const struct server *s, const struct process *p) {
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

static uint64_t excess(const struct server *s, const struct process *p, uint64_t used) {
  uint64_t mine = known(s, p->pid);
  return used != UINT64_MAX && used > mine && first(s, p) ? used - mine : 0;
}

// Where it is busy the difference is at least what the driver holds beside the account; exactly that it is where it is quiet.
static void set(const struct server *s, struct process *p, uint64_t used) {
  uint64_t found = excess(s, p, used);
  if (found < p->overhead && !quiet(s, p->pid)) return;
  p->overhead = found;
  p->slice->account->slot[p->slot].overhead = found;
}

uint64_t measure_process(struct server *s, struct process *p) {
  static struct nvml_process all[PIDS_MAX];
  bool still = false;
  uint64_t used = UINT64_MAX;
  for (int i = 0; i < TRIES && !still; i++) {
    for (struct process *o = s->processes; o; o = o->next)
      if (o->greeted && o->pid == p->pid) look(o);
    unsigned n = list(all);
    used = held(p->pid, all, n);
    set(s, p, used);
    if (used == UINT64_MAX) return used;
    still = quiet(s, p->pid);
  }
  if (!still) return UINT64_MAX;
  uint64_t others = 0;
  for (const struct process *o = s->processes; o; o = o->next)
    if (o->greeted && o->pid == p->pid) others += accounted(o, false);
  uint64_t contexts = used > others ? used - others : 0;
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
  for (struct process *p = s->processes; p; p = p->next)
    if (p->greeted) look(p);
  unsigned n = list(all);
  struct nvml_memory m = {0};
  if (memory_info && memory_info(device_handle, &m) == 0) s->ledger->memory_physical_used = m.used;
  for (struct slice *x = s->slices; x; x = x->next) {
    uint64_t sum = 0;
    for (struct process *p = s->processes; p; p = p->next) {
      if (p->slice != x || !p->greeted) continue;
      set(s, p, held(p->pid, all, n));
      sum += p->overhead;
    }
    x->account->overhead = sum;
    report_peak(s, x);
  }
}
