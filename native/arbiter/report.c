#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

bool report_open(struct server *s) {
  char path[256], temporary[256];
  snprintf(path, sizeof path, "%s/ledger", s->dir);
  snprintf(temporary, sizeof temporary, "%s/.ledger", s->dir);
  unlink(temporary);
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

void report_row(struct server *s, struct slice *x) {
  struct vgpu_ledger_row *row = x->row;
  uint64_t memory[VGPU_KINDS] = {0}, used = 0, launches = x->gone_launches, denied = x->gone_denied, processes = 0;
  for (struct process *p = s->processes; p; p = p->next) {
    if (p->slice != x || !p->greeted) continue;
    struct vgpu_slot *slot = &x->account->slot[p->slot];
    for (int k = 0; k < VGPU_KINDS; k++) memory[k] += slot->memory[k];
    launches += slot->launches;
    denied += slot->denied;
    processes++;
  }
  memory[VGPU_KIND_CONTEXT] += x->account->overhead;
  for (int k = 0; k < VGPU_KINDS; k++) {
    row->memory[k] = memory[k];
    used += memory[k];
  }
  if (used > x->peak) x->peak = used;
  row->memory_used = used;
  row->memory_peak = x->peak;
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
