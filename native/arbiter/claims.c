// Charges what is held, and keeps shares and ceilings by it.
#include "claims.h"

#include "echo.h"

void vgpu_credit_refill(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  if (now <= t->credit_at) return;
  uint64_t passed = now - t->credit_at;
  t->credit_at = now;
  if (!limited(t)) return;
  t->credit_ns += (double)passed * t->limit / 1000.0;
  // A slice that waits for others keeps what it could not use; one that wants nothing keeps one turn's worth.
  double most = t->wanting ? most_credit(t) : (double)s->settings.quantum_ns;
  if (t->credit_ns > most) t->credit_ns = most;
}

uint64_t vgpu_credit_deadline(const struct vgpu_tenant *t, uint64_t now) {
  if (!limited(t)) return VGPU_NEVER;
  if (t->credit_ns <= 0) return now;
  double drain = 1.0 - t->limit / 1000.0; // it refills while it runs
  return now + (uint64_t)(t->credit_ns / (drain > 0.001 ? drain : 0.001));
}

bool vgpu_eligible(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  vgpu_credit_refill(s, t, now);
  if (t->barred) return false;
  return !limited(t) || t->credit_ns >= start_credit(s, t);
}

// A slice that waits for nothing keeps at most `lag_ns` of unused claim: neither is idle time saved up for a burst, nor
// does a short pause cost it its place, nor is anybody made to pay for what it used while nobody else wanted it. Counted
// from whoever is furthest behind of those that the turn may go to: `t`, which is charged, may be far ahead with a long
// piece of work, and that is its own debt.
static void forfeit(struct vgpu_schedule *s, const struct vgpu_tenant *t, uint64_t now) {
  double level = t->clock;
  for (struct vgpu_tenant *o = s->tenants; o; o = o->next)
    if (o->clock < level && best_effort(o) == best_effort(t) && o->waiting && vgpu_eligible(s, o, now)) level = o->clock;
  for (struct vgpu_tenant *o = s->tenants; o; o = o->next) {
    if (o == t || o->waiting || best_effort(o) != best_effort(t)) continue;
    double least = level - (double)s->settings.lag_ns * 1000.0 / weight(o);
    if (o->clock < least) o->clock = least;
  }
}

static void charge(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now) {
  if (now <= c->charged_to) return;
  uint64_t used = now - c->charged_to;
  c->charged_to = now;
  c->held_ns += used;
  struct vgpu_tenant *t = c->tenant;
  if (!s->whole) t->used_ns += used * width_of(s, c) / 1000;
  else if (c == s->holder) t->used_ns += used * s->whole / 1000;
  if (c->state == VGPU_BESIDE) return;
  t->held_ns += used;
  t->clock += (double)used * 1000.0 / weight(t);
  vgpu_credit_refill(s, t, now);
  if (limited(t)) t->credit_ns -= (double)used;
  forfeit(s, t, now);
}

void vgpu_schedule_account(struct vgpu_schedule *s, uint64_t now) {
  if (now > s->accounted_at) {
    uint64_t passed = now - s->accounted_at;
    if (s->holder) s->busy_ns += passed;
    else s->idle_ns += passed;
    s->accounted_at = now;
  }
  for (struct vgpu_client *c = s->clients; c; c = c->next) {
    if (holds(c) || c->state == VGPU_STRIPPED) charge(s, c, now);
    if (c->state == VGPU_WAITING && now > c->charged_to) {
      c->tenant->wait_ns += now - c->charged_to;
      c->charged_to = now;
    }
  }
  vgpu_echo_account(s, now);
}
