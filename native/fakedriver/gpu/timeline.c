// How time passes on the GPU.
#include "timeline.h"

void fake_pop(struct fake_context *c, int s) {
  int16_t i = c->head[s];
  c->head[s] = c->op[i].next;
  if (!fake_op_valid(c->head[s])) {
    c->head[s] = c->tail[s] = NONE;
    c->active &= ~(1ull << s);
  }
  c->op[i].next = c->free_op;
  c->free_op = i;
}

bool fake_in_order(const struct fake_context *c, int s) {
  uint64_t mine = c->op[c->head[s]].sequence;
  if (s != 0)
    return !c->blocking[s] || !(c->active & 1) || !fake_op_valid(c->head[0]) || c->op[c->head[0]].sequence > mine;
  for (uint64_t rest = c->active & ~1ull; rest; rest &= rest - 1) {
    int o = __builtin_ctzll(rest);
    if (c->blocking[o] && fake_op_valid(c->head[o]) && c->op[c->head[o]].sequence < mine) return false;
  }
  return true;
}

// Whether all that was submitted to other streams before is done.
static bool first_of_all(const struct fake_context *c, int s) {
  uint64_t mine = c->op[c->head[s]].sequence;
  for (uint64_t rest = c->active; rest; rest &= rest - 1) {
    int o = __builtin_ctzll(rest);
    if (o != s && fake_op_valid(c->head[o]) && c->op[c->head[o]].sequence < mine) return false;
  }
  return true;
}

static uint32_t server_of(const struct fake_gpu *g, int c) { return g->process[g->context[c].process].server; }

// The next context from `c` on that runs at the same time as `like`: itself, and those of the same MPS server.
static int beside(const struct fake_gpu *g, int like, int c) {
  uint32_t server = server_of(g, like);
  for (; c < FAKE_CONTEXTS; c++) {
    uint64_t rest = g->live[c / 64] >> (c % 64);
    if (!rest) {
      c = c / 64 * 64 + 63;
      continue;
    }
    c += __builtin_ctzll(rest);
    if (c == like || (server && server_of(g, c) == server)) return c;
  }
  return NONE;
}

static uint32_t occupied(const struct fake_context *c) {
  uint32_t width = 0;
  for (uint64_t rest = c->active; rest; rest &= rest - 1) {
    int s = __builtin_ctzll(rest);
    if (fake_op_valid(c->head[s]) && c->op[c->head[s]].running) width += c->op[c->head[s]].width;
  }
  return width;
}

// Multiprocessors for a context: what its process may use, less what the others of its server occupy.
static uint32_t room(const struct fake_gpu *g, const struct fake_context *c) {
  int self = (int)(c - g->context);
  if (!server_of(g, self)) return g->sms;
  uint32_t others = 0, most = g->process[c->process].sms;
  for (int o = beside(g, self, 0); o != NONE; o = beside(g, self, o + 1))
    if (o != self) others += occupied(&g->context[o]);
  return others >= g->sms ? 0 : g->sms - others < most ? g->sms - others : most;
}

// More multiprocessors for a piece of work that runs on some: its blocks that wait move up.
static void widen(struct fake_op *op, uint32_t by) {
  op->left_ns = op->left_ns * op->width / (op->width + by);
  op->each_ns = op->each_ns * op->width / (op->width + by);
  op->width += by;
}

bool fake_start(struct fake_gpu *g, struct fake_context *c) {
  bool changed = true, working = false;
  uint32_t sms = room(g, c);
  bool spreads = server_of(g, (int)(c - g->context)) != 0;
  while (changed) {
    changed = working = false;
    uint32_t used = 0;
    for (uint64_t rest = c->active; rest; rest &= rest - 1) {
      int s = __builtin_ctzll(rest);
      if (fake_op_valid(c->head[s]) && c->op[c->head[s]].running) used += c->op[c->head[s]].width, working = true;
    }
    for (uint64_t rest = c->active; rest; rest &= rest - 1) {
      int s = __builtin_ctzll(rest);
      if (!fake_op_valid(c->head[s])) {
        c->active &= ~(1ull << s);
        continue;
      }
      struct fake_op *op = &c->op[c->head[s]];
      if (op->running && spreads && op->width < op->want && used < sms) {
        uint32_t by = op->want - op->width < sms - used ? op->want - op->width : sms - used;
        widen(op, by);
        used += by;
      }
      if (op->running || !fake_in_order(c, s)) continue;
      if (op->kind == FAKE_WORK || op->kind == FAKE_TO_DEVICE || op->kind == FAKE_TO_HOST) {
        uint32_t most = spreads && used < sms && op->width > sms - used ? sms - used : op->width;
        if (used + most > sms) continue;
        if (most) op->left_ns = op->left_ns * op->width / most; // a move occupies none
        op->left_ns = fake_residency_begin(g, op);
        op->want = op->width;
        op->width = most;
        op->running = working = true;
        used += op->width;
      } else if (op->kind == FAKE_RECORD && (!op->all || first_of_all(c, s))) {
        c->event[op->event].done = op->generation;
        c->event[op->event].done_ns = g->at;
        fake_pop(c, s);
        changed = true;
      } else if (op->kind == FAKE_WAIT && c->event[op->event].done >= op->generation) {
        fake_pop(c, s);
        changed = true;
      }
    }
  }
  return working;
}

// Starts what can start of everything that runs at the same time as `like`; not always the same context first.
static bool start_all(struct fake_gpu *g, int like) {
  if (!server_of(g, like)) return fake_start(g, &g->context[like]);
  bool working = false;
  int first = beside(g, like, (int)(g->rotation++ % FAKE_CONTEXTS));
  for (int c = first; c != NONE; c = beside(g, like, c + 1)) working |= fake_start(g, &g->context[c]);
  for (int c = beside(g, like, 0); c != NONE && (first == NONE || c < first); c = beside(g, like, c + 1))
    working |= fake_start(g, &g->context[c]);
  return working;
}

// The next one with work that does not run at the same time as the current one; else one that does.
static int next_context(struct fake_gpu *g) {
  uint32_t server = g->current == NONE ? 0 : server_of(g, g->current);
  int same = NONE;
  for (int i = 1; i <= FAKE_CONTEXTS; i++) {
    int c = (g->current + i) % FAKE_CONTEXTS;
    if (c < 0) c += FAKE_CONTEXTS;
    if (!(g->live[c / 64] >> (c % 64) & 1) || !g->context[c].active) continue;
    bool alike = c == g->current || (server && server_of(g, c) == server);
    if (alike && same != NONE) continue;
    if (!fake_start(g, &g->context[c])) continue;
    if (!alike) return c;
    same = c;
  }
  return same;
}

// Time passes for one context's running work; how long until the next of it ends is told before.
static uint64_t next_end(const struct fake_gpu *g, const struct fake_context *c, uint64_t until) {
  for (uint64_t rest = c->active; rest; rest &= rest - 1) {
    const struct fake_op *op = &c->op[c->head[__builtin_ctzll(rest)]];
    if (op->running && !fake_waits_for_peer(op) && g->at + op->left_ns < until) until = g->at + op->left_ns;
  }
  return until;
}

static void pass(struct fake_gpu *g, struct fake_context *c, uint64_t passed) {
  bool worked = false;
  for (uint64_t rest = c->active; rest; rest &= rest - 1) {
    int s = __builtin_ctzll(rest);
    struct fake_op *op = &c->op[c->head[s]];
    if (!op->running) continue;
    worked = true;
    if (fake_waits_for_peer(op)) continue;
    op->left_ns -= op->left_ns < passed ? op->left_ns : passed;
    if (op->left_ns == 0 && (op->left_ns = fake_residency_next(g, op)) == 0) fake_pop(c, s);
  }
  if (worked) c->busy_ns += passed;
}

void fake_advance(struct fake_gpu *g, uint64_t now) {
  while (g->at < now) {
    bool working = g->current != NONE && g->context[g->current].in_use && start_all(g, g->current);
    if (!working || g->at >= g->slice_end) {
      int next = next_context(g);
      if (next == NONE) {
        g->at = now;
        return;
      }
      if (next != g->current) {
        bool together = g->current != NONE && server_of(g, next) && server_of(g, next) == server_of(g, g->current);
        if (!together) {
          g->at += g->switch_ns;
          g->switches++;
        }
        g->current = next;
      }
      g->slice_end = g->at + g->slice_ns;
      if (g->at >= now) return;
    }
    uint64_t until = now < g->slice_end ? now : g->slice_end;
    for (int c = beside(g, g->current, 0); c != NONE; c = beside(g, g->current, c + 1))
      until = next_end(g, &g->context[c], until);
    uint64_t passed = until - g->at;
    for (int c = beside(g, g->current, 0); c != NONE; c = beside(g, g->current, c + 1)) pass(g, &g->context[c], passed);
    g->busy_ns += passed;
    g->at = until;
    start_all(g, g->current);
  }
}
