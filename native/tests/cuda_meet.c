// One of two processes whose kernels wait for each other on two GPUs: cuda_meet place=N rank=0|1 ns=N from=NS to=NS
// (CLOCK_MONOTONIC). Prints `rounds=N`: how many kernels ended within the window.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "../common/futex.h"
#include "cuda_api.h"

static unsigned long long option(int argc, char **argv, const char *name) {
  size_t n = strlen(name);
  for (int i = 1; i < argc; i++)
    if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') return strtoull(argv[i] + n + 1, NULL, 10);
  return 0;
}

static unsigned long long to;
static _Atomic unsigned long long rounds, first_ms;

// At the end of the window one side may be a round ahead, and would wait for the other for ever.
static void *end(void *unused) {
  while (vgpu_now_ns() < to) vgpu_sleep_ns(1000000);
  printf("first_ms=%llu rounds=%llu\n", first_ms, rounds);
  fflush(stdout);
  _exit(0);
  return unused;
}

int main(int argc, char **argv) {
  unsigned long long from = option(argc, argv, "from");
  to = option(argc, argv, "to");
  char name[64];
  snprintf(name, sizeof name, "meet_%llu_%llu_%llu", option(argc, argv, "ns"), option(argc, argv, "place"),
           option(argc, argv, "rank"));
  cuda_load();
  void *context, *module, *f, *stream;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuModuleLoadData(&module, ""));
  CHECK(cuModuleGetFunction(&f, module, name));
  CHECK(cuStreamCreate(&stream, 1));
  while (vgpu_now_ns() < from) vgpu_sleep_ns(200000);
  // Like a training step: a collective, then the host looks at what came of it.
  pthread_t thread;
  pthread_create(&thread, NULL, end, NULL);
  for (;;) {
    CHECK(cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL));
    CHECK(cuStreamSynchronize(stream));
    if (++rounds == 1) first_ms = (vgpu_now_ns() - from) / 1000000;
  }
}
