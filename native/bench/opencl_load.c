// Keeps an OpenCL device busy with a kernel whose result is known, and prints how many kernels ended in the window.
//   opencl_load key=value…   items=1024 rounds=20000 depth=4 queues=1 ms=1000 from=0 to=0 (CLOCK_MONOTONIC ns)
// Output: one line, `kernels=N work_ns=N checksum=N wrong=N` (work_ns counts a kernel as 1 ms: only ratios mean anything).
#include <string.h>

#include "../common/futex.h"
#include "../tests/opencl_api.h"
#include "option.h"

static const char *source =
    "kernel void churn(global uint *out, uint rounds) {"
    "  uint x = get_global_id(0) + 1;"
    "  for (uint i = 0; i < rounds; i++) x = x * 1664525u + 1013904223u + (x >> 13);"
    "  out[get_global_id(0)] = x;"
    "}";

static unsigned expected(unsigned id, unsigned rounds) {
  unsigned x = id + 1;
  for (unsigned i = 0; i < rounds; i++) x = x * 1664525u + 1013904223u + (x >> 13);
  return x;
}

int main(int argc, char **argv) {
  OPTION(items, 1024);
  OPTION(rounds, 20000);
  OPTION(depth, 4);
  OPTION(queues, 1);
  OPTION(ms, 1000);
  OPTION(from, 0);
  OPTION(to, 0);
  if (depth < 1 || depth > 64 || queues < 1 || queues > 16) return 2;
  struct opencl c = opencl_open();
  int error;
  void *program = clCreateProgramWithSource(c.context, 1, &source, NULL, &error);
  CHECK(clBuildProgram(program, 1, &c.device, "", NULL, NULL));
  void *kernel = clCreateKernel(program, "churn", &error), *buffer = clCreateBuffer(c.context, 1, items * 4, NULL, &error);
  unsigned r = (unsigned)rounds;
  CHECK(clSetKernelArg(kernel, 0, sizeof buffer, &buffer));
  CHECK(clSetKernelArg(kernel, 1, sizeof r, &r));
  void *queue[16] = {c.queue}, *event[64] = {NULL};
  for (unsigned i = 1; i < queues; i++) queue[i] = clCreateCommandQueue(c.context, c.device, 0, &error);
  size_t size = items;
  // Compiled at the first launch, which is not to be counted.
  CHECK(clEnqueueNDRangeKernel(c.queue, kernel, 1, NULL, &size, NULL, 0, NULL, NULL));
  CHECK(clFinish(c.queue));
  if (!from) from = vgpu_now_ns();
  if (!to) to = from + ms * 1000000;
  uint64_t kernels = 0;
  for (uint64_t i = 0;; i++) {
    if (i >= depth) {
      CHECK(clWaitForEvents(1, &event[i % depth]));
      CHECK(clReleaseEvent(event[i % depth]));
      uint64_t now = vgpu_now_ns();
      if (now >= to) break;
      if (now >= from) kernels++;
    }
    void *q = queue[i % queues];
    CHECK(clEnqueueNDRangeKernel(q, kernel, 1, NULL, &size, NULL, 0, NULL, &event[i % depth]));
    CHECK(clFlush(q));
  }
  for (unsigned i = 0; i < queues; i++) CHECK(clFinish(queue[i]));
  unsigned *out = malloc(items * 4);
  CHECK(clEnqueueReadBuffer(c.queue, buffer, 1, 0, items * 4, out, 0, NULL, NULL));
  uint64_t sum = 0, wrong = 0;
  for (unsigned i = 0; i < items; i++) {
    sum = sum * 31 + out[i];
    if (i % (items / 16 + 1) == 0) wrong += out[i] != expected(i, r);
  }
  printf("kernels=%llu work_ns=%llu checksum=%llu wrong=%llu\n", (unsigned long long)kernels,
         (unsigned long long)(kernels * 1000000), (unsigned long long)(sum & 0xffffffffffff), (unsigned long long)wrong);
  return wrong != 0;
}
