// What a launch costs the host: cuda_launch [batches]. Launches in batches of 200 small kernels, times each batch's
// launches without the wait that follows, and prints the least and the median time of one launch in nanoseconds.
#include <string.h>

#include "../common/futex.h"
#include "../tests/cuda_api.h"

#define BATCH 200

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  unsigned batches = argc > 1 ? (unsigned)atoi(argv[1]) : 400;
  uint64_t *took = calloc(batches, sizeof *took);
  cuda_load();
  void *context, *module, *f, *stream;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuModuleLoadData(&module, ""));
  CHECK(cuModuleGetFunction(&f, module, "spin_100"));
  CHECK(cuStreamCreate(&stream, 1));
  for (unsigned b = 0; b < batches; b++) {
    uint64_t start = vgpu_now_ns();
    for (int i = 0; i < BATCH; i++) CHECK(cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL));
    took[b] = (vgpu_now_ns() - start) / BATCH;
    CHECK(cuStreamSynchronize(stream));
  }
  qsort(took, batches, sizeof *took, ascending);
  printf("least_ns=%llu median_ns=%llu\n", (unsigned long long)took[0], (unsigned long long)took[batches / 2]);
  return 0;
}
