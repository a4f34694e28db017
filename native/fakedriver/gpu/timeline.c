// How time passes on the GPU.
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "../../common/futex.h"
#include "gpu.h"

static bool valid(int16_t op) { return op >= 0 && op < FAKE_OPS; }

static void pop(struct fake_context *c, int s) {
  int16_t i = c->head[s];
  c->head[s] = c->op[i].next;
  if (!valid(c->head[s])) {
    c->head[s] = c->tail[s] = NONE;
    c->active &= ~(1ull << s);
  }
  c->op[i].next = c->free_op;
  c->free_op = i;
}

// Stream 0 waits for everything that was submitted before, and everything later waits for it.
static bool in_order(const struct fake_context *c, int s) {
  uint64_t mine = c->op[c->head[s]].sequence;
  if (s != 0)
    return !c->blocking[s] || !(c->active & 1) || !valid(c->head[0]) || c->op[c->head[0]].sequence > mine;
  for (uint64_t rest = c->active & ~1ull; rest; rest &= rest - 1) {
    int o = __builtin_ctzll(rest);
    if (c->blocking[o] && valid(c->head[o]) && c->op[c->head[o]].sequence < mine) return false;
  }
  return true;
}

// Whether all that was submitted to other streams before is done.
static bool first_of_all(const struct fake_context *c, int s) {
  uint64_t mine = c->op[c->head[s]].sequence;
  for (uint64_t rest = c->active; rest; rest &= rest - 1) {
    int o = __builtin_ctzll(rest);
    if (o != s && valid(c->head[o]) && c->op[c->head[o]].sequence < mine) return false;
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
    if (valid(c->head[s]) && c->op[c->head[s]].running) width += c->op[c->head[s]].width;
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

// Starts what can start. Returns whether the context has work for the multiprocessors.
static bool start(struct fake_gpu *g, struct fake_context *c) {
  bool changed = true, working = false;
  uint32_t sms = room(g, c);
  bool spreads = server_of(g, (int)(c - g->context)) != 0;
  while (changed) {
    changed = working = false;
    uint32_t used = 0;
    for (uint64_t rest = c->active; rest; rest &= rest - 1) {
      int s = __builtin_ctzll(rest);
      if (valid(c->head[s]) && c->op[c->head[s]].running) used += c->op[c->head[s]].width, working = true;
    }
    for (uint64_t rest = c->active; rest; rest &= rest - 1) {
      int s = __builtin_ctzll(rest);
      if (!valid(c->head[s])) {
        c->active &= ~(1ull << s);
        continue;
      }
      struct fake_op *op = &c->op[c->head[s]];
      if (op->running && spreads && op->width < op->want && used < sms) {
        uint32_t by = op->want - op->width < sms - used ? op->want - op->width : sms - used;
        widen(op, by);
        used += by;
      }
      if (op->running || !in_order(c, s)) continue;
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
        pop(c, s);
        changed = true;
      } else if (op->kind == FAKE_WAIT && c->event[op->event].done >= op->generation) {
        pop(c, s);
        changed = true;
      }
    }
  }
  return working;
}

// Starts what can start of everything that runs at the same time as `like`; not always the same context first.
static bool start_all(struct fake_gpu *g, int like) {
  if (!server_of(g, like)) return start(g, &g->context[like]);
  bool working = false;
  int first = beside(g, like, (int)(g->rotation++ % FAKE_CONTEXTS));
  for (int c = first; c != NONE; c = beside(g, like, c + 1)) working |= start(g, &g->context[c]);
  for (int c = beside(g, like, 0); c != NONE && (first == NONE || c < first); c = beside(g, like, c + 1))
    working |= start(g, &g->context[c]);
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
    if (!start(g, &g->context[c])) continue;
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
    if (op->left_ns == 0 && (op->left_ns = fake_residency_next(g, op)) == 0) pop(c, s);
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

int fake_context_create(void) {
  struct fake_gpu *g = fake_gpu();
  if (!g || !fake_memory_take(g->context_bytes)) return NONE;
  fake_lock(g);
  int found = NONE;
  for (int i = 0; i < FAKE_CONTEXTS && found == NONE; i++)
    if (!(g->live[i / 64] >> (i % 64) & 1)) found = i;
  if (found != NONE) {
    struct fake_context *c = &g->context[found];
    c->process = fake_self();
    c->active = 0;
    c->streams = 1;
    c->sequence = c->busy_ns = 0;
    c->next_event = 0;
    c->recorder = NONE;
    memset(c->event, 0, sizeof c->event);
    for (int s = 0; s < FAKE_STREAMS; s++) c->head[s] = c->tail[s] = NONE;
    for (int i = 0; i < FAKE_OPS; i++) c->op[i].next = (int16_t)(i + 1 < FAKE_OPS ? i + 1 : NONE);
    c->free_op = 0;
    c->blocking[0] = true;
    c->in_use = 1;
    g->live[found / 64] |= 1ull << (found % 64);
  }
  fake_unlock(g);
  if (found == NONE) fake_memory_give(g->context_bytes);
  return found;
}

void fake_context_destroy(int context) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  g->context[context].in_use = 0;
  g->live[context / 64] &= ~(1ull << (context % 64));
  g->context[context].active = 0;
  if (g->current == context) g->current = NONE;
  fake_unlock(g);
  fake_memory_give(g->context_bytes);
}

int fake_stream_create(int context, bool blocking) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  struct fake_context *c = &g->context[context];
  int s = ~c->streams ? __builtin_ctzll(~c->streams) : NONE;
  if (s != NONE) {
    c->streams |= 1ull << s;
    c->blocking[s] = blocking;
  }
  fake_unlock(g);
  return s;
}

void fake_stream_destroy(int context, int stream) {
  fake_stream_wait(context, stream);
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  g->context[context].streams &= ~(1ull << stream);
  fake_unlock(g);
}

// Sleeping as precisely as a device would interrupt.
static void sleep_until(uint64_t then) {
  static _Thread_local bool precise;
  if (!precise) prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  precise = true;
  uint64_t now = vgpu_now_ns();
  if (then > now) vgpu_sleep_ns(then - now);
  else sched_yield();
}

void fake_submit(int context, int stream, struct fake_op op) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  struct fake_context *c = &g->context[context];
  while (!valid(c->free_op)) {
    uint64_t then = g->at + 50000;
    fake_unlock(g);
    sleep_until(then);
    fake_lock(g);
  }
  int16_t i = c->free_op;
  c->free_op = c->op[i].next;
  op.sequence = ++c->sequence;
  op.next = NONE;
  op.running = false;
  c->op[i] = op;
  if (valid(c->tail[stream])) c->op[c->tail[stream]].next = i;
  else c->head[stream] = i;
  c->tail[stream] = i;
  c->active |= 1ull << stream;
  if (op.kind == FAKE_WORK) g->launches++;
  start(g, c);
  fake_unlock(g);
}

void fake_work(int context, int stream, uint64_t blocks, uint64_t block_ns, const struct fake_span *spans) {
  uint32_t sms = fake_sms();
  uint64_t waves = (blocks + sms - 1) / sms;
  struct fake_op op = {.kind = FAKE_WORK,
                       .width = blocks < sms ? (uint32_t)(blocks ? blocks : 1) : sms,
                       .left_ns = (waves ? waves : 1) * (block_ns ? block_ns : 1)};
  if (spans) memcpy(op.span, spans, sizeof op.span);
  fake_submit(context, stream, op);
}

void fake_meet(int context, int stream, uint64_t block_ns, uint32_t meeting, uint32_t rank, uint64_t round) {
  fake_submit(context, stream,
              (struct fake_op){.kind = FAKE_WORK, .width = fake_sms(), .left_ns = block_ns ? block_ns : 1,
                               .meeting = meeting, .rank = rank, .round = round});
}

uint64_t fake_record(int context, int stream, uint32_t event) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  uint64_t generation = ++g->context[context].event[event].recorded;
  fake_unlock(g);
  fake_submit(context, stream, (struct fake_op){.kind = FAKE_RECORD, .event = event, .generation = generation});
  return generation;
}

uint64_t fake_record_all(int context, uint32_t event) {
  struct fake_gpu *g = fake_gpu();
  if (g->context[context].recorder == NONE) g->context[context].recorder = (int16_t)fake_stream_create(context, false);
  fake_lock(g);
  uint64_t generation = ++g->context[context].event[event].recorded;
  fake_unlock(g);
  fake_submit(context, g->context[context].recorder,
              (struct fake_op){.kind = FAKE_RECORD, .all = true, .event = event, .generation = generation});
  return generation;
}

// The earliest time at which the stream can be through, were the device its own.
static uint64_t earliest(const struct fake_gpu *g, const struct fake_context *c, int stream) {
  uint64_t at = g->at;
  for (int16_t i = c->head[stream]; valid(i); i = c->op[i].next) at += fake_op_left(&c->op[i]);
  return at;
}

static bool done(const struct fake_context *c, int stream, uint64_t sequence) {
  return !valid(c->head[stream]) || c->op[c->head[stream]].sequence > sequence;
}

bool fake_stream_done(int context, int stream, uint64_t sequence) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  const struct fake_context *c = &g->context[context];
  bool all = true;
  for (int s = 0; s < FAKE_STREAMS && all; s++)
    if (stream == NONE || s == stream || (stream == 0 && c->blocking[s])) all = done(c, s, sequence);
  fake_unlock(g);
  return all;
}

void fake_stream_wait(int context, int stream) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  const struct fake_context *c = &g->context[context];
  uint64_t sequence = c->sequence;
  for (int s = 0; s < FAKE_STREAMS; s++) {
    if (stream != NONE && s != stream && !(stream == 0 && c->blocking[s])) continue;
    while (c->in_use && !done(c, s, sequence)) {
      uint64_t then = earliest(g, c, s);
      if (then < g->at + 20000) then = g->at + 20000;
      fake_unlock(g);
      sleep_until(then);
      fake_lock(g);
    }
  }
  fake_unlock(g);
}

bool fake_event_done(int context, uint32_t event, uint64_t generation) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  bool is = g->context[context].event[event].done >= generation;
  fake_unlock(g);
  return is;
}

void fake_event_wait(int context, uint32_t event, uint64_t generation) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  const struct fake_context *c = &g->context[context];
  while (c->in_use && c->event[event].done < generation) {
    uint64_t then = UINT64_MAX;
    for (uint64_t rest = c->active; rest; rest &= rest - 1) {
      int s = __builtin_ctzll(rest);
      uint64_t at = g->at;
      for (int16_t i = c->head[s]; valid(i); i = c->op[i].next) {
        at += fake_op_left(&c->op[i]);
        if (c->op[i].kind == FAKE_RECORD && c->op[i].event == event && c->op[i].generation >= generation && at < then)
          then = at;
      }
    }
    if (then == UINT64_MAX || then < g->at + 20000) then = g->at + 20000;
    fake_unlock(g);
    sleep_until(then);
    fake_lock(g);
  }
  fake_unlock(g);
}

bool fake_host_due(int context, int *stream, uint64_t *ticket) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  struct fake_context *c = &g->context[context];
  bool found = false;
  for (int s = 0; c->in_use && s < FAKE_STREAMS && !found; s++) {
    if (!valid(c->head[s])) continue;
    struct fake_op *op = &c->op[c->head[s]];
    if (op->kind != FAKE_HOST || op->host_taken || !in_order(c, s)) continue;
    op->host_taken = found = true;
    *stream = s;
    *ticket = op->ticket;
  }
  fake_unlock(g);
  return found;
}

void fake_host_done(int context, int stream) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  struct fake_context *c = &g->context[context];
  if (c->in_use && valid(c->head[stream]) && c->op[c->head[stream]].kind == FAKE_HOST) pop(c, stream);
  start(g, c);
  fake_unlock(g);
}
