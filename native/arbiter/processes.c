#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

#define LOCK_WAITERS 0x80000000u

static struct vgpu_schedule *its_schedule(struct server *s, const struct process *p) { return schedule_of(s, p->slice); }

static struct vgpu_slot *slot_of(struct process *p) { return &p->slice->account->slot[p->slot]; }

static void ring(struct vgpu_slot *slot) {
  atomic_fetch_add(&slot->bell, 1);
  vgpu_futex_wake(&slot->bell, 1 << 30);
}

static void set_turn(struct process *p, enum vgpu_turn turn) {
  struct vgpu_slot *slot = slot_of(p);
  atomic_store(&slot->turn, p->generation << 2 | (uint32_t)turn);
  vgpu_futex_wake(&slot->turn, 1 << 30);
  if (turn != VGPU_TURN_NONE) ring(slot); // who gives a turn back needs no word that it did
}

static void on_grant(void *self, struct vgpu_client *client, uint64_t quantum_ns) {
  struct server *s = self;
  struct process *p = (struct process *)client;
  struct vgpu_slot *slot = slot_of(p);
  p->generation = (p->generation + 1) & 0x3fffffff;
  slot->quantum_ns = quantum_ns;
  slot->contended = quantum_ns != 0;
  slot->granted_ns = its_schedule(s, p)->granted_at;
  p->slice->turns++;
  gangs_granted(s, p->slice);
  if (s->recalled_at && !p->slice->spatial) {
    uint64_t took = vgpu_now_ns() - s->recalled_at;
    p->slice->handover_last = took;
    if (took > p->slice->handover_max) p->slice->handover_max = took;
    s->recalled_at = 0;
  }
  if (!p->slice->spatial) s->ledger->holder = p->slice->row ? (uint64_t)(p->slice->row - s->ledger->row) + 1 : 0;
  overcommit_granted(s, p);
  set_turn(p, VGPU_TURN_HELD);
}

static void on_shorten(void *self, struct vgpu_client *client, uint64_t remaining_ns) {
  struct server *s = self;
  struct process *p = (struct process *)client;
  struct vgpu_slot *slot = slot_of(p);
  // Counted from the grant, like the first quantum.
  slot->quantum_ns = vgpu_now_ns() + remaining_ns - its_schedule(s, p)->granted_at;
  slot->contended = 1;
  ring(slot);
}

static void on_recall(void *self, struct vgpu_client *client) {
  struct server *s = self;
  struct process *p = (struct process *)client;
  if (!p->slice->spatial) s->recalled_at = vgpu_now_ns();
  set_turn(p, VGPU_TURN_RECALLED);
}

static void on_strip(void *self, struct vgpu_client *client) {
  struct server *s = self;
  struct process *p = (struct process *)client;
  p->slice->strips++;
  if (!p->slice->spatial) s->ledger->holder = 0;
  set_turn(p, VGPU_TURN_NONE);
}

static bool on_claim(void *self, struct vgpu_client *client, uint64_t now) {
  return gangs_claim(self, ((struct process *)client)->slice, now);
}

const struct vgpu_actions process_actions = {on_grant, on_shorten, on_recall, on_strip, on_claim};

void process_accept(struct server *s, struct slice *slice) {
  int fd = accept4(slice->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct process *p = calloc(1, sizeof *p);
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  if (!p || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) {
    free(p);
    close(fd);
    return;
  }
  p->source = (struct source){SOURCE_PROCESS, fd};
  p->slice = slice;
  p->pid = peer.pid; // as seen from here, whatever namespace the process lives in
  if (!server_watch(s, &p->source)) {
    close(fd);
    free(p);
    return;
  }
  slice->processes++;
  p->next = s->processes;
  s->processes = p;
}

static bool reply(struct process *p, uint32_t type, uint64_t value, int descriptor) {
  struct vgpu_packet packet = {.type = type, .version = VGPU_LAYOUT_VERSION, .width = p->mps_milli, .value = value};
  struct iovec part = {&packet, sizeof packet};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  return sendmsg(p->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof packet;
}

// The account's lock, taken by the arbiter only if it is free: a stopped process may hold it for ever.
static bool try_lock(struct vgpu_account *a) {
  uint32_t none = 0;
  return atomic_compare_exchange_strong(&a->lock, &none, VGPU_SLOTS_MAX + 1);
}

static void unlock(struct vgpu_account *a) {
  if (atomic_exchange(&a->lock, 0) & LOCK_WAITERS) vgpu_futex_wake(&a->lock, 1 << 30);
}

static void forget_slot(struct vgpu_account *a, uint32_t index) {
  struct vgpu_slot *slot = &a->slot[index];
  for (int i = 0; i < VGPU_KINDS; i++) slot->memory[i] = 0;
  uint64_t used = 0, managed = 0;
  for (uint32_t i = 0; i < VGPU_SLOTS_MAX; i++)
    if (a->slot[i].in_use) {
      for (int k = 0; k < VGPU_KINDS; k++) used += a->slot[i].memory[k];
      managed += a->slot[i].memory[VGPU_KIND_MANAGED];
    }
  a->used = used;
  a->pinned = used - managed;
  slot->in_use = 0;
}

static bool reap(struct slice *slice, uint32_t index) {
  struct vgpu_account *a = slice->account;
  // Died inside the lock: nobody else is in there, and what it left half-done is recomputed.
  if ((a->lock & ~LOCK_WAITERS) != index + 1 && !try_lock(a)) return false;
  forget_slot(a, index);
  unlock(a);
  return true;
}

void processes_reap(struct server *s) {
  for (struct dead_slot **d = &s->dead; *d;) {
    struct dead_slot *dead = *d;
    if (!reap(dead->slice, dead->slot)) {
      d = &dead->next;
      continue;
    }
    *d = dead->next;
    free(dead);
  }
}

static void sum_overhead(struct server *s, struct slice *slice) {
  uint64_t sum = 0;
  for (struct process *p = s->processes; p; p = p->next)
    if (p->slice == slice) sum += p->overhead;
  slice->account->overhead = sum;
  report_peak(s, slice);
}

void process_close(struct server *s, struct process *p) {
  struct slice *slice = p->slice;
  for (struct process **q = &s->processes; *q; q = &(*q)->next)
    if (*q == p) {
      *q = p->next;
      break;
    }
  close(p->source.fd);
  if (p->greeted) {
    struct vgpu_slot *slot = slot_of(p);
    if (s->schedule.holder == &p->client) s->ledger->holder = 0;
    vgpu_client_gone(its_schedule(s, p), &p->client, vgpu_now_ns());
    slice->gone_launches += slot->launches;
    slice->gone_denied += slot->denied;
    slice->gone_in += slot->paged_in;
    slice->gone_out += slot->paged_out;
    slice->gone_moving += slot->moving_ns;
    slot->working_set = slot->resident = 0;
    slot->overhead = 0;
    struct dead_slot *dead;
    if (!reap(slice, p->slot) && (dead = calloc(1, sizeof *dead))) {
      *dead = (struct dead_slot){slice, p->slot, s->dead};
      s->dead = dead;
    }
  }
  slice->processes--;
  sum_overhead(s, slice);
  free(p);
  if (slice->removed && slice->processes == 0) slice_dispose(s, slice);
  else if (slice->row) report_row(s, slice);
}

static uint32_t free_slot(const struct server *s, const struct slice *slice) {
  for (uint32_t i = 0; i < VGPU_SLOTS_MAX; i++) {
    if (slice->account->slot[i].in_use) continue;
    bool taken = false; // by our own books: the account can be written to by the slice
    for (const struct process *p = s->processes; p && !taken; p = p->next)
      taken = p->slice == slice && p->greeted && p->slot == i;
    for (const struct dead_slot *d = s->dead; d && !taken; d = d->next) taken = d->slice == slice && d->slot == i;
    if (!taken) return i;
  }
  return VGPU_SLOTS_MAX;
}

static bool greet(struct server *s, struct process *p, const struct vgpu_packet *hello) {
  struct vgpu_account *a = p->slice->account;
  uint32_t index = free_slot(s, p->slice);
  if (p->greeted || hello->version != VGPU_LAYOUT_VERSION || index == VGPU_SLOTS_MAX) {
    reply(p, VGPU_REFUSED, p->greeted ? EPROTO : index == VGPU_SLOTS_MAX ? EAGAIN : EPROTONOSUPPORT, -1);
    return false;
  }
  memset(&a->slot[index], 0, sizeof a->slot[index]);
  p->slot = index;
  p->greeted = true;
  a->slot[index].in_use = 1;
  uint64_t sum = 0;
  for (int k = 0; k < VGPU_KINDS; k++) {
    uint64_t claimed = hello->memory[k] < UINT64_MAX / 16 ? hello->memory[k] : 0;
    a->slot[index].memory[k] = claimed;
    sum += claimed;
  }
  atomic_fetch_add(&a->used, sum); // what it held before the arbiter was started again
  atomic_fetch_add(&a->pinned, sum - a->slot[index].memory[VGPU_KIND_MANAGED]);
  a->slot[index].keep = VGPU_KEEP_ALL;
  a->slot[index].room = s->device_memory ? s->device_memory : UINT64_MAX;
  // One that comes back to an arbiter that took over has what it was given before.
  p->mps_milli = hello->value && hello->width ? hello->width : spatial_width(s, p->slice);
  vgpu_client_add(its_schedule(s, p), &p->client, &p->slice->tenant, vgpu_now_ns());
  if (hello->value) {
    measure_process(s, p);
    sum_overhead(s, p->slice);
  }
  return reply(p, VGPU_WELCOME, index, p->slice->account_fd);
}

void process_read(struct server *s, struct process *p) {
  struct vgpu_packet packet;
  ssize_t n = recv(p->source.fd, &packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n != (ssize_t)sizeof packet || (!p->greeted && packet.type != VGPU_HELLO)) {
    process_close(s, p);
    return;
  }
  uint64_t now = vgpu_now_ns();
  struct vgpu_schedule *schedule = its_schedule(s, p);
  if (packet.type == VGPU_REQUEST || packet.type == VGPU_RELEASE)
    p->client.width = packet.width < p->mps_milli ? packet.width : 0;
  switch (packet.type) {
    case VGPU_HELLO:
      if (!greet(s, p, &packet)) process_close(s, p);
      break;
    case VGPU_REQUEST:
      if (now - p->slice->requested_at > 100000000) {
        p->slice->requested_at = now;
        slices_set_queues(s, now);
      }
      vgpu_client_request(schedule, &p->client, now);
      break;
    case VGPU_RELEASE:
      if (packet.generation != p->generation || p->client.state == VGPU_IDLE || p->client.state == VGPU_WAITING) {
        // Of a turn that was taken from it meanwhile.
        if (packet.value) vgpu_client_request(schedule, &p->client, now);
        break;
      }
      if (schedule->holder == &p->client && !p->slice->spatial) {
        if (schedule->deadline != VGPU_NEVER && !s->recalled_at && now >= schedule->deadline)
          s->recalled_at = schedule->deadline;
        // One that was told to let memory go is late for that.
        bool told = slot_of(p)->keep != VGPU_KEEP_ALL;
        if (schedule->recalled && !told && now > schedule->recalled_at + 5000000) p->slice->overruns++;
        s->ledger->holder = 0;
      }
      p->slice->requested_at = now;
      set_turn(p, VGPU_TURN_NONE);
      vgpu_client_release(schedule, &p->client, packet.value != 0, now);
      s->recalled_at = 0;
      break;
    case VGPU_MEASURE: {
      uint64_t contexts = measure_process(s, p);
      sum_overhead(s, p->slice);
      reply(p, VGPU_MEASURED, contexts, -1);
      break;
    }
    default: process_close(s, p); break;
  }
}
