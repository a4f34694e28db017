// Events of the device: critical Xids, raised by tests/fake_fault.
#include <stdlib.h>

#include "../../common/futex.h"
#include "../gpu/gpu.h"

#define API __attribute__((visibility("default")))
enum { OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, TIMEOUT = 10, GPU_IS_LOST = 15 };
enum { XID_CRITICAL = 8 }; // nvmlEventTypeXidCriticalError

struct set {
  void *device; // NULL: none registered
  uint64_t seen;
};
struct event { // nvmlEventData_t
  void *device;
  unsigned long long type, data;
  unsigned gpu_instance, compute_instance;
};

API int nvmlEventSetCreate(struct set **set) {
  *set = calloc(1, sizeof **set);
  return *set ? OK : INVALID_ARGUMENT;
}
API int nvmlEventSetFree(struct set *set) { return free(set), OK; }
API int nvmlDeviceGetSupportedEventTypes(void *device, unsigned long long *types) { return *types = XID_CRITICAL, OK; }
API int nvmlDeviceRegisterEvents(void *device, unsigned long long types, struct set *set) {
  if (!set || device != fake_gpu()) return INVALID_ARGUMENT;
  if (types & ~(unsigned long long)XID_CRITICAL) return NOT_SUPPORTED;
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  set->device = device;
  set->seen = g->faults; // those of before are not told
  fake_unlock(g);
  return OK;
}

// The next fault, or TIMEOUT after so many milliseconds.
API int nvmlEventSetWait_v2(struct set *set, struct event *out, unsigned timeout_ms) {
  if (!set || !out) return INVALID_ARGUMENT;
  struct fake_gpu *g = fake_gpu();
  for (uint64_t end = vgpu_now_ns() + timeout_ms * 1000000ull;;) {
    fake_lock(g);
    bool found = set->device && set->seen < g->faults;
    if (found) {
      if (g->faults - set->seen > FAKE_FAULTS) set->seen = g->faults - FAKE_FAULTS;
      *out = (struct event){set->device, XID_CRITICAL, g->fault[set->seen++ % FAKE_FAULTS], ~0u, ~0u};
    }
    fake_unlock(g);
    if (found) return OK;
    if (vgpu_now_ns() >= end) return TIMEOUT;
    vgpu_sleep_ns(1000000);
  }
}
API int nvmlEventSetWait(struct set *set, struct event *out, unsigned timeout_ms) {
  return nvmlEventSetWait_v2(set, out, timeout_ms);
}
