// Lanes, one for each stream, and the fences behind their work.
#include <stdlib.h>
#include <string.h>

#include "../common/futex.h"
#include "gate_state.h"

static _Atomic uint64_t era = 1;
uint64_t vgpu_lane_era(void) { return atomic_load_explicit(&era, memory_order_acquire); }

static size_t lane_index(const void *context, const void *stream) {
  uint64_t h = ((uint64_t)(uintptr_t)stream ^ (uint64_t)(uintptr_t)context << 1) * 0x9E3779B97F4A7C15ull;
  return h >> 56;
}

struct vgpu_lane *vgpu_lane_of(struct vgpu_gate *g, void *context, void *stream, bool own_thread) {
  pthread_mutex_lock(&g->mutex);
  struct vgpu_lane **head = &g->lanes[lane_index(context, stream)], *lane = *head;
  while (lane && (lane->stream != stream || lane->context != context)) lane = lane->next;
  if (!lane && (lane = calloc(1, sizeof *lane))) {
    *lane = (struct vgpu_lane){.stream = stream, .context = context, .gate = g, .own_thread = own_thread, .next = *head,
                               .member = g->member, .mps = g->member->mps_milli != 0};
    *head = lane;
  }
  pthread_mutex_unlock(&g->mutex);
  return lane;
}

void vgpu_lane_occupies(struct vgpu_lane *lane, uint32_t width) {
  if (width == 0) width = 1000;
  if (width <= lane->width) return;
  lane_lock(lane);
  if (width > lane->width) {
    atomic_fetch_add(&lane->gate->width, width - lane->width);
    lane->width = width;
  }
  lane_unlock(lane);
}

void vgpu_lanes_narrow(struct vgpu_gate *g) {
  g->last_width = atomic_exchange(&g->width, 0);
  for (int i = 0; i < VGPU_LANES; i++)
    for (struct vgpu_lane *lane = g->lanes[i]; lane; lane = lane->next) lane->width = 0;
}

// Takes what was submitted to the lane since its last fence and puts a fence behind it.
void vgpu_fence_lane(struct vgpu_gate *g, struct vgpu_lane *lane) {
  struct fence *f = calloc(1, sizeof *f);
  if (!f) return;
  lane_lock(lane);
  if (lane->count == 0) {
    lane_unlock(lane);
    free(f);
    return;
  }
  *f = (struct fence){.lane = lane, .first_ns = lane->first_ns, .estimate_ns = lane->estimate_ns, .count = lane->count,
                      .n_keys = lane->other_keys ? 0 : lane->n_keys, .moved = lane->moving};
  memcpy(f->keys, lane->keys, sizeof f->keys);
  f->mark = g->fences->record(lane);
  f->recorded_ns = vgpu_now_ns();
  atomic_fetch_add_explicit(&g->outstanding_ns, lane->estimate_ns, memory_order_relaxed);
  atomic_fetch_add_explicit(&g->submitted, lane->count, memory_order_relaxed);
  atomic_fetch_add_explicit(&g->member->slot->launches, lane->uncounted, memory_order_relaxed);
  lane->uncounted = 0;
  lane->count = 0;
  lane->moving = 0;
  lane->estimate_ns = 0;
  lane->n_keys = lane->other_keys = 0;
  atomic_fetch_sub_explicit(&g->unfenced, 1, memory_order_relaxed);
  pthread_mutex_lock(&g->mutex);
  *g->last = f;
  g->last = &f->next;
  pthread_mutex_unlock(&g->mutex);
  lane_unlock(lane);
}

void vgpu_fence_all(struct vgpu_gate *g) {
  if (atomic_load(&g->unfenced) == 0) return;
  // Lanes are never freed, and a chain is only ever extended at its head or cut in vgpu_lane_forget, which keeps the
  // cut lane's `next`: it can be walked without the mutex.
  for (int i = 0; i < VGPU_LANES; i++) {
    pthread_mutex_lock(&g->mutex);
    struct vgpu_lane *lane = g->lanes[i];
    pthread_mutex_unlock(&g->mutex);
    while (lane) {
      if (!lane->own_thread || vgpu_lane_by_others(g)) vgpu_fence_lane(g, lane);
      pthread_mutex_lock(&g->mutex);
      lane = lane->next;
      pthread_mutex_unlock(&g->mutex);
    }
  }
}

// What was launched since the last fence is in no ledger yet.
void vgpu_gate_count(struct vgpu_gate *g) {
  for (int i = 0; i < VGPU_LANES && g->member->slot; i++)
    for (struct vgpu_lane *lane = g->lanes[i]; lane; lane = lane->next) {
      if (atomic_exchange_explicit(&lane->busy, 1, memory_order_acquire)) continue; // somebody is not done yet
      atomic_fetch_add_explicit(&g->member->slot->launches, lane->uncounted, memory_order_relaxed);
      lane->uncounted = 0;
      lane_unlock(lane);
    }
}

void vgpu_gate_settle(struct vgpu_gate *g) {
  vgpu_fence_all(g);
  if (g->member->slot) vgpu_gate_bell(g);
}

void vgpu_gate_drain(struct vgpu_gate *g, void *context, bool forget) {
  if (!g->member->slot) return;
  vgpu_gate_settle(g);
  pthread_mutex_lock(&g->mutex);
  for (;;) {
    bool found = false;
    for (struct fence *f = g->first; f && !found; f = f->next) found = !context || f->lane->context == context;
    if (!found) break;
    vgpu_gate_wait(g, VGPU_STUCK_NS);
  }
  if (forget) {
    atomic_fetch_add_explicit(&era, 1, memory_order_release);
    for (int i = 0; i < VGPU_LANES; i++)
      for (struct vgpu_lane **l = &g->lanes[i]; *l;) {
        if (context && (*l)->context != context) l = &(*l)->next;
        else *l = (*l)->next;
      }
  }
  pthread_mutex_unlock(&g->mutex);
}

void vgpu_lane_forget(struct vgpu_gate *g, void *context, void *stream) {
  pthread_mutex_lock(&g->mutex);
  struct vgpu_lane **l = &g->lanes[lane_index(context, stream)];
  while (*l && ((*l)->stream != stream || (*l)->context != context)) l = &(*l)->next;
  struct vgpu_lane *lane = *l;
  pthread_mutex_unlock(&g->mutex);
  if (!lane) return;
  vgpu_fence_lane(g, lane);
  vgpu_gate_bell(g);
  pthread_mutex_lock(&g->mutex);
  for (l = &g->lanes[lane_index(context, stream)]; *l; l = &(*l)->next)
    if (*l == lane) {
      *l = lane->next;
      break;
    }
  atomic_fetch_add_explicit(&era, 1, memory_order_release);
  pthread_mutex_unlock(&g->mutex);
}

void vgpu_gate_forget(struct vgpu_gate *g) {
  pthread_mutex_init(&g->mutex, NULL);
  pthread_cond_init(&g->changed, NULL);
  memset(g->lanes, 0, sizeof g->lanes);
  g->first = NULL;
  g->last = &g->first;
  vgpu_visitors_forget(g);
  g->closed = g->given_back = g->unfenced = g->used_turn = 0;
  g->width = g->last_width = 0;
  g->outstanding_ns = 0;
  g->waiters = 0;
  g->requested = g->enough = g->running = false;
  atomic_fetch_add_explicit(&era, 1, memory_order_release);
}
