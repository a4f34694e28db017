// links: fakedriver/gpu/*.c
// Breaks the fake GPU (VGPU_FAKE_GPU), or mends it: fake_fault xid <number> | lost | found.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fakedriver/gpu/gpu.h"

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  struct fake_gpu *g = fake_gpu();
  if (!g) return 1;
  fake_lock(g);
  int known = 1;
  if (strcmp(what, "xid") == 0 && argc > 2) g->fault[g->faults++ % FAKE_FAULTS] = strtoull(argv[2], NULL, 10);
  else if (strcmp(what, "lost") == 0) __atomic_store_n(&g->lost, 1, __ATOMIC_RELEASE);
  else if (strcmp(what, "found") == 0) __atomic_store_n(&g->lost, 0, __ATOMIC_RELEASE);
  else known = 0;
  fake_unlock(g);
  return known ? 0 : 2;
}
