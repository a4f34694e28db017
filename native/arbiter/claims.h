// What a slice may claim of the device: shares as clocks, ceilings as credit. What the schedule decides by.
#ifndef VGPU_CLAIMS_H
#define VGPU_CLAIMS_H

#include "schedule.h"

// A best-effort slice has no share; among themselves such slices are equal.
static inline double weight(const struct vgpu_tenant *t) { return t->share ? t->share : 1; }

static inline bool best_effort(const struct vgpu_tenant *t) { return t->qos == VGPU_QOS_BEST_EFFORT || t->share == 0; }

static inline bool limited(const struct vgpu_tenant *t) { return t->limit < 1000; }

static inline uint64_t quantum_of(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return t->quantum_ns > s->settings.quantum_ns ? t->quantum_ns : s->settings.quantum_ns;
}

static inline bool holds(const struct vgpu_client *c) { return c->state == VGPU_HOLDING || c->state == VGPU_BESIDE; }

static inline uint32_t width_of(const struct vgpu_schedule *s, const struct vgpu_client *c) {
  return c->width && c->width < s->capacity ? c->width : s->capacity ? s->capacity : 1000;
}

// The most credit that a limited slice saves up while it waits: what a second gives.
static inline double most_credit(const struct vgpu_tenant *t) { return (double)t->limit * 1e6; }

// A limited slice starts a turn once it has this much credit, so that its turns are not minced.
static inline double start_credit(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  double start = (double)quantum_of(s, t) / 2, most = most_credit(t) / 2;
  return start < most || t->quantum_ns == 0 ? start : most;
}

// Brings the credit of a limited slice up to date.
void vgpu_credit_refill(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now);
// A limited holder's turn ends when its credit does, even if nobody waits; VGPU_NEVER: its credit ends none.
uint64_t vgpu_credit_deadline(const struct vgpu_tenant *t, uint64_t now);
// Whether the slice may have a turn now, if it wants one.
bool vgpu_eligible(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now);

#endif
