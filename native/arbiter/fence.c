// Memory partitions of NVIDIA's driver (615 and later, cgroup v2, not under MIG; "MPS v3 Memory Partitioning"): what all
// processes of a control group may hold of the device, whatever libraries they load. Whoever launches a slice's processes
// says which group they are in; it is held to the slice's memory, in whole MiB, rounded up.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"

#define MIB (1ull << 20)
enum { BY_NOBODY = 0, BY_DRIVER = 1, BY_KERNEL = 2 };

// Not in the slice's own folder: that is for its processes to read, and an older limiter refuses what it does not know.
static void path_of(const struct server *s, const char *id, char out[256]) { snprintf(out, 256, "%s/cgroups/%s", s->dir, id); }

static void keep(const struct server *s, const struct slice *x) {
  char path[256];
  snprintf(path, sizeof path, "%s/cgroups", s->dir);
  if (x->config.cgroup[0]) mkdir(path, 0700);
  path_of(s, x->config.id, path);
  if (!x->config.cgroup[0]) {
    unlink(path);
    return;
  }
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  size_t length = strlen(x->config.cgroup);
  if (write(fd, x->config.cgroup, length) != (ssize_t)length) unlink(path);
  close(fd);
}

void fence_load(const struct server *s, struct vgpu_slice_config *config) {
  char path[256];
  path_of(s, config->id, path);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  ssize_t n = read(fd, config->cgroup, sizeof config->cgroup - 1);
  config->cgroup[n > 0 ? n : 0] = 0;
  close(fd);
}

void fence_set(struct server *s, struct slice *x) {
  // Managed memory, which over-commitment makes of allocations, the driver does not count: there it is what cannot leave.
  uint64_t bytes = x->account->physical_cap ? x->account->physical_cap : x->config.memory;
  x->fence = BY_NOBODY;
  if (x->config.cgroup[0] && bytes && measure_limit(x->config.cgroup, (bytes + MIB - 1) / MIB * MIB)) {
    char path[VGPU_CGROUP_MAX + 16];
    snprintf(path, sizeof path, "%s/dmem.max", x->config.cgroup);
    x->fence = access(path, F_OK) == 0 ? BY_KERNEL : BY_DRIVER; // as NVIDIA says how to tell
  } else if (x->config.cgroup[0] && !bytes) {
    measure_limit(x->config.cgroup, UINT64_MAX);
  }
  if (x->row) x->row->fence = x->fence;
}

void fence_move(struct server *s, struct slice *x, const char *before) {
  if (strcmp(before, x->config.cgroup) == 0) return;
  if (before[0]) measure_limit(before, UINT64_MAX);
  keep(s, x);
}

void fence_remove(struct server *s, struct slice *x) {
  char before[VGPU_CGROUP_MAX];
  memcpy(before, x->config.cgroup, sizeof before);
  x->config.cgroup[0] = 0;
  fence_move(s, x, before);
}
