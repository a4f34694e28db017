// links: @BUILD@/fakedriver/libcuda.so.1
// Linked to the driver, not loading it: prints the slice's memory.
#include <stdio.h>

int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuMemGetInfo_v2(size_t *, size_t *);
int cuMemAlloc_v2(unsigned long long *, size_t);

int main(void) {
  void *context;
  size_t free_bytes, total;
  unsigned long long p;
  if (cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) || cuCtxSetCurrent(context)) return 1;
  if (cuMemGetInfo_v2(&free_bytes, &total)) return 1;
  printf("free=%zu total=%zu over=%d\n", free_bytes, total, cuMemAlloc_v2(&p, free_bytes + 1));
  return 0;
}
