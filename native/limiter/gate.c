// The gate: who may submit work when.
#include <sched.h>
#include <stdlib.h>

#include "../common/futex.h"
#include "gate_state.h"

#define FENCE_NS 10000000ull // a fence at least every so much work, more often where the queue is kept short
#define FENCE_COUNT 256u // and after so many pieces of work; while the device is ours alone after more
#define FENCE_COUNT_ALONE 1024u

static void ring(struct vgpu_slot *slot) {
  atomic_fetch_add(&slot->bell, 1);
  vgpu_futex_wake(&slot->bell, 1);
}

void vgpu_gate_bell(struct vgpu_gate *g) { ring(g->member->slot); }

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

struct vgpu_gate *vgpu_gate_of(struct vgpu_member *m, const struct vgpu_fences *fences) {
  struct vgpu_gate *g = __atomic_load_n(&m->gate, __ATOMIC_ACQUIRE);
  if (g) return g;
  pthread_mutex_lock(&making);
  if (!(g = m->gate) && (g = calloc(1, sizeof *g))) {
    g->member = m;
    g->fences = fences;
    g->last = &g->first;
    vgpu_visitors_prepare(g);
    pthread_mutex_init(&g->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&g->changed, &monotonic);
    __atomic_store_n(&m->gate, g, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&making);
  return g;
}

static uint64_t estimate_of(struct vgpu_gate *g, uint64_t key) {
  uint64_t ns = atomic_load_explicit(&vgpu_estimate_of(&g->estimates, key)->ns, memory_order_relaxed);
  return ns ? ns : VGPU_UNKNOWN_NS;
}

static bool held(const struct vgpu_gate *g, uint32_t turn) {
  return VGPU_TURN_STATE(turn) == VGPU_TURN_HELD &&
         VGPU_TURN_GENERATION(turn) + 1 != atomic_load_explicit(&g->given_back, memory_order_relaxed);
}

uint64_t vgpu_turn_end(const struct vgpu_slot *slot, uint64_t now) {
  if (!atomic_load_explicit(&slot->contended, memory_order_relaxed)) return UINT64_MAX;
  uint64_t granted = slot->granted_ns, quantum = slot->quantum_ns;
  // A clock namespace shifts the clock: then the arbiter's word decides, when it comes.
  if (granted > now + 1000000000ull || now - granted > 3600000000000ull) return UINT64_MAX;
  return granted + quantum;
}

bool vgpu_outgrown(const struct vgpu_gate *g) {
  uint32_t said = g->member->width;
  return said && atomic_load_explicit(&g->width, memory_order_relaxed) > said;
}

void vgpu_width_to_ask(struct vgpu_gate *g) {
  struct vgpu_member *m = g->member;
  uint32_t width = atomic_load(&g->width);
  if (width < g->last_width) width = g->last_width;
  m->width = width < m->mps_milli ? width : 0;
}

// Whether a piece of work that takes `estimate` may be submitted now. `*over`: the turn has no room for it any more.
static bool fits(struct vgpu_gate *g, uint64_t estimate, bool *over) {
  struct vgpu_slot *slot = g->member->slot;
  uint64_t outstanding = atomic_load_explicit(&g->outstanding_ns, memory_order_relaxed);
  uint64_t budget = g->member->account->queue_ns;
  *over = vgpu_outgrown(g);
  if (*over) return false;
  if (atomic_load_explicit(&slot->contended, memory_order_relaxed)) {
    uint64_t now = vgpu_now_ns(), end = vgpu_turn_end(slot, now);
    if (end != UINT64_MAX) {
      uint64_t left = end > now ? end - now : 0;
      // Every turn is good for one piece of work, however long: what it takes too much is paid back.
      uint32_t turn = VGPU_TURN_GENERATION(atomic_load_explicit(&slot->turn, memory_order_relaxed)) + 1;
      if (outstanding == 0 && atomic_load_explicit(&g->used_turn, memory_order_relaxed) != turn) return true;
      // The members of a gang begin their kernels together, and so must stop together: by the clock, which they share.
      bool gang = g->member->config.gang[0] != 0;
      // The last piece is started if the larger part of it fits.
      if (gang ? left < VGPU_GANG_REST_NS : left == 0 || (outstanding == 0 && left < estimate / 2)) {
        *over = true;
        return false;
      }
      if (budget == 0 || left < budget) budget = left;
    }
  }
  return budget == 0 || outstanding == 0 || outstanding + estimate <= budget;
}

void vgpu_gate_wait(struct vgpu_gate *g, uint64_t ns) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  uint64_t t = (uint64_t)until.tv_sec * 1000000000ull + (uint64_t)until.tv_nsec + ns;
  until.tv_sec = (time_t)(t / 1000000000ull);
  until.tv_nsec = (long)(t % 1000000000ull);
  pthread_cond_timedwait(&g->changed, &g->mutex, &until);
}

// Lost its arbiter: as another one takes over, all begins anew.
static bool reattach(struct vgpu_gate *g) {
  struct vgpu_slot *before = g->member->slot;
  pthread_mutex_unlock(&g->mutex);
  bool good = vgpu_member_attach(g->member);
  pthread_mutex_lock(&g->mutex);
  if (good && g->member->slot != before) {
    g->requested = false;
    g->given_back = 0;
    if (before) ring(before); // the gate's thread may sleep there
  }
  return good;
}

// With the mutex held; comes back inside. False: refused for good.
static bool wait_for_room(struct vgpu_gate *g, struct vgpu_visitor *v, uint64_t estimate) {
  uint64_t entered = vgpu_now_ns();
  g->waiters++;
  bool good = true;
  for (;;) {
    struct vgpu_member *m = g->member;
    if (!m->account && !(good = reattach(g))) break;
    if (m->account->removed) m->failed = true;
    if (m->failed) {
      good = false;
      break;
    }
    vgpu_gate_follow(g);
    struct vgpu_slot *slot = m->slot;
    uint32_t turn = atomic_load(&slot->turn);
    if (held(g, turn) && !g->closed) {
      bool over;
      if (fits(g, estimate, &over)) break;
      if (over) {
        g->enough = true;
        vgpu_gate_bell(g);
        vgpu_gate_wait(g, VGPU_STUCK_NS);
        if (!vgpu_member_alive(m) && !(good = reattach(g))) break;
        continue;
      }
      uint64_t seen = g->moved_ns;
      pthread_mutex_unlock(&g->mutex);
      vgpu_fence_all(g); // so that what is finished is seen to be
      pthread_mutex_lock(&g->mutex);
      vgpu_gate_bell(g);
      if (g->moved_ns != seen) continue;
      vgpu_gate_wait(g, VGPU_STUCK_NS);
      if (g->moved_ns == seen && held(g, atomic_load(&slot->turn)) && !g->closed &&
          vgpu_now_ns() - entered >= VGPU_STUCK_NS)
        break;
      continue;
    }
    if (g->closed || VGPU_TURN_STATE(turn) != VGPU_TURN_NONE) {
      // The turn is being given back, or was and the arbiter has yet to take note.
      if (g->closed) vgpu_gate_wait(g, VGPU_STUCK_NS);
      else {
        pthread_mutex_unlock(&g->mutex);
        vgpu_futex_wait(&slot->turn, turn, 10000000);
        pthread_mutex_lock(&g->mutex);
      }
      if (!vgpu_member_alive(m) && !(good = reattach(g))) break;
      continue;
    }
    // A turn that came and went while this process could not run answered the request.
    if (!g->requested || g->requested_in != VGPU_TURN_GENERATION(turn)) {
      vgpu_width_to_ask(g);
      g->requested = vgpu_member_send(m, VGPU_REQUEST, 0, 0);
      g->requested_in = VGPU_TURN_GENERATION(turn);
    }
    pthread_mutex_unlock(&g->mutex);
    vgpu_futex_wait(&slot->turn, turn, 100000000);
    pthread_mutex_lock(&g->mutex);
    if (VGPU_TURN_STATE(atomic_load(&slot->turn)) == VGPU_TURN_NONE && !vgpu_member_alive(m) && !(good = reattach(g)))
      break;
  }
  g->waiters--;
  if (good) {
    g->requested = false;
    visitor_enter(g, v); // with the mutex held, so that the turn is not given back for want of work
    atomic_fetch_add_explicit(&g->member->slot->wait_ns, vgpu_now_ns() - entered, memory_order_relaxed);
  }
  return good;
}

// Once counted as inside: if the turn stands now, it stands until exit.
static bool open_now(const struct vgpu_gate *g, const struct vgpu_slot *slot) {
  return held(g, atomic_load_explicit(&slot->turn, memory_order_acquire)) &&
         !atomic_load_explicit(&g->closed, memory_order_acquire);
}

bool vgpu_gate_enter(struct vgpu_gate *g, uint64_t key) {
  struct vgpu_slot *slot = g->member->slot;
  struct vgpu_visitor *v = vgpu_visitor_of(g);
  if (!v) return false;
  uint64_t estimate = estimate_of(g, key);
  v->key = key;
  v->estimate_ns = estimate;
  if (slot) {
    bool over;
    visitor_enter(g, v);
    if (open_now(g, slot) && fits(g, estimate, &over)) return true;
    visitor_exit(v);
  }
  for (;;) {
    pthread_mutex_lock(&g->mutex);
    bool good = wait_for_room(g, v, estimate);
    pthread_mutex_unlock(&g->mutex);
    if (!good) return false;
    if (open_now(g, g->member->slot)) return true;
    visitor_exit(v);
  }
}

void vgpu_gate_moves(struct vgpu_lane *lane, uint64_t bytes) {
  struct vgpu_gate *g = lane->gate;
  lane_lock(lane);
  if (lane->count++ == 0) {
    lane->first_ns = vgpu_now_ns();
    atomic_fetch_add_explicit(&g->unfenced, 1, memory_order_relaxed);
  }
  lane->moving += bytes;
  lane_unlock(lane);
  vgpu_fence_lane(g, lane);
  vgpu_gate_bell(g);
}

void vgpu_gate_exit(struct vgpu_lane *lane, uint64_t key, bool submitted) {
  struct vgpu_gate *g = lane->gate;
  struct vgpu_visitor *v = vgpu_visitor_of(g);
  if (submitted) {
    struct vgpu_slot *slot = g->member->slot;
    uint64_t estimate = v->key == key ? v->estimate_ns : estimate_of(g, key);
    lane_lock(lane);
    if (lane->count++ == 0) {
      lane->first_ns = vgpu_now_ns();
      atomic_fetch_add_explicit(&g->unfenced, 1, memory_order_relaxed);
    }
    lane->uncounted++;
    lane->estimate_ns += estimate;
    uint32_t i = 0;
    while (i < lane->n_keys && lane->keys[i] != key) i++;
    if (i == lane->n_keys) {
      if (i < 8) lane->keys[lane->n_keys++] = key;
      else lane->other_keys++;
    }
    uint64_t queue = g->member->account->queue_ns;
    uint32_t most = atomic_load_explicit(&slot->contended, memory_order_relaxed) ? FENCE_COUNT : FENCE_COUNT_ALONE;
    bool due = lane->count >= most || (lane->own_thread && !vgpu_lane_by_others(g)) ||
               lane->estimate_ns >= (queue && queue / 4 < FENCE_NS ? queue / 4 : FENCE_NS);
    lane_unlock(lane);
    uint32_t turn = VGPU_TURN_GENERATION(atomic_load_explicit(&slot->turn, memory_order_relaxed)) + 1;
    if (atomic_load_explicit(&g->used_turn, memory_order_relaxed) != turn)
      atomic_store_explicit(&g->used_turn, turn, memory_order_relaxed);
    if (due) {
      vgpu_fence_lane(g, lane);
      vgpu_gate_bell(g);
    }
  }
  visitor_exit(v);
}
