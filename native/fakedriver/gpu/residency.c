#include "residency.h"

#include <string.h>

#include "gpu.h"

#define GROUP 16 // blocks that a kernel visits in one step of the timeline

static struct fake_block *at(struct fake_residency *r, uint32_t handle) {
  return handle && handle <= FAKE_BLOCKS ? &r->block[handle - 1] : NULL;
}

static void unlink_block(struct fake_residency *r, uint32_t i) {
  struct fake_block *b = &r->block[i], *newer = at(r, b->newer), *older = at(r, b->older);
  if (newer) newer->older = b->older;
  else r->newest = b->older;
  if (older) older->newer = b->newer;
  else r->oldest = b->newer;
  b->newer = b->older = 0;
}

static void link_newest(struct fake_residency *r, uint32_t i) {
  struct fake_block *b = &r->block[i], *before = at(r, r->newest);
  b->older = r->newest;
  b->newer = 0;
  if (before) before->newer = i + 1;
  else r->oldest = i + 1;
  r->newest = i + 1;
}

static void leave(struct fake_residency *r, uint32_t i) {
  unlink_block(r, i);
  r->block[i].resident = false;
  if (r->resident) r->resident--;
}

static void enter(struct fake_residency *r, uint32_t i) {
  r->block[i].resident = r->block[i].populated = true;
  r->resident++;
  link_newest(r, i);
}

static bool full(const struct fake_gpu *g) {
  return g->memory_used + (g->residency.resident + 1) * FAKE_BLOCK > g->memory_total;
}

// Lets the block that was unused for longest leave. Returns the time that takes; 0: there was none.
static uint64_t evict(struct fake_residency *r) {
  if (!at(r, r->oldest)) return 0;
  leave(r, r->oldest - 1);
  r->moved_out++;
  return r->block_ns;
}

void fake_residency_yield(struct fake_gpu *g, uint64_t bytes) {
  while (g->memory_used + bytes + g->residency.resident * FAKE_BLOCK > g->memory_total && evict(&g->residency)) {
  }
}

void fake_residency_init(struct fake_gpu *g, uint64_t host_mbps, uint64_t fault_us) {
  g->residency.block_ns = FAKE_BLOCK * 1000 / (host_mbps ? host_mbps : 1);
  g->residency.fault_ns = fault_us * 1000;
}

// The order of use is lost; what is there is not.
void fake_residency_repair(struct fake_gpu *g) {
  struct fake_residency *r = &g->residency;
  r->newest = r->oldest = 0;
  r->resident = 0;
  for (uint32_t i = 0; i < FAKE_BLOCKS; i++) {
    r->block[i].newer = r->block[i].older = 0;
    if (r->block[i].resident) enter(r, i);
  }
}

static void forget(struct fake_residency *r, struct fake_extent *e) {
  for (uint32_t i = e->span.first; i < e->span.first + e->span.count; i++) {
    if (r->block[i].resident) leave(r, i);
    r->block[i] = (struct fake_block){0};
  }
  e->in_use = 0;
}

void fake_residency_bury(struct fake_gpu *g, uint32_t process) {
  for (int i = 0; i < FAKE_EXTENTS; i++)
    if (g->residency.extent[i].in_use && g->residency.extent[i].process == process)
      forget(&g->residency, &g->residency.extent[i]);
}

// The first free stretch of the table that is long enough.
static bool find_room(struct fake_residency *r, uint32_t count, uint32_t *first) {
  *first = 0;
  for (bool moved = true; moved;) {
    moved = false;
    if (*first + count > FAKE_BLOCKS) return false;
    for (int i = 0; i < FAKE_EXTENTS; i++) {
      const struct fake_extent *e = &r->extent[i];
      if (!e->in_use || e->span.first >= *first + count || e->span.first + e->span.count <= *first) continue;
      *first = e->span.first + e->span.count;
      moved = true;
    }
  }
  return true;
}

int fake_managed_create(uint64_t bytes) {
  struct fake_gpu *g = fake_gpu();
  uint64_t count = (bytes + FAKE_BLOCK - 1) / FAKE_BLOCK;
  if (!g || count > FAKE_BLOCKS) return NONE;
  fake_lock(g);
  fake_bury(g);
  struct fake_residency *r = &g->residency;
  int found = NONE;
  uint32_t first;
  for (int i = 0; i < FAKE_EXTENTS && found == NONE; i++)
    if (!r->extent[i].in_use) found = i;
  if (found != NONE && find_room(r, (uint32_t)count, &first))
    r->extent[found] = (struct fake_extent){1, fake_self(), {first, (uint32_t)count}};
  else found = NONE;
  fake_unlock(g);
  return found;
}

void fake_managed_destroy(int extent) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  forget(&g->residency, &g->residency.extent[extent]);
  fake_unlock(g);
}

// A kernel comes to a block: how long it is kept waiting.
static uint64_t touch(struct fake_gpu *g, uint32_t i) {
  struct fake_residency *r = &g->residency;
  struct fake_block *b = &r->block[i];
  if (b->resident) {
    unlink_block(r, i);
    link_newest(r, i);
    return b->ready_ns > g->at ? b->ready_ns - g->at : 0;
  }
  uint64_t cost = r->fault_ns;
  if (b->populated) {
    cost += r->block_ns;
    r->moved_in++;
  }
  r->faults++;
  if (full(g)) {
    uint64_t way = evict(r);
    if (way == 0) return cost; // nothing can make room: it is read where it is
    cost += way;
  }
  b->ready_ns = 0;
  enter(r, i);
  return cost;
}

static uint64_t move(struct fake_gpu *g, struct fake_op *op) {
  struct fake_residency *r = &g->residency;
  uint64_t cost = 0;
  for (int s = 0; s < FAKE_SPANS; s++)
    for (uint32_t i = op->span[s].first; i < op->span[s].first + op->span[s].count; i++) {
      struct fake_block *b = &r->block[i];
      if (op->kind == FAKE_TO_HOST) {
        if (!b->resident) continue;
        leave(r, i);
        r->moved_out++;
        r->prefetched_out++;
        cost += r->block_ns;
        continue;
      }
      if (b->resident) {
        unlink_block(r, i);
        link_newest(r, i);
        continue;
      }
      if (full(g)) {
        uint64_t way = evict(r);
        if (way == 0) return cost;
        cost += way;
      }
      if (b->populated) {
        cost += r->block_ns;
        r->moved_in++;
        r->prefetched_in++;
      }
      b->ready_ns = g->at + cost;
      enter(r, i);
    }
  return cost;
}

uint64_t fake_residency_begin(struct fake_gpu *g, struct fake_op *op) {
  if (op->kind == FAKE_TO_HOST || op->kind == FAKE_TO_DEVICE) return move(g, op) + 1;
  op->blocks = 0;
  for (int s = 0; s < FAKE_SPANS; s++) op->blocks += op->span[s].count;
  if (op->blocks == 0) return op->left_ns;
  op->each_ns = op->left_ns / op->blocks;
  op->visited = 0;
  return fake_residency_next(g, op);
}

uint64_t fake_residency_next(struct fake_gpu *g, struct fake_op *op) {
  uint32_t group = op->blocks - op->visited;
  if (group == 0 || op->kind != FAKE_WORK) return 0;
  if (group > GROUP) group = GROUP;
  uint64_t stall = 0;
  for (uint32_t k = 0; k < group; k++, op->visited++) {
    uint32_t n = op->visited;
    int s = 0;
    while (s < FAKE_SPANS - 1 && n >= op->span[s].count) n -= op->span[s++].count;
    const struct fake_block *b = &g->residency.block[op->span[s].first + n];
    bool faults = !b->resident;
    uint64_t cost = touch(g, op->span[s].first + n);
    // Those on their way arrive meanwhile; faults come one after the other.
    if (faults) stall += cost;
    else if (cost > stall) stall = cost;
  }
  return stall + group * op->each_ns + 1;
}

uint64_t fake_op_left(const struct fake_op *op) {
  if (op->kind != FAKE_WORK) return op->running ? op->left_ns : 0;
  return op->left_ns + (op->running ? (op->blocks - op->visited) * op->each_ns : 0);
}
