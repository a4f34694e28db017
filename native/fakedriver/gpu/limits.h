#ifndef FAKE_LIMITS_H
#define FAKE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_LIMITS 64
#define FAKE_GROUP_MAX 256

struct fake_limit {
  uint32_t in_use;
  char group[FAKE_GROUP_MAX]; // from the root of the hierarchy
  char mount[FAKE_GROUP_MAX]; // where that lies, for who set it
  uint64_t soft, hard;        // bytes
};

struct fake_gpu;
// The group of cgroup v2 that this process is in; empty: none.
void fake_group_of_self(char out[FAKE_GROUP_MAX]);
// The group that a folder stands for; false: none, or it is not there.
bool fake_group_of(const char *path, char out[FAKE_GROUP_MAX], char mount[FAKE_GROUP_MAX]);
// With the GPU's lock held: the limit that counts for a group, or NULL; what its processes hold; and a new one.
struct fake_limit *fake_limit_on(struct fake_gpu *g, const char *group);
uint64_t fake_limit_used(struct fake_gpu *g, const struct fake_limit *l);
bool fake_limit_set(struct fake_gpu *g, const char *group, const char *mount, uint64_t soft, uint64_t hard);

#endif
