// The gate's thread: it follows the work with fences, learns from them, and gives turns back.
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "../common/futex.h"
#include "gate_state.h"
#include "paging.h"

#define ALIVE_NS 500000000ull // how often the holder of a turn looks whether its arbiter is still there

// With the mutex held: waits for the first fence and learns from it.
static void pass_first(struct vgpu_gate *g) {
  struct fence *f = g->first;
  pthread_mutex_unlock(&g->mutex);
  if (f->mark) g->fences->wait(f->lane, f->mark);
  uint64_t now = vgpu_now_ns();
  pthread_mutex_lock(&g->mutex);
  g->first = f->next;
  if (!g->first) g->last = &g->first;
  if (f->mark) {
    // Since the device could begin with it. Where the host is the slower side that is too long: then what it took
    // after the fence, which is at least the last piece, is nearer.
    uint64_t began = f->first_ns > g->done_ns ? f->first_ns : g->done_ns;
    uint64_t each = (now - began) / f->count, after = now - f->recorded_ns;
    if (f->moved) {
      struct vgpu_slot *slot = g->member->slot;
      atomic_fetch_add_explicit(&slot->timed, f->moved, memory_order_relaxed);
      atomic_fetch_add_explicit(&slot->moving_ns, now - began, memory_order_relaxed);
    }
    uint64_t took = each < after ? each : after, expected = f->estimate_ns / f->count;
    // A gang's kernel waits for its peers at times: that is not how long it takes.
    if (g->member->config.gang[0] && expected != VGPU_UNKNOWN_NS && took > expected + expected / 2) took = expected + expected / 2;
    vgpu_estimate_learn(&g->estimates, f->keys, f->n_keys, f->count, f->estimate_ns, took);
  }
  g->done_ns = now;
  g->moved_ns = now;
  atomic_fetch_sub_explicit(&g->outstanding_ns, f->estimate_ns, memory_order_relaxed);
  pthread_cond_broadcast(&g->changed);
  free(f);
}

// With the mutex held: gives the turn back once its work is finished.
static void give_back(struct vgpu_gate *g, uint32_t turn) {
  atomic_store(&g->closed, 1);
  pthread_mutex_unlock(&g->mutex);
  // Threads inside are submitting: they come out as soon as the driver lets them. It may not, while its queue is
  // full; then they come out as the device works that off.
  for (int i = 0; vgpu_visitors_inside(g, i == 0); i++) {
    if (i < 100) sched_yield();
    else vgpu_sleep_ns(50000);
  }
  vgpu_fence_all(g);
  pthread_mutex_lock(&g->mutex);
  while (g->first) pass_first(g);
  if (g->fences->page_out && g->member->paging) {
    pthread_mutex_unlock(&g->mutex);
    g->fences->page_out(g, true);
    pthread_mutex_lock(&g->mutex);
  }
  g->enough = false;
  vgpu_lanes_narrow(g);
  vgpu_width_to_ask(g);
  g->requested = g->waiters > 0;
  g->requested_in = VGPU_TURN_GENERATION(turn);
  atomic_store(&g->given_back, VGPU_TURN_GENERATION(turn) + 1);
  vgpu_member_send(g->member, VGPU_RELEASE, VGPU_TURN_GENERATION(turn), g->waiters > 0);
  atomic_store(&g->closed, 0);
  pthread_cond_broadcast(&g->changed);
}

// The gate's thread.
static void *follow(void *gate) {
  struct vgpu_gate *g = gate;
  struct vgpu_account *account = g->member->account;
  uint64_t quiet_since = 0, quiet_count = 0, alive_at = 0;
  uint32_t quiet_turn = 0;
  pthread_mutex_lock(&g->mutex);
  for (;;) {
    struct vgpu_slot *slot = g->member->slot;
    account = g->member->account;
    uint32_t rung = atomic_load(&slot->bell), turn = atomic_load(&slot->turn);
    enum vgpu_turn state = (enum vgpu_turn)VGPU_TURN_STATE(turn);
    bool mine = state != VGPU_TURN_NONE && VGPU_TURN_GENERATION(turn) + 1 != g->given_back;
    uint64_t now = vgpu_now_ns(), timeout = 0;
    if (mine && now - alive_at >= ALIVE_NS) {
      alive_at = now;
      if (!vgpu_member_alive(g->member)) {
        // A turn that nobody vouches for any more is none: the next piece of work asks the next arbiter.
        atomic_store(&g->given_back, VGPU_TURN_GENERATION(turn) + 1);
        continue;
      }
    }
    if (mine && (state == VGPU_TURN_RECALLED || (vgpu_outgrown(g) && g->waiters > 0))) {
      give_back(g, turn);
      continue;
    }
    if (mine && atomic_load(&slot->contended)) {
      uint64_t end = vgpu_turn_end(slot, now), count = atomic_load(&g->submitted);
      if (now >= end || g->enough) {
        give_back(g, turn);
        continue;
      }
      timeout = end == UINT64_MAX ? 0 : end - now;
      bool quiet = !g->first && g->waiters == 0 && !vgpu_visitors_inside(g, false) && count == quiet_count;
      if (!quiet || quiet_turn != turn) {
        quiet_since = now;
        quiet_count = count;
        quiet_turn = turn;
      }
      // This thread slept while the device worked: all is quiet since that ended.
      if (g->done_ns > quiet_since) quiet_since = g->done_ns;
      if (now - quiet_since >= account->idle_ns) {
        // No work came for a while. What was submitted last may be unfinished: then it is not idle.
        if (atomic_load(&g->unfenced) == 0) {
          give_back(g, turn);
          continue;
        }
        pthread_mutex_unlock(&g->mutex);
        vgpu_fence_all(g);
        pthread_mutex_lock(&g->mutex);
        if (!g->first) quiet_since = now;
        continue;
      }
      uint64_t until_idle = quiet_since + account->idle_ns - now;
      if (timeout == 0 || until_idle < timeout) timeout = until_idle;
    } else {
      g->enough = false;
    }
    if (g->first) {
      pass_first(g);
      continue;
    }
    pthread_mutex_unlock(&g->mutex);
    // Others need the room of what this process left on the device.
    if (!mine && g->fences->page_out && vgpu_paging_over(g->member)) g->fences->page_out(g, false);
    if (mine && (timeout == 0 || timeout > ALIVE_NS)) timeout = ALIVE_NS;
    vgpu_futex_wait(&slot->bell, rung, timeout);
    pthread_mutex_lock(&g->mutex);
    if (mine && timeout == ALIVE_NS && atomic_load(&slot->bell) == rung) {
      pthread_mutex_unlock(&g->mutex);
      vgpu_fence_all(g); // nothing was submitted for a while: what was last is counted and seen to end
      pthread_mutex_lock(&g->mutex);
    }
  }
  return NULL;
}

// The thread lives as long as the process; it takes no signals.
void vgpu_gate_follow(struct vgpu_gate *g) {
  if (g->running) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 256 * 1024);
  pthread_t thread;
  g->running = pthread_create(&thread, &detached, follow, g) == 0;
  pthread_attr_destroy(&detached);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
