#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

#define READS 32

// The ledger that an arbiter before left here, which nobody else can write to.
static const struct vgpu_ledger *map_earlier(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return NULL;
  struct stat status;
  bool whole = fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof(struct vgpu_ledger);
  const struct vgpu_ledger *l = whole ? mmap(NULL, sizeof *l, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  close(fd);
  if (l == MAP_FAILED) return NULL;
  if (l->magic == VGPU_LEDGER_MAGIC && l->version == VGPU_LAYOUT_VERSION && l->row_size == sizeof *l->row &&
      l->header_size == offsetof(struct vgpu_ledger, row) && l->rows == VGPU_SLICES_MAX)
    return l;
  munmap((void *)(uintptr_t)l, sizeof *l);
  return NULL;
}

uint64_t report_earlier_peak(const struct server *s, const char *id) {
  for (int i = 0; s->earlier && i < VGPU_SLICES_MAX; i++) {
    const struct vgpu_ledger_row *row = &s->earlier->row[i];
    if (row->in_use && row->seq % 2 == 0 && strncmp(row->id, id, sizeof row->id) == 0) return row->memory_peak;
  }
  return 0;
}

void report_loaded(struct server *s) {
  if (s->earlier) munmap((void *)(uintptr_t)s->earlier, sizeof *s->earlier);
  s->earlier = NULL;
}

bool report_open(struct server *s) {
  char path[256], temporary[256];
  snprintf(path, sizeof path, "%s/ledger", s->dir);
  snprintf(temporary, sizeof temporary, "%s/.ledger", s->dir);
  unlink(temporary);
  s->earlier = map_earlier(path);
  int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool good = fchmod(fd, 0644) == 0 && ftruncate(fd, sizeof *s->ledger) == 0;
  if (good) s->ledger = mmap(NULL, sizeof *s->ledger, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (!good || s->ledger == MAP_FAILED) return false;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct vgpu_ledger *l = s->ledger;
  l->version = VGPU_LAYOUT_VERSION;
  l->row_size = sizeof(struct vgpu_ledger_row);
  l->rows = VGPU_SLICES_MAX;
  l->header_size = offsetof(struct vgpu_ledger, row);
  l->arbiter_pid = (uint64_t)getpid();
  l->started_realtime_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
  memcpy(l->device, s->device, sizeof s->device);
  l->memory_total = s->device_memory;
  l->magic = VGPU_LEDGER_MAGIC;
  return rename(temporary, path) == 0; // readers see a whole header or the one before
}

static void add_slot(const struct slice *x, uint32_t slot, uint64_t memory[VGPU_KINDS]) {
  for (int k = 0; k < VGPU_KINDS; k++) memory[k] += x->account->slot[slot].memory[k];
}

// What the slice's processes hold, by kind. Their words change while they are read, so that their sum may be one that
// never was: it is read again until it is the total that is kept under the account's lock.
static uint64_t read_memory(const struct server *s, const struct slice *x, uint64_t memory[VGPU_KINDS]) {
  uint64_t used = 0;
  for (int i = 0; i < READS; i++) {
    used = x->account->used;
    uint64_t sum = 0;
    memset(memory, 0, VGPU_KINDS * sizeof *memory);
    for (const struct process *p = s->processes; p; p = p->next)
      if (p->slice == x && p->greeted) add_slot(x, p->slot, memory);
    for (const struct dead_slot *d = s->dead; d; d = d->next)
      if (d->slice == x) add_slot(x, d->slot, memory);
    for (int k = 0; k < VGPU_KINDS; k++) sum += memory[k];
    if (sum == used) return used;
  }
  // They are quicker than that: the total counts, and what is under way goes by the kinds that there is most of.
  uint64_t left = used;
  for (int k = 0; k < VGPU_KINDS; k++) left -= memory[k] = memory[k] < left ? memory[k] : left;
  int most = 0;
  for (int k = 1; k < VGPU_KINDS; k++)
    if (memory[k] > memory[most]) most = k;
  memory[most] += left;
  return used;
}

// A slice's processes can write what they like to its account: its peak is believed as far as that could have been.
void report_peak(struct server *s, struct slice *x) {
  const struct vgpu_account *a = x->account;
  uint64_t most = s->device_memory > x->config.memory ? s->device_memory : x->config.memory;
  uint64_t now = a->used + a->overhead, claimed = a->peak > now ? a->peak : now;
  if (most && claimed > most) claimed = most;
  if (claimed > x->peak) x->peak = claimed;
}

void report_row(struct server *s, struct slice *x) {
  struct vgpu_ledger_row *row = x->row;
  uint64_t memory[VGPU_KINDS], launches = x->gone_launches, denied = x->gone_denied, processes = 0;
  for (struct process *p = s->processes; p; p = p->next) {
    if (p->slice != x || !p->greeted) continue;
    struct vgpu_slot *slot = &x->account->slot[p->slot];
    launches += slot->launches;
    denied += slot->denied;
    processes++;
  }
  uint64_t overhead = x->account->overhead, used = read_memory(s, x, memory) + overhead;
  memory[VGPU_KIND_CONTEXT] += overhead;
  report_peak(s, x);
  row->memory_peak = x->peak;
  for (int k = 0; k < VGPU_KINDS; k++) row->memory[k] = memory[k];
  row->memory_used = used;
  row->memory_denied = denied;
  row->processes = processes;
  row->device_ns = x->tenant.used_ns;
  row->wait_ns = x->tenant.wait_ns;
  row->turns = x->turns;
  row->launches = launches;
  row->overruns = x->overruns;
  row->strips = x->strips;
  row->handover_ns_last = x->handover_last;
  row->handover_ns_max = x->handover_max;
  if (x->config.overcommit) overcommit_report(s, x);
}

void report_sample(struct server *s, uint64_t now) {
  vgpu_schedule_account(&s->schedule, now);
  uint64_t busy = s->schedule.busy_ns;
  for (struct slice *x = s->slices; x; x = x->next) {
    if (!x->spatial) continue;
    vgpu_schedule_account(&x->own, now);
    if (x->own.busy_ns > busy) busy = x->own.busy_ns; // at the same time as others
  }
  uint64_t at = s->samples++ % 10;
  for (struct slice *x = s->slices; x; x = x->next) {
    if (!x->row) continue;
    uint64_t held = x->tenant.used_ns - x->past_held[at];
    x->past_held[at] = x->tenant.used_ns;
    uint64_t permille = held / 1000000;
    if (permille > 1000) permille = 1000;
    x->row->utilisation_permille = permille;
    uint64_t share = x->config.share ? x->config.share : 1000, relative = permille * 1000 / share;
    x->account->utilisation_permille = relative > 1000 ? 1000 : relative;
    report_row(s, x);
  }
  overcommit_set_quanta(s, now);
  slices_set_queues(s, now);
  if (busy > s->ledger->device_busy_ns) s->ledger->device_busy_ns = busy;
  s->ledger->device_idle_ns = s->schedule.idle_ns;
  s->ledger->handovers = s->schedule.handovers;
  s->ledger->updated_monotonic_ns = now;
}
