// The test double of libnvidia-ml: the same device, seen from outside.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../common/futex.h"
#include "../gpu/gpu.h"

#define API __attribute__((visibility("default")))
enum { OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15, UNKNOWN = 999 };
// A device that is lost answers nothing else.
#define LOST (__atomic_load_n(&fake_gpu()->lost, __ATOMIC_ACQUIRE) ? GPU_IS_LOST : OK)
#define UUID "GPU-76677075-6661-6b65-0000-000000000001"

API int nvmlInit_v2(void) { return fake_gpu() ? OK : UNKNOWN; }
API int nvmlInit(void) { return nvmlInit_v2(); }
API int nvmlDeviceGetCount(unsigned *n) { return *n = 1, OK; }
API int nvmlInitWithFlags(unsigned flags) { return nvmlInit_v2(); }
API int nvmlShutdown(void) { return OK; }
API const char *nvmlErrorString(int error) { return error ? "an error of the fake driver" : "Success"; }
API int nvmlSystemGetDriverVersion(char *text, unsigned n) { return snprintf(text, n, "615.00"), OK; }
API int nvmlSystemGetNVMLVersion(char *text, unsigned n) { return snprintf(text, n, "13.615.00"), OK; }
API int nvmlSystemGetCudaDriverVersion_v2(int *version) { return *version = 13050, OK; }
API int nvmlDeviceGetCount_v2(unsigned *n) { return *n = 1, OK; }
API int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  *device = fake_gpu();
  return index == 0 ? OK : INVALID_ARGUMENT;
}
API int nvmlDeviceGetHandleByIndex(unsigned index, void **device) { return nvmlDeviceGetHandleByIndex_v2(index, device); }
API int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  *device = fake_gpu();
  return strcmp(uuid, UUID) == 0 ? OK : NOT_FOUND;
}
API int nvmlDeviceGetIndex(void *device, unsigned *index) { return *index = 0, OK; }
API int nvmlDeviceGetMinorNumber(void *device, unsigned *minor) { return *minor = 0, OK; }
API int nvmlDeviceGetUUID(void *device, char *text, unsigned n) { return snprintf(text, n, UUID), LOST; }
API int nvmlDeviceGetName(void *device, char *text, unsigned n) { return snprintf(text, n, "Fake GPU"), LOST; }
API int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) { return NOT_SUPPORTED; }
API int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) { return *celsius = 45, LOST; }
API int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { return *milliwatts = 90000, LOST; }
API int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) { return *milliwatts = 350000, OK; }

struct memory {
  unsigned long long total, free, used;
};
struct memory_v2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
static struct memory memory(void) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  fake_bury(g);
  uint64_t used = g->memory_used + g->residency.resident * FAKE_BLOCK;
  struct memory m = {g->memory_total, g->memory_total > used ? g->memory_total - used : 0, used};
  fake_unlock(g);
  return m;
}
API int nvmlDeviceGetMemoryInfo(void *device, struct memory *out) { return *out = memory(), LOST; }
API int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *out) {
  struct memory m = memory();
  out->total = m.total;
  out->free = m.free;
  out->used = m.used;
  out->reserved = 0;
  return OK;
}

// Both as in nvml.h of CUDA 13.4: a group's folder by its full path, and bytes.
struct set_limits {
  const char *group;
  unsigned long long soft, hard;
};
struct get_limits {
  const char *group;
  unsigned long long soft, hard, used;
};
API int nvmlDeviceSetMemoryLimits_v1(void *device, struct set_limits *in) {
  char group[FAKE_GROUP_MAX], mount[FAKE_GROUP_MAX];
  if (!in || !in->group || in->soft > in->hard) return INVALID_ARGUMENT;
  if (geteuid() != 0) return NO_PERMISSION;
  if (!fake_group_of(in->group, group, mount)) return NOT_FOUND;
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  bool good = fake_limit_set(g, group, mount, in->soft, in->hard);
  fake_unlock(g);
  return good ? LOST : UNKNOWN;
}
API int nvmlDeviceGetMemoryLimits_v1(void *device, struct get_limits *out) {
  char group[FAKE_GROUP_MAX], mount[FAKE_GROUP_MAX];
  if (!out || !out->group) return INVALID_ARGUMENT;
  if (!fake_group_of(out->group, group, mount)) return NOT_FOUND;
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  const struct fake_limit *l = fake_limit_on(g, group);
  if (l) out->soft = l->soft, out->hard = l->hard, out->used = fake_limit_used(g, l);
  fake_unlock(g);
  return l ? LOST : NOT_SUPPORTED; // as driver 615 answers for a group that no limit counts for
}

// Of the time since it was last asked, as the driver gives it for its last sample.
API int nvmlDeviceGetUtilizationRates(void *device, unsigned rates[2]) {
  static uint64_t busy, at;
  static unsigned last;
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  if (g->at > at + 10000000) {
    last = at ? (unsigned)((g->busy_ns - busy) * 100 / (g->at - at)) : 0;
    busy = g->busy_ns;
    at = g->at;
  }
  fake_unlock(g);
  rates[0] = last > 100 ? 100 : last;
  rates[1] = rates[0] / 2;
  return OK;
}

struct process {
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};
API int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, struct process *out) {
  struct fake_gpu *g = fake_gpu();
  unsigned room = *n, found = 0;
  fake_lock(g);
  fake_bury(g);
  for (int i = 0; i < FAKE_PROCESSES; i++) {
    if (!g->process[i].in_use || g->process[i].memory == 0) continue;
    if (found < room && out) out[found] = (struct process){fake_pid(g, (uint32_t)i), g->process[i].memory, 0, 0};
    found++;
  }
  fake_unlock(g);
  *n = found;
  return found > room ? INSUFFICIENT_SIZE : OK;
}
API int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned *n, struct process *out) {
  return nvmlDeviceGetComputeRunningProcesses_v3(device, n, out);
}
struct process_v1 { // without instances
  unsigned pid;
  unsigned long long used;
};
API int nvmlDeviceGetComputeRunningProcesses(void *device, unsigned *n, struct process_v1 *out) {
  static struct process all[FAKE_PROCESSES];
  unsigned found = FAKE_PROCESSES, room = *n;
  nvmlDeviceGetComputeRunningProcesses_v3(device, &found, all);
  for (unsigned i = 0; out && i < found && i < room; i++) out[i] = (struct process_v1){all[i].pid, all[i].used};
  *n = found;
  return found > room ? INSUFFICIENT_SIZE : OK;
}

// How busy each process kept the device since this was last asked.
struct process_sample {
  unsigned pid;
  unsigned long long at_us;
  unsigned sm, memory, encoder, decoder;
};
API int nvmlDeviceGetProcessUtilization(void *device, struct process_sample *out, unsigned *n, unsigned long long since) {
  static uint64_t seen[FAKE_PROCESSES], last;
  uint64_t busy[FAKE_PROCESSES] = {0};
  struct fake_gpu *g = fake_gpu();
  unsigned room = *n, found = 0;
  fake_lock(g);
  for (int c = 0; c < FAKE_CONTEXTS; c++)
    if (g->live[c / 64] >> (c % 64) & 1) busy[g->context[c].process] += g->context[c].busy_ns;
  uint64_t passed = g->at - last;
  last = g->at;
  for (unsigned i = 0; i < FAKE_PROCESSES; i++) {
    uint64_t used = busy[i] > seen[i] ? busy[i] - seen[i] : 0;
    seen[i] = busy[i];
    if (!g->process[i].in_use || used == 0) continue;
    uint64_t percent = used * 100 / (passed ? passed : 1);
    if (found < room && out)
      out[found] = (struct process_sample){fake_pid(g, i), g->at / 1000, (unsigned)(percent > 100 ? 100 : percent), 0, 0, 0};
    found++;
  }
  fake_unlock(g);
  *n = found;
  return found == 0 ? NOT_FOUND : found > room ? INSUFFICIENT_SIZE : OK;
}

API int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned *n, struct process *out) { return *n = 0, OK; }
