// Memory limits for control groups, as driver 615 keeps them where the kernel has no dmem controller (NVIDIA,
// "MPS v3 Memory Partitioning", the misc backend): set from outside by whoever is root, for a group of cgroup v2 and all
// processes in it, MPS clients or not. A process counts towards its nearest group that has a limit; limits do not nest;
// a group that is removed loses its own. Managed memory does not count.
#include "limits.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gpu.h"

void fake_group_of_self(char out[FAKE_GROUP_MAX]) {
  char line[FAKE_GROUP_MAX + 8];
  out[0] = 0;
  FILE *f = fopen("/proc/self/cgroup", "re");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, "0::/", 4) == 0) snprintf(out, FAKE_GROUP_MAX, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
  if (f) fclose(f);
}

bool fake_group_of(const char *path, char out[FAKE_GROUP_MAX], char mount[FAKE_GROUP_MAX]) {
  char line[1024], point[512], type[64];
  size_t best = 0;
  FILE *f = fopen("/proc/self/mounts", "re");
  while (f && fgets(line, sizeof line, f)) {
    if (sscanf(line, "%*s %511s %63s", point, type) != 2 || strcmp(type, "cgroup2") != 0) continue;
    size_t n = strlen(point);
    if (n <= best || n >= FAKE_GROUP_MAX || strncmp(path, point, n) != 0 || path[n] != '/') continue;
    best = n;
    memcpy(mount, point, n + 1);
  }
  if (f) fclose(f);
  struct stat st;
  return best && snprintf(out, FAKE_GROUP_MAX, "%s", path + best) < FAKE_GROUP_MAX && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool within(const char *group, const char *limited) {
  size_t n = strlen(limited);
  return strncmp(group, limited, n) == 0 && (group[n] == '/' || group[n] == 0);
}

struct fake_limit *fake_limit_on(struct fake_gpu *g, const char *group) {
  struct fake_limit *nearest = NULL;
  for (int i = 0; i < FAKE_LIMITS; i++) {
    struct fake_limit *l = &g->limit[i];
    struct stat st;
    char path[2 * FAKE_GROUP_MAX];
    if (!l->in_use || !within(group, l->group)) continue;
    snprintf(path, sizeof path, "%s%s", l->mount, l->group);
    if (stat(l->mount, &st) == 0 && stat(path, &st) != 0) l->in_use = 0; // the group is gone
    else if (!nearest || strlen(l->group) > strlen(nearest->group)) nearest = l;
  }
  return nearest;
}

uint64_t fake_limit_used(struct fake_gpu *g, const struct fake_limit *l) {
  uint64_t sum = 0;
  for (int i = 0; i < FAKE_PROCESSES; i++) {
    const struct fake_process *p = &g->process[i];
    if (p->in_use && p->group[0] && fake_limit_on(g, p->group) == l) sum += p->memory;
  }
  return sum;
}

bool fake_limit_set(struct fake_gpu *g, const char *group, const char *mount, uint64_t soft, uint64_t hard) {
  struct fake_limit *free_one = NULL, *own = NULL;
  for (int i = 0; i < FAKE_LIMITS; i++) {
    if (!g->limit[i].in_use) free_one = free_one ? free_one : &g->limit[i];
    else if (strcmp(g->limit[i].group, group) == 0) own = &g->limit[i];
  }
  if (!own) own = free_one;
  if (!own) return false;
  *own = (struct fake_limit){.in_use = soft != 0 || hard != UINT64_MAX, .soft = soft, .hard = hard};
  snprintf(own->group, sizeof own->group, "%s", group);
  snprintf(own->mount, sizeof own->mount, "%s", mount);
  return true;
}
