// Keeps a GPU busy in a chosen way and prints how much device time its work was worth.
//   cuda_load key=value…
//     ns=100000      time of one block        blocks=132  blocks of one kernel     sms=132  multiprocessors
//     streams=1      used in turn             depth=…     pieces in flight (20 ms of them)         chunk=1  launches for each piece
//     graph=0        kernels in a graph that is launched instead; captured         coop=0   cooperative launches
//     gap_us=0       host time after each piece          bytes=0     allocated before
//     from=0 to=0    window, CLOCK_MONOTONIC ns; default: from now for `ms` milliseconds (ms=1000)
// Output: one line, `launches=N work_ns=N elapsed_ns=N longest_wait_ns=N` (work that ended within the window).
#include <string.h>

#include "../common/futex.h"
#include "../tests/cuda_api.h"
#include "option.h"

static void quietly(int result) { CHECK(result); }

int main(int argc, char **argv) {
  OPTION(ns, 100000);
  OPTION(blocks, 132);
  OPTION(sms, 132);
  OPTION(streams, 1);
  OPTION(depth, 0);
  OPTION(chunk, 1);
  OPTION(graph, 0);
  OPTION(coop, 0);
  OPTION(gap_us, 0);
  OPTION(bytes, 0);
  OPTION(ms, 1000);
  OPTION(from, 0);
  OPTION(to, 0);
  if (!depth) {
    depth = 20000000 / ((blocks + sms - 1) / sms * ns * (graph ? graph : 1) * chunk + 1);
    depth = depth < 2 ? 2 : depth > 64 ? 64 : depth;
  }
  if (streams < 1 || streams > 32 || depth < 1 || depth > 1024) return 2;
  cuda_load();
  void *context, *module, *f, *executable = NULL, *stream[32], *event[1024];
  char name[64];
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  devptr memory;
  if (bytes) CHECK(cuMemAlloc_v2(&memory, bytes));
  CHECK(cuModuleLoadData(&module, ""));
  snprintf(name, sizeof name, "spin_%llu", ns);
  CHECK(cuModuleGetFunction(&f, module, name));
  for (unsigned i = 0; i < streams; i++) CHECK(cuStreamCreate(&stream[i], 1));
  for (unsigned i = 0; i < depth; i++) CHECK(cuEventCreate(&event[i], 0));
  if (graph) {
    void *recorded;
    CHECK(cuStreamBeginCapture_v2(stream[0], 0));
    for (unsigned i = 0; i < graph; i++)
      CHECK(cuLaunchKernel(f, (unsigned)blocks, 1, 1, 256, 1, 1, 0, stream[0], NULL, NULL));
    CHECK(cuStreamEndCapture(stream[0], &recorded));
    CHECK(cuGraphInstantiateWithFlags(&executable, recorded, 0));
  }
  uint64_t each = (blocks + sms - 1) / sms * ns * (graph ? graph : 1);
  if (!from) from = vgpu_now_ns();
  if (!to) to = from + ms * 1000000;
  uint64_t launches = 0, done = 0, longest = 0, first = 0, last = 0;
  for (uint64_t i = 0;; i++) {
    if (i >= depth) {
      CHECK(cuEventSynchronize(event[i % depth]));
      uint64_t now = vgpu_now_ns();
      if (now >= to) break;
      if (now >= from) {
        if (!first) first = now;
        else done += chunk, longest = now - last > longest ? now - last : longest;
        last = now;
      }
    }
    if (gap_us) vgpu_sleep_ns(gap_us * 1000);
    void *s = stream[i % streams];
    for (unsigned k = 0; k < chunk; k++) {
      if (graph) quietly(cuGraphLaunch(executable, s));
      else if (coop) quietly(cuLaunchCooperativeKernel(f, (unsigned)blocks, 1, 1, 256, 1, 1, 0, s, NULL));
      else quietly(cuLaunchKernel(f, (unsigned)blocks, 1, 1, 256, 1, 1, 0, s, NULL, NULL));
    }
    launches += chunk;
    CHECK(cuEventRecord(event[i % depth], s));
  }
  printf("launches=%llu work_ns=%llu elapsed_ns=%llu longest_wait_ns=%llu\n", (unsigned long long)launches,
         (unsigned long long)(done * each), (unsigned long long)(to - from), (unsigned long long)longest);
  return 0;
}
