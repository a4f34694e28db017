// What a launch costs the host: cuda_launch [batches] [kernel] [stream]. Launches in batches of 200, times each batch's
// launches without the wait that follows, and prints the least and the median time of one launch in nanoseconds.
// kernel: `spin_100` (default) or `nothing_0`, which the fake driver answers at once: what is left is what stands in
// front of it; `touch_100` is given memory, which an over-committed slice looks at. stream: `own` (default), `legacy` or `thread`, the default streams.
#include <string.h>

#include "../common/futex.h"
#include "../tests/cuda_api.h"

#define BATCH 200

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  unsigned batches = argc > 1 ? (unsigned)atoi(argv[1]) : 400;
  const char *kernel = argc > 2 ? argv[2] : "spin_100", *kind = argc > 3 ? argv[3] : "own";
  double *took = calloc(batches, sizeof *took);
  cuda_load();
  void *context, *module, *f, *stream = NULL;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuModuleLoadData(&module, ""));
  CHECK(cuModuleGetFunction(&f, module, kernel));
  if (strcmp(kind, "own") == 0) CHECK(cuStreamCreate(&stream, 1));
  devptr memory = 0;
  size_t bytes = 4096;
  void *touched[] = {&memory, &bytes}, **parameters = strncmp(kernel, "touch_", 6) == 0 ? touched : NULL;
  if (parameters) CHECK(cuMemAlloc_v2(&memory, bytes));
  __typeof__(cuLaunchKernel) launch = strcmp(kind, "thread") ? cuLaunchKernel : cuLaunchKernel_ptsz;
  for (unsigned b = 0; b < batches; b++) {
    uint64_t start = vgpu_now_ns();
    for (int i = 0; i < BATCH; i++) CHECK(launch(f, 1, 1, 1, 1, 1, 1, 0, stream, parameters, NULL));
    took[b] = (double)(vgpu_now_ns() - start) / BATCH;
    CHECK(cuStreamSynchronize(stream));
  }
  qsort(took, batches, sizeof *took, ascending);
  printf("least_ns=%.1f median_ns=%.1f\n", took[0], took[batches / 2]);
  return 0;
}
