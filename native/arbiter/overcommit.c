// Carries out what paging.c plans. Everything that is read here stands in the accounts, which a slice's processes can
// write to: a slice is believed to use what it claims as far as its cap allows it to use that much. Whoever lies does
// to the others what it might do to them honestly.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

#define ACTIVE_NS 1000000000ull
#define BANDWIDTH 20000000000ull       // bytes a second, until moves were timed
#define TIMED_BYTES (64ull << 20)      // how many bytes make a measurement
#define PATIENCE_NS 100000000ull       // longest pause of a holder that is put up with, so as not to move memory for it

struct wish {
  struct process *process;
  struct vgpu_paging_demand demand;
  uint64_t last; // when it last had or wanted the device
};

uint64_t overcommit_host_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes / 5 * 4 : 0;
}

const char *overcommit_admits(const struct server *s, const struct slice *changed, const struct vgpu_slice_config *c) {
  if (!c->overcommit || s->device_memory == 0) return NULL;
  uint64_t all = c->memory, movable = c->memory;
  for (const struct slice *x = s->slices; x; x = x->next) {
    if (x == changed || x->removed) continue;
    all += x->config.memory;
    if (x->config.overcommit) movable += x->config.memory;
  }
  if (c->scaling) {
    if (c->memory == 0) return "uncapped";
    if ((double)all > (double)s->device_memory * c->scaling / 1000.0) return "overcommitted";
  }
  if (s->host_memory && movable > s->host_memory) return "host_memory";
  return NULL;
}

uint64_t overcommit_physical_cap(const struct server *s, const struct vgpu_slice_config *c) {
  if (s->device_memory == 0 || c->scaling <= 1000 || c->memory == 0) return 0;
  uint64_t part = (uint64_t)((double)c->memory * 1000.0 / c->scaling);
  return part ? part : 1;
}

// What of the device is left for memory that can move: without what cannot, and what its driver needs to move anything.
static uint64_t capacity(const struct server *s) {
  uint64_t pinned = s->device_memory / 64;
  for (const struct slice *x = s->slices; x; x = x->next) {
    uint64_t mine = x->account->pinned + x->account->overhead;
    uint64_t cap = x->config.memory ? x->config.memory : s->device_memory;
    pinned += mine < cap ? mine : cap;
  }
  return pinned < s->device_memory ? s->device_memory - pinned : 0;
}

static bool holds(const struct process *p) {
  return p->client.state == VGPU_HOLDING || p->client.state == VGPU_BESIDE;
}

static bool active(const struct process *p, uint64_t now) {
  return p->client.state == VGPU_WAITING || holds(p) ||
         (p->slice->requested_at && now - p->slice->requested_at < ACTIVE_NS);
}

static int by_claim(const void *a, const void *b) {
  const struct wish *x = a, *y = b;
  if (x->demand.holds != y->demand.holds) return x->demand.holds ? -1 : 1;
  if (x->demand.heir != y->demand.heir) return x->demand.heir ? -1 : 1;
  if (x->demand.waits != y->demand.waits) return x->demand.waits ? -1 : 1;
  if (x->demand.waits && x->process->slice->tenant.clock != y->process->slice->tenant.clock)
    return x->process->slice->tenant.clock < y->process->slice->tenant.clock ? -1 : 1;
  if (x->last != y->last) return x->last > y->last ? -1 : 1;
  return x->process->pid < y->process->pid ? -1 : x->process->pid > y->process->pid;
}

// The wishes of all processes whose memory can leave the device, most entitled first.
static size_t collect(struct server *s, uint64_t now, struct wish **out) {
  static struct wish *wishes;
  static size_t room;
  size_t n = 0;
  const struct vgpu_client *heir = vgpu_schedule_heir(&s->schedule, now);
  for (struct slice *x = s->slices; x; x = x->next) {
    if (!x->config.overcommit) continue;
    uint64_t sets = x->config.memory && x->config.memory < s->device_memory ? x->config.memory : s->device_memory;
    uint64_t resident = sets;
    for (struct process *p = s->processes; p; p = p->next) {
      if (p->slice != x || !p->greeted) continue;
      if (n == room) {
        size_t more = room ? room * 2 : 64;
        struct wish *bigger = realloc(wishes, more * sizeof *bigger);
        if (!bigger) break;
        wishes = bigger;
        room = more;
      }
      const struct vgpu_slot *slot = &x->account->slot[p->slot];
      uint64_t set = slot->working_set, there = slot->resident;
      if (set > sets) set = sets;
      if (there > resident) there = resident;
      sets -= set;
      resident -= there;
      wishes[n++] = (struct wish){p,
                                  {.working_set = set,
                                   .resident = there,
                                   .holds = holds(p),
                                   .heir = heir == &p->client,
                                   .waits = p->client.state == VGPU_WAITING},
                                  p->client.since};
    }
  }
  if (n) qsort(wishes, n, sizeof *wishes, by_claim);
  *out = wishes;
  return n;
}

static struct vgpu_slot *slot_of(const struct process *p) { return &p->slice->account->slot[p->slot]; }

void overcommit_update(struct server *s, uint64_t now) {
  if (!s->overcommitted || s->device_memory == 0) return;
  struct wish *wishes;
  size_t n = collect(s, now, &wishes);
  uint64_t fits = capacity(s);
  static struct vgpu_paging_demand *demands;
  struct vgpu_paging_demand *bigger = realloc(demands, (n ? n : 1) * sizeof *bigger);
  if (!bigger) return;
  demands = bigger;
  for (size_t i = 0; i < n; i++) demands[i] = wishes[i].demand;
  vgpu_paging_plan(demands, n, fits);
  for (size_t i = 0; i < n; i++) {
    struct vgpu_slot *slot = slot_of(wishes[i].process);
    if (slot->room != fits) slot->room = fits;
    uint64_t before = atomic_exchange(&slot->keep, demands[i].keep);
    // The holder looks when it gives back; the others have to be told.
    if (demands[i].holds || demands[i].keep >= before || wishes[i].demand.resident <= demands[i].keep) continue;
    atomic_fetch_add(&slot->bell, 1);
    vgpu_futex_wake(&slot->bell, 1 << 30);
  }
}

void overcommit_granted(struct server *s, const struct process *holder) {
  if (!s->overcommitted || s->device_memory == 0) return;
  struct wish *wishes;
  size_t n = collect(s, vgpu_now_ns(), &wishes);
  uint64_t fits = capacity(s), there = 0;
  for (size_t i = 0; i < n; i++) {
    const struct vgpu_paging_demand *d = &wishes[i].demand;
    bool own = wishes[i].process == holder;
    there += own && d->working_set > d->resident ? d->working_set : d->resident;
  }
  if (there <= fits) return;
  // They did not all let go (yet, or at all): the driver makes room, of whose memory nobody knows.
  for (size_t i = 0; i < n; i++)
    if (wishes[i].process != holder && wishes[i].demand.resident) atomic_fetch_add(&slot_of(wishes[i].process)->disturbed, 1);
}

// Bytes a second between host and device, as the slice's processes timed their moves.
static void measure_bandwidth(struct server *s, struct slice *x) {
  uint64_t bytes = 0, ns = 0;
  for (const struct process *p = s->processes; p; p = p->next)
    if (p->slice == x && p->greeted) bytes += slot_of(p)->timed, ns += slot_of(p)->moving_ns;
  if (bytes < x->timed_bytes || ns < x->timed_ns) x->timed_bytes = x->timed_ns = 0; // a process has ended
  uint64_t more = bytes - x->timed_bytes, took = ns - x->timed_ns;
  if (x->bandwidth == 0) x->bandwidth = BANDWIDTH;
  if (more < TIMED_BYTES || took == 0) return;
  x->timed_bytes = bytes;
  x->timed_ns = ns;
  double now = (double)more * 1e9 / (double)took;
  if (now < 1e8) now = 1e8;
  if (now > 1e12) now = 1e12;
  x->bandwidth = (uint64_t)((double)x->bandwidth / 2 + now / 2);
}

static bool promised_beside(const struct server *s, const struct slice *x) {
  for (const struct slice *o = s->slices; o; o = o->next)
    if (o != x && o->processes && (o->config.critical || o->config.qos == VGPU_QOS_GUARANTEED)) return true;
  return false;
}

void overcommit_set_quanta(struct server *s, uint64_t now) {
  struct wish *wishes = NULL;
  size_t n = s->overcommitted && s->device_memory ? collect(s, now, &wishes) : 0;
  uint64_t sum = 0, fits = n ? capacity(s) : 0;
  uint32_t about = 0; // slices that want the device
  for (size_t i = 0; i < n; i++)
    if (active(wishes[i].process, now)) sum += wishes[i].demand.working_set;
  for (const struct slice *x = s->slices; x; x = x->next)
    about += x->config.overcommit && x->processes && (x->tenant.wanting || now - x->requested_at < ACTIVE_NS);
  for (struct slice *x = s->slices; x; x = x->next) {
    x->tenant.quantum_ns = 0;
    x->account->idle_ns = s->idle_ns;
    if (!x->config.overcommit || n == 0) continue;
    measure_bandwidth(s, x);
    uint64_t largest = 0;
    for (size_t i = 0; i < n; i++)
      if (wishes[i].process->slice == x && wishes[i].demand.working_set > largest) largest = wishes[i].demand.working_set;
    uint64_t cost = vgpu_paging_cost(sum, largest, fits, x->bandwidth);
    x->tenant.quantum_ns = vgpu_paging_quantum(&s->paging, cost, promised_beside(s, x) ? about ? about : 1 : 0);
    // A pause is cheaper than a hand-over as long as it is shorter.
    uint64_t patience = cost < PATIENCE_NS ? cost : PATIENCE_NS;
    if (patience > s->idle_ns) x->account->idle_ns = patience;
  }
}

void overcommit_report(struct server *s, struct slice *x) {
  struct vgpu_ledger_row *row = x->row;
  uint64_t set = 0, there = 0, in = x->gone_in, out = x->gone_out, moving = x->gone_moving;
  for (const struct process *p = s->processes; p; p = p->next) {
    if (p->slice != x || !p->greeted) continue;
    const struct vgpu_slot *slot = slot_of(p);
    set += slot->working_set;
    there += slot->resident;
    in += slot->paged_in;
    out += slot->paged_out;
    moving += slot->moving_ns;
  }
  row->physical_cap = x->account->physical_cap;
  row->physical_used = x->account->pinned + x->account->overhead;
  row->working_set = set;
  row->resident = there;
  row->paged_in = in;
  row->paged_out = out;
  row->moving_ns = moving;
  row->quantum_ns = x->tenant.quantum_ns > s->schedule.settings.quantum_ns ? x->tenant.quantum_ns
                                                                           : s->schedule.settings.quantum_ns;
  row->bandwidth = x->bandwidth;
}
