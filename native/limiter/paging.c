#include "paging.h"

#include <stdlib.h>
#include <string.h>

#include "../common/futex.h"

#define PAGE (2ull << 20) // what drivers move at a time

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

void vgpu_paging_start(struct vgpu_member *m) {
  if (m->paging) return;
  pthread_mutex_lock(&starting);
  struct vgpu_paging *p = m->paging ? NULL : calloc(1, sizeof *p);
  if (p) {
    pthread_mutex_init(&p->mutex, NULL);
    p->lowest = UINT64_MAX;
    m->paging = p;
  }
  pthread_mutex_unlock(&starting);
}

void vgpu_paging_forget(struct vgpu_paging *p) {
  pthread_mutex_init(&p->mutex, NULL);
  p->n = 0;
  p->turn = 0;
  p->mover = NULL;
  p->pool_tried = false;
  p->pool = NULL;
}

static bool in_set(const struct vgpu_paging *p, const struct vgpu_span *s) {
  if (p->opaque && !s->own) return true;
  return s->turn && (s->turn + VGPU_SET_TURNS > p->turns || s->turn_ns + VGPU_SET_NS > p->turn_ns);
}

// With the mutex held: says in the slot what is used and what is there.
static void publish(struct vgpu_member *m) {
  struct vgpu_paging *p = m->paging;
  struct vgpu_slot *slot = m->slot;
  if (!slot) return;
  uint64_t set = 0, there = 0;
  for (size_t i = 0; i < p->n; i++) {
    if (in_set(p, &p->span[i])) set += p->span[i].bytes;
    there += p->span[i].on_device;
  }
  atomic_store_explicit(&slot->working_set, set, memory_order_relaxed);
  atomic_store_explicit(&slot->resident, there, memory_order_relaxed);
}

// The first span that begins behind `address`.
static size_t behind(const struct vgpu_paging *p, uint64_t address) {
  size_t low = 0, high = p->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (p->span[middle].address > address) high = middle;
    else low = middle + 1;
  }
  return low;
}

static struct vgpu_span *containing(struct vgpu_paging *p, uint64_t address) {
  size_t i = behind(p, address);
  if (i == 0) return NULL;
  struct vgpu_span *s = &p->span[i - 1];
  return address - s->address < s->bytes ? s : NULL;
}

void vgpu_paging_add(struct vgpu_member *m, struct vgpu_span span) {
  struct vgpu_paging *p = m->paging;
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  if (p->n == p->room) {
    size_t room = p->room ? p->room * 2 : 64;
    struct vgpu_span *more = realloc(p->span, room * sizeof *more);
    if (more) p->span = more, p->room = room;
  }
  if (p->n < p->room) {
    size_t i = behind(p, span.address);
    memmove(&p->span[i + 1], &p->span[i], (p->n - i) * sizeof span);
    p->span[i] = span;
    p->n++;
    if (span.address < p->lowest) p->lowest = span.address;
    if (span.address + span.bytes > p->highest) p->highest = span.address + span.bytes;
    if (p->opaque) publish(m);
  }
  pthread_mutex_unlock(&p->mutex);
}

static void drop(struct vgpu_paging *p, size_t i) {
  p->n--;
  memmove(&p->span[i], &p->span[i + 1], (p->n - i) * sizeof *p->span);
}

void vgpu_paging_remove(struct vgpu_member *m, uint64_t address) {
  struct vgpu_paging *p = m->paging;
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  size_t i = behind(p, address);
  if (i && p->span[i - 1].address == address) {
    drop(p, i - 1);
    publish(m);
  }
  pthread_mutex_unlock(&p->mutex);
}

void vgpu_paging_remove_context(struct vgpu_member *m, void *context) {
  struct vgpu_paging *p = m->paging;
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  for (size_t i = p->n; i-- > 0;)
    if (p->span[i].context == context) drop(p, i);
  publish(m);
  pthread_mutex_unlock(&p->mutex);
}

// With the mutex held. True: what is published has changed.
static bool see(struct vgpu_paging *p, struct vgpu_span *s) {
  bool changed = !in_set(p, s) || s->on_device != s->bytes;
  s->seen = ++p->counter;
  s->turn = p->turns ? p->turns : 1;
  s->turn_ns = p->turn_ns;
  s->on_device = s->bytes;
  return changed;
}

void vgpu_paging_saw(struct vgpu_member *m, const uint64_t *words, size_t n, bool recorded) {
  struct vgpu_paging *p = m->paging;
  uint64_t low = atomic_load_explicit(&p->lowest, memory_order_relaxed);
  uint64_t high = atomic_load_explicit(&p->highest, memory_order_relaxed);
  bool locked = false, changed = false;
  for (size_t i = 0; i < n; i++) {
    uint64_t word;
    memcpy(&word, &words[i], sizeof word); // of any alignment
    if (word < low || word >= high) continue;
    if (!locked) pthread_mutex_lock(&p->mutex);
    locked = true;
    struct vgpu_span *s = containing(p, word);
    if (!s) continue;
    if (recorded) s->recorded = true;
    else changed |= see(p, s);
  }
  if (changed) publish(m);
  if (locked) pthread_mutex_unlock(&p->mutex);
}

void vgpu_paging_saw_graph(struct vgpu_member *m) {
  struct vgpu_paging *p = m->paging;
  pthread_mutex_lock(&p->mutex);
  bool any = false, changed = false;
  for (size_t i = 0; i < p->n; i++)
    if (p->span[i].recorded) any = true, changed |= see(p, &p->span[i]);
  if (changed) publish(m);
  pthread_mutex_unlock(&p->mutex);
  if (!any) vgpu_paging_opaque(m); // made node by node: nobody saw its kernels
}

void vgpu_paging_opaque(struct vgpu_member *m) {
  struct vgpu_paging *p = m->paging;
  if (__atomic_load_n(&p->opaque, __ATOMIC_RELAXED)) return;
  pthread_mutex_lock(&p->mutex);
  __atomic_store_n(&p->opaque, true, __ATOMIC_RELAXED);
  for (size_t i = 0; i < p->n; i++)
    if (!p->span[i].own) p->span[i].on_device = p->span[i].bytes;
  publish(m);
  pthread_mutex_unlock(&p->mutex);
}

static struct vgpu_paging *sorting; // under its mutex and `ordering`
static pthread_mutex_t ordering = PTHREAD_MUTEX_INITIALIZER;

// Used last first; what was never seen behind, in the order of addresses.
static int by_use(const void *a, const void *b) {
  const struct vgpu_span *x = &sorting->span[*(const size_t *)a], *y = &sorting->span[*(const size_t *)b];
  if (x->seen != y->seen) return x->seen > y->seen ? -1 : 1;
  return x->address < y->address ? -1 : 1;
}

// Indices of the spans in order of use; NULL: no memory, and nothing is moved.
static size_t *order_of(struct vgpu_paging *p) {
  size_t *order = malloc((p->n ? p->n : 1) * sizeof *order);
  if (!order) return NULL;
  for (size_t i = 0; i < p->n; i++) order[i] = i;
  pthread_mutex_lock(&ordering);
  sorting = p;
  qsort(order, p->n, sizeof *order, by_use);
  pthread_mutex_unlock(&ordering);
  return order;
}

uint64_t vgpu_paging_in(struct vgpu_member *m, vgpu_move *move, void *self, bool *surely) {
  struct vgpu_paging *p = m->paging;
  struct vgpu_slot *slot = m->slot;
  uint64_t moved = 0, room = slot->room, used = 0;
  uint32_t disturbed = atomic_load(&slot->disturbed);
  pthread_mutex_lock(&p->mutex);
  p->turns++;
  p->turn_ns = vgpu_now_ns();
  *surely = p->disturbed == disturbed;
  if (p->disturbed != disturbed) // the driver had to make room by itself: what is there is not known any more
    for (size_t i = 0; i < p->n; i++) p->span[i].on_device = 0;
  p->disturbed = disturbed;
  size_t *order = order_of(p);
  for (size_t k = 0; order && k < p->n; k++) {
    struct vgpu_span *s = &p->span[order[k]];
    if (!in_set(p, s)) {
      used += s->on_device;
      continue;
    }
    uint64_t want = s->bytes;
    if (want > room - (used < room ? used : room)) want = used < room ? (room - used) & ~(PAGE - 1) : 0;
    used += want;
    if (want <= s->on_device) continue;
    uint64_t from = s->on_device & ~(PAGE - 1);
    if (!move(self, s->address + from, want - from, false)) continue;
    moved += want - s->on_device;
    s->on_device = want;
  }
  free(order);
  publish(m);
  pthread_mutex_unlock(&p->mutex);
  return moved;
}

bool vgpu_paging_over(const struct vgpu_member *m) {
  const struct vgpu_slot *slot = m->slot;
  return m->paging && slot && slot->resident > slot->keep;
}

uint64_t vgpu_paging_out(struct vgpu_member *m, bool held, vgpu_move *move, void *self) {
  struct vgpu_paging *p = m->paging;
  uint64_t moved = 0, there = 0;
  pthread_mutex_lock(&p->mutex);
  uint64_t keep = m->slot->keep;
  for (size_t i = 0; i < p->n; i++) {
    if (held && p->opaque && !p->span[i].own) p->span[i].on_device = p->span[i].bytes;
    there += p->span[i].on_device;
  }
  size_t *order = there > keep ? order_of(p) : NULL;
  for (size_t k = p->n; order && k-- > 0 && there - moved > keep;) {
    struct vgpu_span *s = &p->span[order[k]];
    if (s->on_device == 0) continue;
    uint64_t excess = there - moved - keep;
    uint64_t left = s->on_device > excess ? (s->on_device - excess) & ~(PAGE - 1) : 0; // its end goes first
    if (!move(self, s->address + left, s->on_device - left, true)) continue;
    moved += s->on_device - left;
    s->on_device = left;
  }
  free(order);
  publish(m);
  pthread_mutex_unlock(&p->mutex);
  return moved;
}
