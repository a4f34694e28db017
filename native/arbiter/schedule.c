#include "claims.h"
#include "echo.h"

#include <string.h>

static uint32_t occupied(const struct vgpu_schedule *s) {
  uint32_t sum = 0;
  for (const struct vgpu_client *c = s->clients; c; c = c->next)
    if (holds(c)) sum += width_of(s, c);
  return sum;
}

static void set_state(struct vgpu_client *c, enum vgpu_client_state state, uint64_t now) {
  bool wanted = c->state == VGPU_WAITING || holds(c);
  bool wants = state == VGPU_WAITING || state == VGPU_HOLDING || state == VGPU_BESIDE;
  if (wants && !wanted) c->tenant->wanting++;
  if (wanted && !wants) c->tenant->wanting--;
  if (c->state == VGPU_WAITING) c->tenant->waiting--;
  if (state == VGPU_WAITING) c->tenant->waiting++;
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

// Among the slices that are within their limits: 1. that of a gang that is up; 2. critical ones that are not ahead;
// 3. slices with a share before best-effort ones; 4. the slice that is furthest behind what it was a second ago (echo.h;
// where turns are shared, and among best-effort ones: that is furthest behind); 5. by id.
static bool before_after(const struct vgpu_schedule *s, const struct vgpu_tenant *a, const struct vgpu_tenant *b,
                         uint64_t ahead_ns) {
  if (a->up != b->up) return a->up;
  bool a_first = a->critical && !ahead(s, a), b_first = b->critical && !ahead(s, b);
  if (a_first != b_first) return a_first;
  if (best_effort(a) != best_effort(b)) return best_effort(b);
  if (!s->capacity && !best_effort(a)) {
    double of_a = vgpu_echo_claim(s, a, ahead_ns), of_b = vgpu_echo_claim(s, b, ahead_ns);
    if (of_a != of_b) return of_a > of_b;
  }
  if (a->clock != b->clock) return a->clock < b->clock;
  return strcmp(a->id, b->id) < 0;
}

static bool before(const struct vgpu_schedule *s, const struct vgpu_tenant *a, const struct vgpu_tenant *b) {
  return before_after(s, a, b, 0);
}

static struct vgpu_tenant *next_tenant(struct vgpu_schedule *s, uint64_t now) {
  struct vgpu_tenant *best = NULL;
  for (struct vgpu_tenant *t = s->tenants; t; t = t->next)
    if (t->waiting && vgpu_eligible(s, t, now) && (!best || before(s, t, best))) best = t;
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
    if (c != s->holder && c->state == VGPU_WAITING && vgpu_eligible(s, c->tenant, now)) return true;
  return false;
}

// When the holder's turn ends with its gang's time. After that it may go on for one more piece of work, as the members do
// for which another one waits: a turn this short is good for no more.
static uint64_t up_end(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return t->up_until > s->granted_at ? t->up_until : s->granted_at + VGPU_ONE_PIECE_NS;
}

// The shortest turn. One that memory was moved for is worth its whole length.
static uint64_t min_turn_of(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  return t->quantum_ns ? quantum_of(s, t) : s->settings.min_turn_ns;
}

// Whether a slice had more than two turns' worth more than one that waits. It gets no place for nothing: it could keep
// that one waiting, again and again, with work that outlasts the turn.
static bool ahead_of_waiting(const struct vgpu_schedule *s, const struct vgpu_tenant *t) {
  for (const struct vgpu_tenant *o = s->tenants; o; o = o->next)
    if (o != t && !best_effort(o) && o->waiting && t->clock > o->clock + (double)s->settings.quantum_ns * 2000.0 / weight(t))
      return true;
  return false;
}

// Who among those that wait has a place beside the turn's holders: as in `before`, then by what it had so far. A slice
// with a ceiling pays for its turns alone.
static struct vgpu_client *next_beside(const struct vgpu_schedule *s) {
  struct vgpu_client *best = NULL;
  uint32_t used = occupied(s);
  for (struct vgpu_client *c = s->clients; c; c = c->next) {
    if (c->state != VGPU_WAITING || limited(c->tenant) || used + width_of(s, c) > s->capacity) continue;
    if (ahead_of_waiting(s, c->tenant)) continue;
    if (!best || (c->tenant != best->tenant ? before(s, c->tenant, best->tenant) : c->held_ns < best->held_ns)) best = c;
  }
  return best;
}

// The end of the turn, counted from its beginning; 0: none.
static uint64_t quantum(const struct vgpu_schedule *s) {
  return s->deadline == VGPU_NEVER ? 0 : s->deadline - s->granted_at;
}

// The next turn begins: `leader` pays for it. Others may still be finishing the last one beside it.
static void begin(struct vgpu_schedule *s, struct vgpu_client *leader, uint64_t now) {
  set_state(leader, VGPU_HOLDING, now);
  s->holder = leader;
  s->granted_at = now;
  s->recalled = false;
  s->handovers++;
  struct vgpu_client *rest = NULL;
  for (struct vgpu_client *c = s->clients; c && !rest; c = c->next)
    if (c->state == VGPU_BESIDE) rest = c;
  uint64_t quantum_ns = quantum_of(s, leader->tenant);
  s->deadline = vgpu_credit_deadline(leader->tenant, now);
  if (s->capacity && !limited(leader->tenant) && !rest)
    for (struct vgpu_client *c; (c = next_beside(s));) set_state(c, VGPU_BESIDE, now);
  uint64_t end = now + quantum_ns;
  if (leader->tenant->up) end = up_end(s, leader->tenant);
  // Where gangs meet, on whatever device, their time ends everywhere.
  if ((others_wait(s, now) || leader->tenant->rivals) && end < s->deadline) s->deadline = end;
  s->actions->grant(s->self, leader, quantum(s));
  for (struct vgpu_client *c = s->clients; c && !rest; c = c->next)
    if (c->state == VGPU_BESIDE) s->actions->grant(s->self, c, quantum(s));
}

static void grant_next(struct vgpu_schedule *s, uint64_t now) {
  struct vgpu_tenant *t;
  while (!s->holder && (t = next_tenant(s, now))) {
    struct vgpu_client *c = next_client(s, t);
    if (t->gang && !t->up && s->actions->claim && !s->actions->claim(s->self, c, now)) t->barred = true;
    else begin(s, c, now);
  }
}

// Lets others in beside the holders while the turn is worth it.
static void fill(struct vgpu_schedule *s, uint64_t now) {
  if (!s->capacity || !s->holder || s->recalled || limited(s->holder->tenant)) return;
  if (s->deadline != VGPU_NEVER && s->deadline < now + s->settings.min_turn_ns) return;
  for (struct vgpu_client *c; (c = next_beside(s));) {
    set_state(c, VGPU_BESIDE, now);
    s->actions->grant(s->self, c, quantum(s));
  }
}

// Somebody stopped holding. The turn goes on while anybody is left who holds it; a turn that is over makes way for the
// next one as soon as that fits beside those who are still finishing.
static void left(struct vgpu_schedule *s, uint64_t now) {
  struct vgpu_client *rest = s->clients;
  while (rest && !holds(rest)) rest = rest->next;
  if (!rest) {
    s->holder = NULL;
    s->deadline = VGPU_NEVER;
    grant_next(s, now);
  } else if (s->holder->state == VGPU_HOLDING) {
    fill(s, now);
  } else {
    struct vgpu_tenant *t = s->recalled || now >= s->deadline ? next_tenant(s, now) : NULL;
    struct vgpu_client *next = t ? next_client(s, t) : NULL;
    if (next && !limited(t) && occupied(s) + width_of(s, next) <= s->capacity) {
      begin(s, next, now);
      return;
    }
    s->holder = rest;
    rest->state = VGPU_HOLDING;
    fill(s, now);
  }
}

// Brings the holder's deadline forward now that `t` waits.
static void press(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now) {
  struct vgpu_tenant *h = s->holder->tenant;
  if (!vgpu_eligible(s, t, now) && !(t->barred && h->up)) return;
  uint64_t end = s->granted_at + quantum_of(s, h);
  if (h != t) {
    if (t->critical && !ahead(s, t)) end = now;
    else if (best_effort(h) && !best_effort(t)) end = now;
    else if (best_effort(h) == best_effort(t) && t->clock < h->clock) end = s->granted_at + min_turn_of(s, h);
  }
  // A gang has its time on all of its devices or on none.
  if (t->up && !h->up) end = now;
  else if (h->up) end = up_end(s, h);
  if (end < now) end = now;
  if (end >= s->deadline) return;
  s->deadline = end;
  for (struct vgpu_client *c = s->clients; c; c = c->next)
    if (holds(c)) s->actions->shorten(s->self, c, end - now);
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
  bool held = holds(c);
  set_state(c, VGPU_IDLE, now);
  for (struct vgpu_client **p = &s->clients; *p; p = &(*p)->next)
    if (*p == c) {
      *p = c->next;
      break;
    }
  if (held) left(s, now);
}

void vgpu_client_request(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now) {
  if (c->state == VGPU_WAITING || holds(c)) return;
  vgpu_schedule_account(s, now);
  vgpu_credit_refill(s, c->tenant, now);
  set_state(c, VGPU_WAITING, now);
  if (!s->holder) grant_next(s, now);
  else fill(s, now);
  if (c->state == VGPU_WAITING && s->holder) press(s, c->tenant, now);
}

void vgpu_client_release(struct vgpu_schedule *s, struct vgpu_client *c, bool again, uint64_t now) {
  vgpu_schedule_account(s, now);
  if (holds(c) || c->state == VGPU_STRIPPED) {
    bool held = holds(c);
    if (c->state == VGPU_HOLDING && now >= s->deadline) vgpu_echo_turn(c->tenant, now - c->since);
    set_state(c, again ? VGPU_WAITING : VGPU_IDLE, now);
    if (held) left(s, now);
    if (s->capacity && c->state == VGPU_WAITING && s->holder) press(s, c->tenant, now);
  } else if (again) {
    vgpu_client_request(s, c, now);
  }
}

void vgpu_holder_strip(struct vgpu_schedule *s, bool works, uint64_t now) {
  struct vgpu_client *c = s->holder;
  if (!c) return;
  vgpu_schedule_account(s, now);
  set_state(c, works ? VGPU_STRIPPED : VGPU_IDLE, now);
  s->actions->strip(s->self, c);
  left(s, now);
}

struct vgpu_client *vgpu_schedule_heir(struct vgpu_schedule *s, uint64_t now) {
  struct vgpu_tenant *t = next_tenant(s, now);
  if (!t) return NULL;
  struct vgpu_client *heir = next_client(s, t);
  if (!s->holder || s->deadline == VGPU_NEVER || t == s->holder->tenant) return heir;
  struct vgpu_tenant after = *s->holder->tenant;
  uint64_t rest = s->deadline > now ? s->deadline - now : 0;
  after.clock += (double)rest * 1000.0 / weight(&after);
  return before_after(s, &after, t, rest) ? NULL : heir;
}

// A gang's kernels may wait for its others: then they do not end, and only the others' turn helps. Contexts of a device
// take turns in hardware too, so that it is no harm to go on without them.
static uint64_t patience(const struct vgpu_schedule *s) {
  return s->holder->tenant->gang ? s->settings.quantum_ns : s->settings.hang_ns;
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
    for (struct vgpu_client *c = s->clients; c; c = c->next)
      if (holds(c)) s->actions->recall(s->self, c);
  } else if (now - s->recalled_at >= patience(s)) {
    vgpu_holder_strip(s, true, now);
  }
}

uint64_t vgpu_schedule_due(struct vgpu_schedule *s, uint64_t now) {
  uint64_t due = VGPU_NEVER;
  if (s->holder) {
    due = s->deadline;
    if (s->recalled) due = s->recalled_at + patience(s);
  }
  for (struct vgpu_client *c = s->clients; c; c = c->next) {
    struct vgpu_tenant *t = c->tenant;
    if (c->state != VGPU_WAITING || !limited(t)) continue;
    vgpu_credit_refill(s, t, now);
    double missing = start_credit(s, t) - t->credit_ns;
    if (missing <= 0 && s->holder && s->deadline != VGPU_NEVER) continue; // its turn comes when that one's ends
    if (missing <= 0) return now;
    uint64_t at = now + (uint64_t)(missing * 1000.0 / (t->limit ? t->limit : 1)) + 1000;
    if (at < due) due = at;
  }
  return due;
}
