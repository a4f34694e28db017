// links: arbiter/schedule.c arbiter/claims.c arbiter/echo.c
// Runs the arbiter's schedule against simulated clients in virtual time and prints each one's share.
//   schedule_sim <seconds> <tenant>…   tenant = id:share:limit:qos:critical:work_us:gap_us[:clients[:width[:quantum_us:cost_us]]]
// With CAPACITY in the environment (milli) turns are shared by as many as fit; with JITTER (milli) each piece of work is
// shorter than `work_us` by a random part, up to so much of it.
// `quantum_us` is what over-commitment makes of its turns; each of them begins with `cost_us` of moving memory where
// another tenant has had the device meanwhile.
// A client does one piece of work of `work_us`, then computes on the host for `gap_us`, and so on; it works ahead of
// the device as long as its turn lasts when the gap is 0. Prints one line per tenant: id, device time, wait, and the
// part of the time in which it did its work, and the largest difference over any 1 s window between its part of the device time and its share.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../arbiter/schedule.h"

#define MAX 64
#define STEPS 1000 // windows begin so many times a second

struct actor {
  struct vgpu_client client;
  int tenant;
  uint64_t work, gap, done, cost, piece;
  uint64_t asked;    // when it began to wait
  uint64_t next;     // when its current step ends
  int step;          // 0 wants a turn, 1 working, 2 on the host (holding), 3 on the host (without a turn)
  bool recalled;
  uint64_t turn_end;
};

static struct vgpu_schedule schedule;
static struct vgpu_tenant tenants[MAX];
static struct actor actors[MAX];
static int n_tenants, n_actors;
static uint64_t now, moving[MAX], longest_wait[MAX];
static int before = -1; // tenant that had the last turn
static const uint64_t IDLE = 200000, HANDOVER = 100000;

static uint64_t jitter, noise = 88172645463325252ull;

static uint64_t work_of(const struct actor *a) {
  noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17; // xorshift64 (Marsaglia)
  return a->work - a->work * jitter / 1000 * (noise % 1000) / 1000;
}

static struct actor *actor_of(struct vgpu_client *c) { return (struct actor *)c; }
static void grant(void *self, struct vgpu_client *c, uint64_t quantum) {
  (void)self;
  struct actor *a = actor_of(c);
  a->step = 1;
  a->recalled = false;
  a->turn_end = quantum ? now + quantum : VGPU_NEVER;
  a->piece = work_of(a);
  a->next = now + HANDOVER + a->piece;
  if (before != a->tenant) {
    a->next += a->cost;
    moving[a->tenant] += a->cost;
  }
  before = a->tenant;
  if (now - a->asked > longest_wait[a->tenant]) longest_wait[a->tenant] = now - a->asked;
}
static void shorten(void *self, struct vgpu_client *c, uint64_t remaining) {
  (void)self;
  actor_of(c)->turn_end = now + remaining;
}
static void recall(void *self, struct vgpu_client *c) {
  (void)self;
  actor_of(c)->recalled = true;
}
static void strip(void *self, struct vgpu_client *c) {
  (void)self;
  (void)c;
}

static void step(struct actor *a) {
  bool over = a->recalled || now >= a->turn_end;
  switch (a->step) {
    case 1: // work done
      a->done += a->piece;
      if (a->gap) {
        if (over) {
          a->step = 3;
          a->next = now + a->gap;
          vgpu_client_release(&schedule, &a->client, false, now);
        } else {
          a->step = 2;
          a->next = now + (a->gap < IDLE ? a->gap : IDLE);
        }
      } else if (over) {
        a->step = 0;
        a->asked = now;
        vgpu_client_release(&schedule, &a->client, true, now);
      } else {
        a->piece = work_of(a);
        a->next = now + a->piece;
      }
      break;
    case 2: // the short wait for more work is over
      if (a->gap <= IDLE && !over) {
        a->step = 1;
        a->piece = work_of(a);
        a->next = now + a->piece;
      } else {
        a->step = 3;
        a->next = now + (a->gap > IDLE ? a->gap - IDLE : 0);
        vgpu_client_release(&schedule, &a->client, false, now);
      }
      break;
    case 3:
      a->step = 0;
      a->asked = now;
      vgpu_client_request(&schedule, &a->client, now);
      break;
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  uint64_t end = strtoull(argv[1], NULL, 10) * 1000000000ull;
  const struct vgpu_actions actions = {grant, shorten, recall, strip, NULL};
  struct vgpu_settings settings = {10000000, 2000000, 50000000, 10000000000ull};
  vgpu_schedule_init(&schedule, settings, &actions, NULL, 0);
  if (getenv("CAPACITY")) schedule.capacity = (uint32_t)atoi(getenv("CAPACITY"));
  if (getenv("JITTER")) jitter = (uint64_t)atoi(getenv("JITTER"));
  for (int i = 2; i < argc; i++) {
    struct vgpu_tenant *t = &tenants[n_tenants];
    unsigned share, limit, qos, critical, clients = 1, width = 0;
    unsigned long work, gap, quantum = 0, cost = 0;
    if (sscanf(argv[i], "%47[^:]:%u:%u:%u:%u:%lu:%lu:%u:%u:%lu:%lu", t->id, &share, &limit, &qos, &critical, &work, &gap,
               &clients, &width, &quantum, &cost) < 7)
      return 2;
    t->share = share, t->limit = limit, t->qos = (enum vgpu_qos)qos, t->critical = critical;
    t->quantum_ns = quantum * 1000;
    vgpu_tenant_add(&schedule, t, 0);
    for (unsigned k = 0; k < clients && n_actors < MAX; k++) {
      struct actor *a = &actors[n_actors++];
      a->tenant = n_tenants, a->work = work * 1000, a->gap = gap * 1000, a->cost = cost * 1000;
      vgpu_client_add(&schedule, &a->client, t, 0);
      a->client.width = width;
    }
    n_tenants++;
  }
  for (int i = 0; i < n_actors; i++) vgpu_client_request(&schedule, &actors[i].client, 0);
  double worst[MAX] = {0};
  uint64_t window = 1000000000ull, sample = window;
  static uint64_t held_at[MAX][STEPS];
  while (now < end) {
    uint64_t due = vgpu_schedule_due(&schedule, now);
    struct actor *first = NULL;
    for (int i = 0; i < n_actors; i++)
      if (actors[i].step != 0 && (!first || actors[i].next < first->next)) first = &actors[i];
    uint64_t next = first && first->next <= due ? first->next : due;
    if (sample < next) {
      now = sample;
      vgpu_schedule_account(&schedule, now);
      uint64_t index = sample / (window / STEPS);
      for (int i = 0; i < n_tenants; i++) {
        uint64_t held = tenants[i].held_ns, then = held_at[i][index % STEPS];
        held_at[i][index % STEPS] = held;
        if (sample >= 2 * window) {
          double off = (double)(held - then) / (double)window * 1000.0 - tenants[i].share;
          if (off < 0) off = -off;
          if (off > worst[i]) worst[i] = off;
        }
      }
      sample += window / STEPS;
      continue;
    }
    if (next == VGPU_NEVER) break;
    if (next > now) now = next;
    if (first && first->next <= now && first->next <= due) step(first);
    else vgpu_schedule_tick(&schedule, now);
  }
  vgpu_schedule_account(&schedule, now);
  for (int i = 0; i < n_tenants; i++) {
    uint64_t done = 0;
    for (int k = 0; k < n_actors; k++)
      if (actors[k].tenant == i) done += actors[k].done;
    printf("%s held_permille=%.1f worked_permille=%.1f wait_ms=%.1f worst_window_permille=%.1f moving_permille=%.1f "
           "longest_wait_ms=%.1f\n", tenants[i].id,
           (double)tenants[i].held_ns * 1000.0 / (double)now, (double)done * 1000.0 / (double)now,
           (double)tenants[i].wait_ns / 1e6, worst[i],
           tenants[i].held_ns ? (double)moving[i] * 1000.0 / (double)tenants[i].held_ns : 0.0,
           (double)longest_wait[i] / 1e6);
  }
  printf("idle_permille=%.1f handovers=%llu\n", (double)schedule.idle_ns * 1000.0 / (double)now,
         (unsigned long long)schedule.handovers);
  return 0;
}
