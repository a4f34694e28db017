// OpenCL for test programs, through the loader, without its headers.
#ifndef TEST_OPENCL_API_H
#define TEST_OPENCL_API_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OPENCL_FUNCTIONS \
  F(int, clGetPlatformIDs, (unsigned, void **, unsigned *)) \
  F(int, clGetDeviceIDs, (void *, uint64_t, unsigned, void **, unsigned *)) \
  F(int, clGetDeviceInfo, (void *, unsigned, size_t, void *, size_t *)) \
  F(void *, clCreateContext, (const void *, unsigned, void **, void *, void *, int *)) \
  F(void *, clCreateCommandQueue, (void *, void *, uint64_t, int *)) F(int, clReleaseCommandQueue, (void *)) \
  F(void *, clCreateProgramWithSource, (void *, unsigned, const char **, const size_t *, int *)) \
  F(int, clBuildProgram, (void *, unsigned, void **, const char *, void *, void *)) \
  F(void *, clCreateKernel, (void *, const char *, int *)) F(int, clSetKernelArg, (void *, unsigned, size_t, const void *)) \
  F(void *, clCreateBuffer, (void *, uint64_t, size_t, void *, int *)) F(int, clReleaseMemObject, (void *)) \
  F(int, clRetainMemObject, (void *)) F(void *, clSVMAlloc, (void *, uint64_t, size_t, unsigned)) \
  F(void, clSVMFree, (void *, void *)) \
  F(void *, clCreateImage2D, (void *, uint64_t, const void *, size_t, size_t, size_t, void *, int *)) \
  F(int, clEnqueueNDRangeKernel, (void *, void *, unsigned, const size_t *, const size_t *, const size_t *, unsigned, void **, void **)) \
  F(int, clEnqueueReadBuffer, (void *, void *, unsigned, size_t, size_t, void *, unsigned, void **, void **)) \
  F(int, clWaitForEvents, (unsigned, void **)) F(int, clReleaseEvent, (void *)) F(int, clFlush, (void *)) F(int, clFinish, (void *))

#define F(type, name, parameters) static type(*name) parameters;
OPENCL_FUNCTIONS
#undef F

static inline void opencl_load(void) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(77);
  }
#define F(type, name, parameters) *(void **)&name = dlsym(library, #name);
  OPENCL_FUNCTIONS
#undef F
}

struct opencl {
  void *platform, *device, *context, *queue;
};

// The first device of the first platform; exits with 77 where there is none.
static inline struct opencl opencl_open(void) {
  struct opencl c = {0};
  unsigned n = 0;
  int error;
  opencl_load();
  if (clGetPlatformIDs(1, &c.platform, &n) || n == 0 || clGetDeviceIDs(c.platform, 0xFFFFFFFF, 1, &c.device, &n) || n == 0) {
    fprintf(stderr, "no OpenCL device\n");
    exit(77);
  }
  c.context = clCreateContext(NULL, 1, &c.device, NULL, NULL, &error);
  c.queue = c.context ? clCreateCommandQueue(c.context, c.device, 0, &error) : NULL;
  if (!c.queue) {
    fprintf(stderr, "OpenCL error %d\n", error);
    exit(1);
  }
  return c;
}

#define CHECK(call) \
  do { \
    int check_result = (call); \
    if (check_result) { \
      fprintf(stderr, "%s:%d: %s = %d\n", __FILE__, __LINE__, #call, check_result); \
      exit(1); \
    } \
  } while (0)

#endif
