// Who has which multiprocessors under MPS. A process's part of them (its active thread percentage) is settled when it
// begins and stays; so
//  - a guaranteed slice gets multiprocessors of its own, as many as its share says: it runs at the same time as all
//    others and takes turns with nobody;
//  - all others share what is left: there a turn belongs to whoever is furthest behind, and whoever fits beside it runs
//    at the same time (schedule.c). What one of them leaves idle, the others have.
// A guaranteed slice that comes when processes are running that were given more than would be left takes turns like the
// others, within its ceiling: its share holds all the same.
#include "server.h"

#define LEAST_MILLI 10 // a process cannot do with none

struct vgpu_schedule *schedule_of(struct server *s, struct slice *x) { return x->spatial ? &x->own : &s->schedule; }

static uint32_t reserved(const struct server *s, const struct slice *except) {
  uint32_t sum = 0;
  for (const struct slice *x = s->slices; x; x = x->next)
    if (x != except && x->spatial && !x->removed) sum += x->width;
  return sum < 1000 ? sum : 1000;
}

// The most that a running process of those who share was given.
static uint32_t widest(const struct server *s) {
  uint32_t most = 0;
  for (const struct process *p = s->processes; p; p = p->next)
    if (!p->slice->spatial && p->mps_milli > most) most = p->mps_milli;
  return most;
}

uint32_t spatial_width(const struct server *s, const struct slice *x) {
  if (!x->config.mps[0]) return 0;
  uint32_t width = x->spatial ? x->width : 1000 - reserved(s, NULL);
  return width > LEAST_MILLI ? width : LEAST_MILLI;
}

const char *spatial_place(struct server *s, struct slice *x, uint64_t now) {
  // Processes without MPS and those under it take turns by hardware, whatever is decided here.
  for (const struct slice *o = s->slices; o; o = o->next)
    if (!o->removed && !o->config.mps[0] != !x->config.mps[0]) return "mixed";
  if (!x->config.mps[0] || x->config.qos != VGPU_QOS_GUARANTEED || x->config.limit != x->config.share) return NULL;
  // An arbiter that took over does not know what those processes have that will come back to it.
  if (s->loading ? !x->config.spatial : reserved(s, x) + x->config.share + widest(s) > 1000) return NULL;
  x->spatial = x->config.spatial = true;
  x->width = x->config.share;
  vgpu_schedule_init(&x->own, s->schedule.settings, &process_actions, s, now);
  return NULL;
}

void spatial_apply(struct server *s, struct slice *x) {
  if (!x->spatial) return;
  uint32_t room = 1000 - reserved(s, x);
  x->width = x->config.share < room ? x->config.share : room;
  x->own.capacity = x->own.whole = x->width;
  x->tenant.share = x->tenant.limit = 1000; // of what is its own
}

void spatial_update(struct server *s) {
  bool mps = false;
  for (const struct slice *x = s->slices; x; x = x->next) mps |= !x->removed && x->config.mps[0];
  uint32_t rest = 1000 - reserved(s, NULL);
  s->schedule.capacity = !mps ? 0 : rest > LEAST_MILLI ? rest : LEAST_MILLI;
  for (struct slice *x = s->slices; x; x = x->next) {
    if (!x->row) continue;
    x->row->mps_milli = spatial_width(s, x);
    x->row->spatial = x->spatial;
    // A ceiling is of the whole device, and turns are of what is left of it.
    if (!x->spatial && x->config.limit < 1000 && s->schedule.capacity) {
      uint64_t limit = (uint64_t)x->config.limit * 1000 / s->schedule.capacity;
      x->tenant.limit = limit < 1000 ? (uint32_t)limit : 1000;
    }
  }
}
