// What an OpenCL program sees. opencl_probe <command> [argument]; prints key=value lines.
#include <string.h>

#include "opencl_api.h"

static struct opencl c;

static void info(void) {
  uint64_t total = 0, most = 0;
  CHECK(clGetDeviceInfo(c.device, 0x101F, sizeof total, &total, NULL));
  CHECK(clGetDeviceInfo(c.device, 0x1010, sizeof most, &most, NULL));
  printf("total=%llu most=%llu\n", (unsigned long long)total, (unsigned long long)most);
}

// How much of `limit` bytes can be had in one buffer after each kind of allocation, and after giving it back.
static size_t largest(size_t limit) {
  size_t low = 0, high = limit + 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    int error;
    void *b = clCreateBuffer(c.context, 1, middle, NULL, &error);
    if (b) clReleaseMemObject(b), low = middle;
    else high = middle;
  }
  return low;
}

static void kinds(size_t limit) {
  int error;
  void *b = clCreateBuffer(c.context, 1, 3 << 20, NULL, &error);
  printf("kind=buffer taken=%zu\n", limit - largest(limit));
  CHECK(clRetainMemObject(b));
  CHECK(clReleaseMemObject(b));
  printf("kind=retained taken=%zu\n", limit - largest(limit));
  CHECK(clReleaseMemObject(b));
  printf("kind=released taken=%zu\n", limit - largest(limit));
  const unsigned format[2] = {0x10B5, 0x10DE}; // CL_RGBA, CL_FLOAT
  void *i = clCreateImage2D(c.context, 1, format, 512, 256, 0, NULL, &error);
  printf("kind=image taken=%zu\n", limit - largest(limit));
  CHECK(clReleaseMemObject(i));
  char host[4096];
  void *h = clCreateBuffer(c.context, 1 | 1 << 3, sizeof host, host, &error);
  printf("kind=host taken=%zu\n", limit - largest(limit));
  CHECK(clReleaseMemObject(h));
  void *s = clSVMAlloc(c.context, 1, 5 << 20, 0);
  printf("kind=svm taken=%zu\n", s ? limit - largest(limit) : 0);
  clSVMFree(c.context, s);
  printf("kind=end taken=%zu\n", limit - largest(limit));
}

static void exhaust(size_t step) {
  int error = 0;
  size_t n = 0;
  while (clCreateBuffer(c.context, 1, step, NULL, &error)) n++;
  printf("pieces=%zu code=%d svm=%d\n", n, error, clSVMAlloc(c.context, 1, step, 0) != NULL);
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  size_t argument = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
  c = opencl_open();
  if (strcmp(command, "info") == 0) info();
  else if (strcmp(command, "kinds") == 0) kinds(argument);
  else if (strcmp(command, "exhaust") == 0) exhaust(argument);
  else return 2;
  return 0;
}
