// The threads at a gate.
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/futex.h"
#include "gate_state.h"

static int membarrier(int command) { return (int)syscall(__NR_membarrier, command, 0, 0); }

void vgpu_visitors_prepare(struct vgpu_gate *g) {
#if defined(__SANITIZE_THREAD__)
  g->barrier = false; // it does not know of the kernel's barrier
#else
  g->barrier = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
#endif
}

// A thread goes to one gate, most often.
static _Thread_local struct {
  struct vgpu_gate *gate;
  struct vgpu_visitor *visitor;
} mine[VGPU_MEMBERS_MAX];

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void leave(void *unused) {
  for (int i = 0; i < VGPU_MEMBERS_MAX; i++) {
    if (!mine[i].visitor) continue;
    atomic_store_explicit(&mine[i].visitor->inside, 0, memory_order_relaxed);
    atomic_store_explicit(&mine[i].visitor->in_use, 0, memory_order_release);
    mine[i].gate = NULL;
    mine[i].visitor = NULL;
  }
}

static void make_key(void) { pthread_key_create(&key, leave); }

static struct vgpu_visitor *arrive(struct vgpu_gate *g, int place) {
  pthread_once(&once, make_key);
  pthread_setspecific(key, mine); // so that `leave` is called
  struct vgpu_visitor *v = atomic_load(&g->visitors);
  for (uint32_t no = 0; v && !atomic_compare_exchange_strong(&v->in_use, &no, 1); no = 0) v = v->next;
  if (!v) {
    if (!(v = aligned_alloc(_Alignof(struct vgpu_visitor), sizeof *v))) return NULL;
    memset(v, 0, sizeof *v);
    atomic_store(&v->in_use, 1);
    v->next = atomic_load(&g->visitors);
    while (!atomic_compare_exchange_weak(&g->visitors, &v->next, v)) continue;
  }
  mine[place].gate = g;
  mine[place].visitor = v;
  return v;
}

struct vgpu_visitor *vgpu_visitor_of(struct vgpu_gate *g) {
  for (int i = 0; i < VGPU_MEMBERS_MAX; i++) {
    if (mine[i].gate == g) return mine[i].visitor;
    if (!mine[i].gate) return arrive(g, i);
  }
  return NULL; // a gate for each member, at most
}

bool vgpu_visitors_inside(struct vgpu_gate *g, bool surely) {
  // After this, a thread that came in without being seen here sees what was written before the call.
  if (surely) {
#if !defined(__SANITIZE_THREAD__)
    atomic_thread_fence(memory_order_seq_cst);
#endif
    // Forbidden since it was prepared (a filter of system calls, say): stores become visible within far less than that.
    if (g->barrier && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) vgpu_sleep_ns(1000000);
  }
  for (struct vgpu_visitor *v = atomic_load(&g->visitors); v; v = v->next)
    if (atomic_load_explicit(&v->inside, memory_order_acquire)) return true;
  return false;
}

void vgpu_visitors_forget(struct vgpu_gate *g) {
  for (struct vgpu_visitor *v = atomic_load(&g->visitors); v; v = v->next) {
    bool own = false;
    for (int i = 0; i < VGPU_MEMBERS_MAX; i++) own |= mine[i].visitor == v;
    atomic_store(&v->inside, 0);
    atomic_store(&v->in_use, own);
  }
  vgpu_visitors_prepare(g);
}
