#include "pager.h"

#include <stdlib.h>

#include "../../common/futex.h"
#include "../gate_state.h"

_Atomic bool vgpu_paging_any;

// One for each context in which moves are submitted. Managed memory may be moved from any context of the process.
struct pager {
  void *context;
  CUstream stream;
  void *arrived; // event: what was brought in last is there
  int device;
  struct pager *next;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pager *pagers;

static bool can_page(int device) {
  int concurrent = 0;
  return VGPU_CALL(cuDeviceGetAttribute, CUresult (*)(int *, int, int))(
             &concurrent, CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS, device) == CUDA_SUCCESS &&
         concurrent &&
         (vgpu_driver_has(VGPU_FN_cuMemPrefetchAsync_v2) || vgpu_driver_has(VGPU_FN_cuMemPrefetchAsync));
}

bool vgpu_pages(struct vgpu_member *m, int device) {
  if (!m->config.overcommit) return false;
  if (m->paging) return true;
  if (!can_page(device)) return false;
  vgpu_paging_start(m);
  if (m->paging) atomic_store(&vgpu_paging_any, true);
  return m->paging != NULL;
}

void *vgpu_managed_pool(struct vgpu_member *m, int device) {
  void *used, *usual;
  // A program that has put a pool of its own in the default one's place gets what it asked for.
  if (VGPU_CALL(cuDeviceGetMemPool, CUresult (*)(void **, int))(&used, device) == CUDA_SUCCESS &&
      VGPU_CALL(cuDeviceGetDefaultMemPool, CUresult (*)(void **, int))(&usual, device) == CUDA_SUCCESS && used != usual)
    return NULL;
  struct vgpu_paging *p = m->paging;
  pthread_mutex_lock(&mutex);
  if (!p->pool_tried) {
    struct cu_pool_props props = {.type = CU_MEM_ALLOCATION_TYPE_MANAGED, .location = {CU_MEM_LOCATION_TYPE_NONE, 0}};
    p->pool_tried = true;
    if (VGPU_CALL(cuMemPoolCreate, CUresult (*)(void **, const void *))(&p->pool, &props) != CUDA_SUCCESS) p->pool = NULL;
    vgpu_debug("stream-ordered allocations are %s", p->pool ? "managed" : "bound to the device: no managed pools here");
  }
  void *pool = p->pool;
  pthread_mutex_unlock(&mutex);
  return pool;
}

// The context's pager, made at the first call; with the context current. NULL: it has none.
static struct pager *pager_of(void *context) {
  pthread_mutex_lock(&mutex);
  struct pager *p = pagers;
  while (p && p->context != context) p = p->next;
  if (!p && (p = calloc(1, sizeof *p))) {
    p->context = context;
    p->device = vgpu_device_current();
    if (VGPU_CALL(cuStreamCreate, CUresult (*)(CUstream *, unsigned))(&p->stream, CU_STREAM_NON_BLOCKING) ||
        VGPU_CALL(cuEventCreate, CUresult (*)(void **, unsigned))(&p->arrived,
                                                                   CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING)) {
      free(p);
      p = NULL;
    } else {
      p->next = pagers;
      pagers = p;
    }
  }
  pthread_mutex_unlock(&mutex);
  return p;
}

void vgpu_pager_forget(void *context) {
  pthread_mutex_lock(&mutex);
  struct pager **p = &pagers, *found;
  while (*p && (*p)->context != context) p = &(*p)->next;
  if ((found = *p)) *p = found->next;
  struct vgpu_member *members;
  for (int i = 0, n = found ? vgpu_members(&members) : 0; i < n; i++) {
    void *expected = found;
    if (members[i].paging) atomic_compare_exchange_strong(&members[i].paging->mover, &expected, NULL);
  }
  pthread_mutex_unlock(&mutex);
  // Its stream and its event end with the context. The few bytes stay: a lane may be about to look at them.
}

static bool move(void *self, uint64_t address, uint64_t bytes, bool to_host) {
  const struct pager *p = self;
  struct cu_location where = {to_host ? CU_MEM_LOCATION_TYPE_HOST : CU_MEM_LOCATION_TYPE_DEVICE, to_host ? 0 : p->device};
  CUresult r =
      vgpu_driver_has(VGPU_FN_cuMemPrefetchAsync_v2)
          ? VGPU_CALL(cuMemPrefetchAsync_v2, CUresult (*)(CUdeviceptr, size_t, struct cu_location, unsigned, CUstream))(
                address, bytes, where, 0, p->stream)
          : VGPU_CALL(cuMemPrefetchAsync, CUresult (*)(CUdeviceptr, size_t, int, CUstream))(
                address, bytes, to_host ? -1 : p->device, p->stream);
  return r == CUDA_SUCCESS;
}

// With the lane's context current, or one that is as good. Other threads may be capturing: that is none of their business.
static void bring_in(struct vgpu_lane *lane, uint32_t turn) {
  static pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
  struct vgpu_member *m = lane->gate->member;
  pthread_mutex_lock(&turns);
  if (atomic_load(&m->paging->turn) != turn) {
    struct pager *p = pager_of(lane->context);
    bool surely;
    uint64_t bytes = p ? vgpu_paging_in(m, move, p, &surely) : 0;
    if (bytes) {
      VGPU_CALL(cuEventRecord, CUresult (*)(void *, CUstream))(p->arrived, p->stream);
      atomic_store(&m->paging->mover, p);
      atomic_fetch_add(&m->paging->arrivals, 1);
      struct vgpu_lane *own = vgpu_lane_of(lane->gate, p->context, p->stream, false);
      atomic_fetch_add_explicit(&m->slot->paged_in, bytes, memory_order_relaxed);
      if (own) vgpu_gate_moves(own, surely ? bytes : 0);
      vgpu_debug("turn %u: %llu bytes on their way to the device", turn, (unsigned long long)bytes);
    }
    atomic_store(&m->paging->turn, turn);
  }
  pthread_mutex_unlock(&turns);
}

void vgpu_pager_in(struct vgpu_lane *lane, CUstream stream) {
  struct vgpu_member *m = lane->gate->member;
  struct vgpu_paging *paging = m->paging;
  if (!paging) return;
  uint32_t turn = VGPU_TURN_GENERATION(atomic_load_explicit(&m->slot->turn, memory_order_relaxed)) + 1;
  bool begins = atomic_load_explicit(&paging->turn, memory_order_relaxed) != turn;
  if (!begins && atomic_load_explicit(&lane->paged, memory_order_relaxed) ==
                     atomic_load_explicit(&paging->arrivals, memory_order_acquire))
    return;
  bool entered = vgpu_context_enter(lane->context);
  bool capturing = atomic_load(&vgpu_captures) > 0;
  int mode = capturing ? vgpu_capture_mode(CU_STREAM_CAPTURE_MODE_RELAXED) : 0;
  if (begins) bring_in(lane, turn);
  uint64_t current = atomic_load(&paging->arrivals);
  if (atomic_load(&lane->paged) != current) {
    struct pager *p = atomic_load(&paging->mover);
    if (p) VGPU_CALL(cuStreamWaitEvent, CUresult (*)(CUstream, void *, unsigned))(stream, p->arrived, 0);
    atomic_store(&lane->paged, current);
  }
  if (capturing) vgpu_capture_mode(mode);
  vgpu_context_leave(entered);
}

// On the gate's thread.
void vgpu_pager_out(struct vgpu_gate *g, bool held) {
  struct vgpu_member *m = g->member;
  if (!vgpu_paging_over(m) && !(held && m->paging->opaque)) return;
  // Held until all is gone: whoever wants to destroy the context waits.
  pthread_mutex_lock(&mutex);
  struct pager *p = atomic_load(&m->paging->mover);
  if (!p) p = pagers;
  if (!p) {
    pthread_mutex_unlock(&mutex);
    return;
  }
  bool entered = vgpu_context_enter(p->context);
  int mode = vgpu_capture_mode(CU_STREAM_CAPTURE_MODE_RELAXED);
  uint64_t began = vgpu_now_ns(), bytes = vgpu_paging_out(m, held, move, p);
  if (bytes) {
    VGPU_CALL(cuStreamSynchronize, CUresult (*)(CUstream))(p->stream);
    atomic_fetch_add_explicit(&m->slot->paged_out, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->slot->timed, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->slot->moving_ns, vgpu_now_ns() - began, memory_order_relaxed);
    vgpu_debug("%llu bytes left the device", (unsigned long long)bytes);
  }
  vgpu_capture_mode(mode);
  vgpu_context_leave(entered);
  pthread_mutex_unlock(&mutex);
}
