// Contexts and their streams: what is submitted to them, and waiting for it.
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "../../common/futex.h"
#include "timeline.h"

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
  while (!fake_op_valid(c->free_op)) {
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
  if (fake_op_valid(c->tail[stream])) c->op[c->tail[stream]].next = i;
  else c->head[stream] = i;
  c->tail[stream] = i;
  c->active |= 1ull << stream;
  if (op.kind == FAKE_WORK) g->launches++;
  fake_start(g, c);
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
  for (int16_t i = c->head[stream]; fake_op_valid(i); i = c->op[i].next) at += fake_op_left(&c->op[i]);
  return at;
}

static bool done(const struct fake_context *c, int stream, uint64_t sequence) {
  return !fake_op_valid(c->head[stream]) || c->op[c->head[stream]].sequence > sequence;
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
      for (int16_t i = c->head[s]; fake_op_valid(i); i = c->op[i].next) {
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
    if (!fake_op_valid(c->head[s])) continue;
    struct fake_op *op = &c->op[c->head[s]];
    if (op->kind != FAKE_HOST || op->host_taken || !fake_in_order(c, s)) continue;
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
  if (c->in_use && fake_op_valid(c->head[stream]) && c->op[c->head[stream]].kind == FAKE_HOST) fake_pop(c, stream);
  fake_start(g, c);
  fake_unlock(g);
}
