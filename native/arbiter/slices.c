#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/futex.h"
#include "../common/unix_path.h"
#include "server.h"

#define ACTIVE_NS 1000000000ull

void slice_path(const struct server *s, const char *id, const char *file, char out[256]) {
  snprintf(out, 256, "%s/slices/%s%s%s", s->dir, id, file[0] ? "/" : "", file);
}

struct slice *slice_find(struct server *s, const char *id) {
  for (struct slice *x = s->slices; x; x = x->next)
    if (!x->removed && strcmp(x->config.id, id) == 0) return x;
  return NULL;
}

static bool write_config(struct server *s, const struct vgpu_slice_config *config) {
  char path[256], temporary[256], text[1024];
  size_t length = vgpu_slice_config_print(config, text, sizeof text);
  slice_path(s, config->id, "slice", path);
  slice_path(s, config->id, ".slice", temporary);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool good = fchmod(fd, 0644) == 0 && write(fd, text, length) == (ssize_t)length;
  close(fd);
  return good && rename(temporary, path) == 0;
}

static int listen_slice(struct server *s, const char *id) {
  char folder[256], path[256];
  slice_path(s, id, "", folder);
  slice_path(s, id, "arbiter.sock", path);
  unlink(path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  // Anybody who can reach the folder may connect: a container's user has any number.
  if (!vgpu_unix_at(fd, folder, "arbiter.sock", false) || chmod(path, 0666) || listen(fd, 1024)) {
    close(fd);
    return -1;
  }
  return fd;
}

static bool make_account(struct slice *x) {
  x->account_fd = memfd_create("vgpu-account", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (x->account_fd < 0) return false;
  // Sealed: a process that shrank it would make the arbiter die of SIGBUS.
  if (ftruncate(x->account_fd, sizeof *x->account) ||
      fcntl(x->account_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
    return false;
  x->account = mmap(NULL, sizeof *x->account, PROT_READ | PROT_WRITE, MAP_SHARED, x->account_fd, 0);
  if (x->account == MAP_FAILED) return false;
  x->account->magic = VGPU_ACCOUNT_MAGIC;
  x->account->version = VGPU_LAYOUT_VERSION;
  x->account->slots = VGPU_SLOTS_MAX;
  return true;
}

static void apply(struct server *s, struct slice *x) {
  struct vgpu_tenant *t = &x->tenant;
  t->share = x->config.share;
  t->limit = x->config.limit;
  t->qos = x->config.qos;
  t->critical = x->config.critical;
  t->gang = x->config.gang[0] != 0;
  if (!t->gang) t->up = t->barred = false;
  x->account->memory_cap = x->config.memory;
  x->account->overcommit = x->config.overcommit;
  x->account->physical_cap = overcommit_physical_cap(s, &x->config);
  x->account->idle_ns = s->idle_ns;
  x->account->context_estimate = s->context_estimate;
  x->account->device_memory = s->device_memory;
  spatial_apply(s, x);
  struct vgpu_ledger_row *row = x->row;
  row->seq++;
  memcpy(row->id, x->config.id, sizeof row->id);
  row->share_milli = x->config.share;
  row->limit_milli = x->config.limit;
  row->qos = x->config.qos;
  row->critical = x->config.critical;
  row->overcommit = x->config.overcommit;
  row->physical_cap = x->account->physical_cap;
  s->overcommitted = x->config.overcommit;
  for (const struct slice *o = s->slices; o; o = o->next) s->overcommitted += o != x && o->config.overcommit;
  row->memory_cap = x->config.memory;
  fence_set(s, x);
  row->in_use = 1;
  row->seq++;
}

static struct vgpu_ledger_row *free_row(struct server *s) {
  for (int i = 0; i < VGPU_SLICES_MAX; i++)
    if (!s->ledger->row[i].in_use) return &s->ledger->row[i];
  return NULL;
}

static void clear_row(struct vgpu_ledger_row *row) {
  row->seq++;
  row->in_use = 0;
  memset((char *)row + offsetof(struct vgpu_ledger_row, id), 0, sizeof *row - offsetof(struct vgpu_ledger_row, id));
  row->seq++;
}

const char *slice_add(struct server *s, const struct vgpu_slice_config *config) {
  if (slice_find(s, config->id)) return "exists";
  struct vgpu_ledger_row *row = free_row(s);
  if (!row) return "full";
  struct slice *x = calloc(1, sizeof *x);
  if (!x) return "full";
  x->config = *config;
  x->row = row;
  x->peak = s->loading ? report_earlier_peak(s, config->id) : 0;
  memcpy(x->tenant.id, config->id, sizeof x->tenant.id);
  uint64_t now = vgpu_now_ns();
  if (!s->loading) x->config.spatial = false;
  const char *problem = spatial_place(s, x, now);
  if (!problem && config->gang[0] && !gangs_join(s, config->gang)) problem = "gangs";
  if (problem) {
    free(x);
    return problem;
  }
  char path[256];
  slice_path(s, config->id, "", path);
  if ((mkdir(path, 0755) && errno != EEXIST) || chmod(path, 0755) || !write_config(s, &x->config) || !make_account(x))
    goto fail;
  x->source = (struct source){SOURCE_SLICE_LISTEN, listen_slice(s, config->id)};
  if (x->source.fd < 0 || !server_watch(s, &x->source)) goto fail;
  fence_move(s, x, "");
  apply(s, x);
  vgpu_tenant_add(schedule_of(s, x), &x->tenant, now);
  x->next = s->slices;
  s->slices = x;
  spatial_update(s);
  return NULL;
fail:
  if (x->account_fd > 0) close(x->account_fd);
  free(x);
  return "io";
}

const char *slice_change(struct server *s, struct slice *x, const struct vgpu_slice_config *config) {
  if (strcmp(x->config.mps, config->mps) != 0) return "mixed";
  char gang[VGPU_ID_MAX], cgroup[VGPU_CGROUP_MAX];
  memcpy(cgroup, x->config.cgroup, sizeof cgroup);
  memcpy(gang, x->config.gang, sizeof gang);
  if (config->gang[0] && !gangs_join(s, config->gang)) return "gangs";
  x->config = *config;
  x->config.spatial = x->spatial;
  fence_move(s, x, cgroup);
  apply(s, x);
  if (gang[0]) gangs_leave(s, gang); // unless it is the same
  spatial_update(s);
  return write_config(s, &x->config) ? NULL : "io";
}

void slice_remove(struct server *s, struct slice *x) {
  char path[256];
  x->removed = true;
  x->account->removed = 1;
  fence_remove(s, x);
  close(x->source.fd);
  x->source.fd = -1;
  const char *files[] = {"arbiter.sock", "slice", ""};
  for (size_t i = 0; i < 3; i++) {
    slice_path(s, x->config.id, files[i], path);
    if (files[i][0]) unlink(path);
    else rmdir(path);
  }
  clear_row(x->row);
  x->row = NULL;
  if (x->config.gang[0]) gangs_leave(s, x->config.gang);
  spatial_update(s);
  for (struct process *p = s->processes, *next; p; p = next) {
    next = p->next;
    if (p->slice != x) continue;
    if (p->greeted) vgpu_futex_wake(&x->account->slot[p->slot].turn, 1 << 30);
    bool last = x->processes == 1;
    process_close(s, p);
    if (last) return; // disposed of
  }
  if (x->processes == 0) slice_dispose(s, x);
}

void slice_dispose(struct server *s, struct slice *x) {
  vgpu_tenant_remove(schedule_of(s, x), &x->tenant);
  for (struct dead_slot **d = &s->dead; *d;) {
    struct dead_slot *dead = *d;
    if (dead->slice != x) {
      d = &dead->next;
      continue;
    }
    *d = dead->next;
    free(dead);
  }
  for (struct slice **p = &s->slices; *p; p = &(*p)->next)
    if (*p == x) {
      *p = x->next;
      break;
    }
  munmap(x->account, sizeof *x->account);
  close(x->account_fd);
  free(x);
}

// A slice may work ahead of the device as far as nobody is kept waiting by it: without bound while no other slice has a
// process, a little while others are about, and least while they want the device as well.
void slices_set_queues(struct server *s, uint64_t now) {
  for (struct slice *x = s->slices; x; x = x->next) {
    if (x->spatial) { // nobody but its own processes
      x->account->queue_ns = x->processes > 1 ? s->queue_ns : 0;
      continue;
    }
    bool others = false, active = false;
    for (const struct slice *o = s->slices; o; o = o->next) {
      if (o == x || o->processes == 0 || o->spatial) continue;
      others = true;
      active |= o->tenant.wanting || (o->requested_at && now - o->requested_at < ACTIVE_NS);
    }
    // Turns that are long because memory is moved for them are handed over late by as small a part of them.
    uint64_t contended = x->tenant.quantum_ns / 50 > s->queue_ns ? x->tenant.quantum_ns / 50 : s->queue_ns;
    x->account->queue_ns = active ? contended : others ? s->ahead_ns : 0;
  }
}

void slices_load(struct server *s) {
  char path[256], bad[64], text[1024];
  snprintf(path, sizeof path, "%s/slices", s->dir);
  DIR *folder = opendir(path);
  if (!folder) return;
  struct dirent *entry;
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] == '.' || strlen(entry->d_name) > 40) continue;
    slice_path(s, entry->d_name, "slice", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) continue;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    struct vgpu_slice_config config = {0};
    if (n <= 0 || vgpu_slice_config_apply(&config, text, (size_t)n, bad) || strcmp(config.id, entry->d_name) ||
        vgpu_slice_config_finish(&config, bad))
      continue;
    fence_load(s, &config);
    s->loading = true;
    slice_add(s, &config);
    s->loading = false;
  }
  closedir(folder);
}
