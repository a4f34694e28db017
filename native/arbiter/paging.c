#include "paging.h"

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t vgpu_paging_cost(uint64_t sum, uint64_t working_set, uint64_t capacity, uint64_t bytes_per_second) {
  if (sum <= capacity || bytes_per_second == 0) return 0;
  uint64_t moved = 2 * least(least(working_set, capacity), sum - capacity);
  return (uint64_t)((double)moved * 1e9 / (double)bytes_per_second);
}

uint64_t vgpu_paging_quantum(const struct vgpu_paging_policy *policy, uint64_t cost_ns, uint32_t ahead) {
  if (cost_ns == 0) return 0;
  uint64_t quantum = least(cost_ns, UINT64_MAX / 100) * 100 / (policy->percent ? policy->percent : 1);
  quantum = least(quantum, policy->max_ns);
  return ahead ? least(quantum, policy->latency_ns / ahead) : quantum;
}

static uint64_t need(const struct vgpu_paging_demand *d, uint64_t capacity) {
  return least(d->working_set > d->resident ? d->working_set : d->resident, capacity);
}

// Gives the demand what is left of the room.
static void grant(struct vgpu_paging_demand *d, uint64_t *left) {
  d->keep = d->resident <= *left ? VGPU_KEEP_ALL : *left;
  *left -= least(d->resident, *left);
}

void vgpu_paging_plan(struct vgpu_paging_demand *demand, size_t n, uint64_t capacity) {
  struct vgpu_paging_demand *heir = NULL;
  uint64_t held = 0, waiting = 0; // bytes
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    struct vgpu_paging_demand *d = &demand[i];
    d->keep = VGPU_KEEP_ALL;
    any |= d->holds;
    if (d->holds) held += need(d, capacity);
    else if (d->heir) heir = d;
    else if (d->waits) waiting += least(d->resident, capacity);
  }
  if (!any) return;
  uint64_t left = capacity - least(held, capacity);
  for (size_t i = 0; i < n; i++)
    if (!demand[i].holds) grant(&demand[i], &left);
  for (size_t i = 0; heir && i < n; i++) {
    struct vgpu_paging_demand *d = &demand[i];
    if (!d->holds) continue;
    uint64_t others = need(heir, capacity) + waiting + held - need(d, capacity);
    left = capacity - least(others, capacity);
    if (d->resident > left) d->keep = left;
  }
}
