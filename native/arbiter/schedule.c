#include "schedule.h"

#include <string.h>

// A best-effort slice has no share; among themselves such slices are equal.
static double weight(const struct vgpu_tenant *t) { return t->share ? t->share : 1; }

static bool best_effort(const struct vgpu_tenant *t) { return t->qos == VGPU_QOS_BEST_EFFORT || t->share == 0; }

static bool limited(const struct vgpu_tenant *t) { return t->limit < 1000; }

// A limited slice starts a turn once it has this much credit, so that its turns are not minced.
static double start_credit(const struct vgpu_schedule *s) { return (double)s->settings.quantum_ns / 2; }

static void refill(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  if (now <= t->credit_at) return;
  uint64_t passed = now - t->credit_at;
  t->credit_at = now;
  if (!limited(t)) return;
  t->credit_ns += (double)passed * t->limit / 1000.0;
  // A slice that waits for others keeps what it could not use; one that wants nothing keeps one turn's worth.
  double most = t->wanting ? (double)t->limit * 1e6 : (double)s->settings.quantum_ns;
  if (t->credit_ns > most) t->credit_ns = most;
}

static void charge(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now) {
  if (now <= c->charged_to) return;
  uint64_t used = now - c->charged_to;
  c->charged_to = now;
  c->held_ns += used;
  struct vgpu_tenant *t = c->tenant;
  t->held_ns += used;
  t->clock += (double)used * 1000.0 / weight(t);
  refill(s, t, now);
  if (limited(t)) t->credit_ns -= (double)used;
  // A slice that wants nothing keeps at most `lag_ns` of unused claim: neither is idle time saved up for a burst, nor
  // does a short pause cost it its place, nor is anybody made to pay for what it used while nobody else wanted it.
  for (struct vgpu_tenant *o = s->tenants; o; o = o->next) {
    if (o == t || o->wanting || best_effort(o) != best_effort(t)) continue;
    double least = t->clock - (double)s->settings.lag_ns * 1000.0 / weight(o);
    if (o->clock < least) o->clock = least;
  }
}

void vgpu_schedule_account(struct vgpu_schedule *s, uint64_t now) {
  if (now > s->accounted_at) {
    uint64_t passed = now - s->accounted_at;
    if (s->holder) s->busy_ns += passed;
    else s->idle_ns += passed;
    s->accounted_at = now;
  }
  for (struct vgpu_client *c = s->clients; c; c = c->next) {
    if (c->state == VGPU_HOLDING || c->state == VGPU_STRIPPED) charge(s, c, now);
    if (c->state == VGPU_WAITING && now > c->charged_to) {
      c->tenant->wait_ns += now - c->charged_to;
      c->charged_to = now;
    }
  }
}

static void set_state(struct vgpu_client *c, enum vgpu_client_state state, uint64_t now) {
  bool wanted = c->state == VGPU_WAITING || c->state == VGPU_HOLDING;
  bool wants = state == VGPU_WAITING || state == VGPU_HOLDING;
  if (wants && !wanted) c->tenant->wanting++;
  if (wanted && !wants) c->tenant->wanting--;
  c->state = state;
  c->since = now;
  c->charged_to = now;
}

// A critical slice goes first only while it is not ahead of the others by more than a turn: the class buys latency,
// not a larger share.
static bool ahead(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  for (const struct vgpu_tenant *o = s->tenants; o; o = o->next)
    if (o != t && o->wanting && !best_effort(o) &&
        t->clock > o->clock + (double)s->settings.quantum_ns * 1000.0 / weight(t))
      return true;
  return false;
}

static bool eligible(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  refill(s, t, now);
  return !limited(t) || t->credit_ns >= start_credit(s);
}

static bool waits(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  for (const struct vgpu_client *c = s->clients; c; c = c->next)
    if (c->tenant == t && c->state == VGPU_WAITING) return true;
  return false;
}

// Among the slices that are within their limits: 1. critical ones that are not ahead; 2. slices with a share before
// best-effort ones; 3. the slice that is furthest behind; 4. by id.
static bool before(const struct vgpu_schedule *s, const struct vgpu_tenant *a, const struct vgpu_tenant *b) {
  bool a_first = a->critical && !ahead(s, a), b_first = b->critical && !ahead(s, b);
  if (a_first != b_first) return a_first;
  if (best_effort(a) != best_effort(b)) return best_effort(b);
  if (a->clock != b->clock) return a->clock < b->clock;
  return strcmp(a->id, b->id) < 0;
}

static struct vgpu_tenant *next_tenant(struct vgpu_schedule *s, uint64_t now) {
  struct vgpu_tenant *best = NULL;
  for (struct vgpu_tenant *t = s->tenants; t; t = t->next)
    if (t->wanting && waits(s, t) && eligible(s, t, now) && (!best || before(s, t, best))) best = t;
  return best;
}

static struct vgpu_client *next_client(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  struct vgpu_client *best = NULL;
  for (struct vgpu_client *c = s->clients; c; c = c->next)
    if (c->tenant == t && c->state == VGPU_WAITING && (!best || c->held_ns < best->held_ns)) best = c;
  return best;
}

static bool others_wait(struct vgpu_schedule *s, uint64_t now) {
  for (struct vgpu_client *c = s->clients; c; c = c->next)
    if (c != s->holder && c->state == VGPU_WAITING && eligible(s, c->tenant, now)) return true;
  return false;
}

// A limited holder's turn ends when its credit does, even if nobody waits.
static uint64_t credit_deadline(const struct vgpu_tenant *t, uint64_t now) {
  if (!limited(t)) return VGPU_NEVER;
  if (t->credit_ns <= 0) return now;
  double drain = 1.0 - t->limit / 1000.0; // it refills while it runs
  return now + (uint64_t)(t->credit_ns / (drain > 0.001 ? drain : 0.001));
}

static uint64_t quantum_of(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return t->quantum_ns > s->settings.quantum_ns ? t->quantum_ns : s->settings.quantum_ns;
}

// The shortest turn, in the same proportion.
static uint64_t min_turn_of(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return (uint64_t)((double)s->settings.min_turn_ns * (double)quantum_of(s, t) / (double)s->settings.quantum_ns);
}

static void grant_next(struct vgpu_schedule *s, uint64_t now) {
  if (s->holder) return;
  struct vgpu_tenant *t = next_tenant(s, now);
  if (!t) return;
  struct vgpu_client *c = next_client(s, t);
  set_state(c, VGPU_HOLDING, now);
  s->holder = c;
  s->granted_at = now;
  s->recalled = false;
  s->handovers++;
  s->deadline = credit_deadline(t, now);
  if (others_wait(s, now) && now + quantum_of(s, t) < s->deadline) s->deadline = now + quantum_of(s, t);
  s->actions->grant(s->self, c, s->deadline == VGPU_NEVER ? 0 : s->deadline - now);
}

// Brings the holder's deadline forward now that `t` waits.
static void press(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  struct vgpu_tenant *h = s->holder->tenant;
  if (!eligible(s, t, now)) return;
  uint64_t end = s->granted_at + quantum_of(s, h);
  if (h != t) {
    if (t->critical && !ahead(s, t)) end = now;
    else if (best_effort(h) && !best_effort(t)) end = now;
    else if (best_effort(h) == best_effort(t) && t->clock < h->clock) end = s->granted_at + min_turn_of(s, h);
  }
  if (end < now) end = now;
  if (end >= s->deadline) return;
  s->deadline = end;
  s->actions->shorten(s->self, s->holder, end - now);
}

void vgpu_schedule_init(struct vgpu_schedule *s, struct vgpu_settings settings, const struct vgpu_actions *actions,
                        void *self, uint64_t now) {
  *s = (struct vgpu_schedule){
      .settings = settings, .actions = actions, .self = self, .deadline = VGPU_NEVER, .accounted_at = now};
}

void vgpu_tenant_add(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  t->credit_ns = (double)s->settings.quantum_ns;
  t->credit_at = now;
  for (const struct vgpu_tenant *o = s->tenants; o; o = o->next)
    if (best_effort(o) == best_effort(t) && o->clock > t->clock) t->clock = o->clock;
  t->next = s->tenants;
  s->tenants = t;
}

void vgpu_tenant_remove(struct vgpu_schedule *s, struct vgpu_tenant *t) {
  for (struct vgpu_tenant **p = &s->tenants; *p; p = &(*p)->next)
    if (*p == t) {
      *p = t->next;
      return;
    }
}

void vgpu_client_add(struct vgpu_schedule *s, struct vgpu_client *c, struct vgpu_tenant *t, uint64_t now) {
  *c = (struct vgpu_client){.tenant = t, .since = now, .charged_to = now, .next = s->clients};
  // A newcomer starts level with its siblings instead of ahead of all of them.
  for (struct vgpu_client *o = s->clients; o; o = o->next)
    if (o->tenant == t && o->held_ns > c->held_ns) c->held_ns = o->held_ns;
  s->clients = c;
}

void vgpu_client_gone(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now) {
  vgpu_schedule_account(s, now);
  bool held = s->holder == c;
  set_state(c, VGPU_IDLE, now);
  for (struct vgpu_client **p = &s->clients; *p; p = &(*p)->next)
    if (*p == c) {
      *p = c->next;
      break;
    }
  if (held) {
    s->holder = NULL;
    s->deadline = VGPU_NEVER;
    grant_next(s, now);
  }
}

void vgpu_client_request(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now) {
  if (c->state == VGPU_WAITING || c->state == VGPU_HOLDING) return;
  vgpu_schedule_account(s, now);
  refill(s, c->tenant, now);
  set_state(c, VGPU_WAITING, now);
  if (!s->holder) grant_next(s, now);
  else press(s, c->tenant, now);
}

void vgpu_client_release(struct vgpu_schedule *s, struct vgpu_client *c, bool again, uint64_t now) {
  vgpu_schedule_account(s, now);
  if (c->state == VGPU_HOLDING || c->state == VGPU_STRIPPED) {
    bool held = s->holder == c;
    set_state(c, again ? VGPU_WAITING : VGPU_IDLE, now);
    if (!held) return;
    s->holder = NULL;
    s->deadline = VGPU_NEVER;
    grant_next(s, now);
  } else if (again) {
    vgpu_client_request(s, c, now);
  }
}

void vgpu_holder_strip(struct vgpu_schedule *s, bool works, uint64_t now) {
  struct vgpu_client *c = s->holder;
  if (!c) return;
  vgpu_schedule_account(s, now);
  set_state(c, works ? VGPU_STRIPPED : VGPU_IDLE, now);
  s->holder = NULL;
  s->deadline = VGPU_NEVER;
  s->actions->strip(s->self, c);
  grant_next(s, now);
}

void vgpu_schedule_tick(struct vgpu_schedule *s, uint64_t now) {
  vgpu_schedule_account(s, now);
  if (!s->holder) {
    grant_next(s, now);
    return;
  }
  if (s->deadline == VGPU_NEVER || others_wait(s, now)) {
    // A limited slice may have become eligible while another one runs without end.
    for (struct vgpu_client *c = s->clients; c; c = c->next)
      if (c != s->holder && c->state == VGPU_WAITING) press(s, c->tenant, now);
  }
  if (now < s->deadline) return;
  if (!s->recalled) {
    s->recalled = true;
    s->recalled_at = now;
    s->actions->recall(s->self, s->holder);
  } else if (now - s->recalled_at >= s->settings.hang_ns) {
    vgpu_holder_strip(s, true, now);
  }
}

uint64_t vgpu_schedule_due(struct vgpu_schedule *s, uint64_t now) {
  uint64_t due = VGPU_NEVER;
  if (s->holder) {
    due = s->deadline;
    if (s->recalled) due = s->recalled_at + s->settings.hang_ns;
  }
  for (struct vgpu_client *c = s->clients; c; c = c->next) {
    struct vgpu_tenant *t = c->tenant;
    if (c->state != VGPU_WAITING || !limited(t)) continue;
    refill(s, t, now);
    double missing = start_credit(s) - t->credit_ns;
    if (missing <= 0 && s->holder && s->deadline != VGPU_NEVER) continue; // its turn comes when that one's ends
    if (missing <= 0) return now;
    uint64_t at = now + (uint64_t)(missing * 1000.0 / (t->limit ? t->limit : 1)) + 1000;
    if (at < due) due = at;
  }
  return due;
}
