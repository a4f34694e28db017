#include "echo.h"

#include "claims.h"

#define WINDOW_NS 1e9
#define SLOT_NS (WINDOW_NS / 250) // the ring holds a little more than a window
_Static_assert(VGPU_ECHO_SLOTS > 250, "a window and what is looked ahead of its beginning");

// Slices with a ceiling wait for credit also while they are behind; they are measured by the others' level.
static bool competes(const struct vgpu_tenant *t) {
  return t->wanting && !best_effort(t) && !limited(t) && !t->barred;
}

static double behind(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return (s->level - t->clock) * weight(t) / 1000.0;
}

// All that compete had their shares up to here if each of their clocks stood at the mean of them.
static void set_level(struct vgpu_schedule *s) {
  double sum = 0, weights = 0;
  for (const struct vgpu_tenant *t = s->tenants; t; t = t->next) {
    if (!competes(t)) continue;
    sum += t->clock * weight(t);
    weights += weight(t);
  }
  s->weights = weights;
  if (weights > 0) s->level = sum / weights;
}

// Between two calls one slice held the device: what each is behind changed at a constant rate.
static void remember(struct vgpu_tenant *t, double value, uint64_t now) {
  struct vgpu_echo *e = &t->echo;
  if (value > VGPU_ECHO_MOST) value = VGPU_ECHO_MOST;
  if (value < -VGPU_ECHO_MOST) value = -VGPU_ECHO_MOST;
  uint64_t last = (uint64_t)((double)now / SLOT_NS);
  if (e->slot + VGPU_ECHO_SLOTS < last) e->slot = last - VGPU_ECHO_SLOTS;
  for (; e->slot < last; e->slot++) {
    double at = (double)(e->slot + 1) * SLOT_NS, from = (double)e->at;
    double part = at > from && (double)now > from ? (at - from) / ((double)now - from) : 1;
    e->behind[(e->slot + 1) % VGPU_ECHO_SLOTS] = (float)(e->last + (value - e->last) * part);
  }
  e->last = value;
  e->at = now;
  if (!competes(t)) e->since = now;
}

void vgpu_echo_account(struct vgpu_schedule *s, uint64_t now) {
  set_level(s);
  for (struct vgpu_tenant *t = s->tenants; t; t = t->next) remember(t, behind(s, t), now);
}

void vgpu_echo_turn(struct vgpu_tenant *t, uint64_t took) {
  t->echo.turn_ns = t->echo.turn_ns > 0 ? t->echo.turn_ns * 0.75 + (double)took * 0.25 : (double)took;
}

// What it was behind a second before `at`; 0 where it did not compete from then on.
static double echo(const struct vgpu_tenant *t, double at) {
  const struct vgpu_echo *e = &t->echo;
  double then = at - WINDOW_NS;
  if (then < (double)e->since) return 0;
  uint64_t slot = (uint64_t)(then / SLOT_NS);
  if (slot + 1 > e->slot) return 0;
  double part = then / SLOT_NS - (double)slot;
  return e->behind[slot % VGPU_ECHO_SLOTS] * (1 - part) + e->behind[(slot + 1) % VGPU_ECHO_SLOTS] * part;
}

double vgpu_echo_claim(const struct vgpu_schedule *s, const struct vgpu_tenant *t, uint64_t ahead_ns) {
  double gained = s->weights > 0 ? (double)ahead_ns * weight(t) / s->weights : 0;
  if (limited(t)) return behind(s, t) + gained;
  // Compared is what would be at the end of its turn.
  double turn = t->echo.turn_ns > 0 ? t->echo.turn_ns : (double)quantum_of(s, t);
  return behind(s, t) + gained - VGPU_ECHO_PART * echo(t, (double)(s->accounted_at + ahead_ns) + turn);
}
