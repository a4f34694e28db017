// links: @BUILD@/fakedriver/libcuda.so.1
// Linked to the driver, not loading it: prints the slice's memory, and what becomes of a function that slices lack.
#include <stdio.h>

int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuMemGetInfo_v2(size_t *, size_t *);
int cuMemAlloc_v2(unsigned long long *, size_t);
int cuDeviceTotalMem(unsigned *, int); // of CUDA 3.1

int main(void) {
  void *context;
  size_t free_bytes, total;
  unsigned long long p;
  unsigned small = 0;
  if (cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) || cuCtxSetCurrent(context)) return 1;
  if (cuMemGetInfo_v2(&free_bytes, &total)) return 1;
  int over = cuMemAlloc_v2(&p, free_bytes + 1), lacking = cuDeviceTotalMem(&small, 0);
  printf("free=%zu total=%zu over=%d lacking=%d small=%u\n", free_bytes, total, over, lacking, small);
  return 0;
}
