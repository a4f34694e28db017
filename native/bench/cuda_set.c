// Works through a set of memory again and again, one part of it in each kernel, and checks in the end that every part
// was written to as often as it was launched on.
//   cuda_set key=value…
//     bytes=1073741824  the set            parts=16     allocations that it is made of
//     ns=2000000        time of a kernel   depth=4      kernels in flight
//     managed=0         1: cuMemAllocManaged; 2: from the default pool, stream-ordered
//     graph=0           1: kernels are launched as graphs of one, captured
//     from=0 to=0       window, CLOCK_MONOTONIC ns; default: from now for `ms` milliseconds (ms=1000)
//     passes=0          instead of a window: so many passes over the set
//     stop_after=0      pieces of work after which it stops itself (SIGSTOP), once
//     linger=0          1: waits for the end of its standard input before it ends, its memory still there
// Output: `launches=N work_ns=N elapsed_ns=N first_ns=N wrong=N` and, on the fake driver, what it did with memory.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../common/futex.h"
#include "../tests/cuda_api.h"
#include "option.h"

#define BLOCK (2ull << 20)
#define PARTS 512

int main(int argc, char **argv) {
  OPTION(bytes, 1ull << 30);
  OPTION(parts, 16);
  OPTION(ns, 2000000);
  OPTION(depth, 4);
  OPTION(managed, 0);
  OPTION(graph, 0);
  OPTION(ms, 1000);
  OPTION(from, 0);
  OPTION(to, 0);
  OPTION(passes, 0);
  OPTION(stop_after, 0);
  OPTION(linger, 0);
  if (parts < 1 || parts > PARTS || depth < 1 || depth > 64 || bytes / parts < 4) return 2;
  void *library = cuda_load();
  int (*residency)(uint64_t *) = (int (*)(uint64_t *))dlsym(library, "vgpuFakeResidency");
  void *context, *module, *f, *stream, *event[64], *executable[PARTS];
  devptr part[PARTS];
  uint64_t done_on[PARTS] = {0};
  size_t each = (size_t)(bytes / parts);
  char name[64];
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuModuleLoadData(&module, ""));
  snprintf(name, sizeof name, "touch_%llu", ns);
  CHECK(cuModuleGetFunction(&f, module, name));
  CHECK(cuStreamCreate(&stream, 1));
  for (unsigned i = 0; i < depth; i++) CHECK(cuEventCreate(&event[i], 0));
  for (unsigned i = 0; i < parts; i++) {
    int r = managed == 1   ? cuMemAllocManaged(&part[i], each, 1)
            : managed == 2 ? cuMemAllocAsync(&part[i], each, stream)
                           : cuMemAlloc_v2(&part[i], each);
    if (r) {
      printf("allocated=%u code=%d\n", i, r);
      return 3;
    }
    void *parameters[] = {&part[i], &each}, *recorded;
    if (!graph) continue;
    CHECK(cuStreamBeginCapture_v2(stream, 0));
    CHECK(cuLaunchKernel(f, 132, 1, 1, 256, 1, 1, 0, stream, parameters, NULL));
    CHECK(cuStreamEndCapture(stream, &recorded));
    CHECK(cuGraphInstantiateWithFlags(&executable[i], recorded, 0));
  }
  uint64_t begin = vgpu_now_ns();
  if (!from) from = begin;
  if (!to) to = from + ms * 1000000;
  uint64_t launches = 0, counted = 0, first = 0;
  for (;; launches++) {
    if (launches >= depth) {
      CHECK(cuEventSynchronize(event[launches % depth]));
      uint64_t now = vgpu_now_ns();
      if (!first) first = now - begin;
      if (!passes && now >= to) break;
      if (now >= from) counted++;
    }
    if (passes && launches == passes * parts) break;
    unsigned i = (unsigned)(launches % parts);
    void *parameters[] = {&part[i], &each};
    if (graph) CHECK(cuGraphLaunch(executable[i], stream));
    else CHECK(cuLaunchKernel(f, 132, 1, 1, 256, 1, 1, 0, stream, parameters, NULL));
    done_on[i]++;
    CHECK(cuEventRecord(event[launches % depth], stream));
    if (launches == 0) {
      printf("started=%d\n", (int)getpid());
      fflush(stdout);
    }
    if (stop_after && launches == stop_after) raise(SIGSTOP);
  }
  CHECK(cuCtxSynchronize());
  uint64_t elapsed = vgpu_now_ns() - begin, wrong = 0, seen[6] = {0};
  for (unsigned i = 0; i < parts && !graph; i++)
    for (uint64_t at = 0; at + 4 <= each; at += BLOCK) {
      unsigned word;
      CHECK(cuMemcpyDtoH_v2(&word, part[i] + at, sizeof word));
      wrong += word != (unsigned)done_on[i];
    }
  if (residency) residency(seen);
  printf("launches=%llu work_ns=%llu elapsed_ns=%llu first_ns=%llu wrong=%llu", (unsigned long long)launches,
         (unsigned long long)((passes ? launches : counted) * ns), (unsigned long long)elapsed,
         (unsigned long long)first, (unsigned long long)wrong);
  printf(" resident=%llu faults=%llu moved_in=%llu moved_out=%llu prefetched_in=%llu prefetched_out=%llu\n",
         (unsigned long long)seen[0], (unsigned long long)seen[1], (unsigned long long)seen[2],
         (unsigned long long)seen[3], (unsigned long long)seen[4], (unsigned long long)seen[5]);
  fflush(stdout);
  char c;
  while (linger && read(0, &c, 1) == 1) {
  }
  return wrong ? 1 : 0;
}
