// As much of the CUDA driver API's binary interface as the hooks need. Types that only pass through are pointers.
#ifndef VGPU_CUDA_H
#define VGPU_CUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int CUresult;
typedef void *CUstream;
typedef unsigned long long CUdeviceptr;

enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_SYSTEM_NOT_READY = 802,
};

#define CU_STREAM_LEGACY ((CUstream)1)
#define CU_STREAM_PER_THREAD ((CUstream)2)
#define CU_EVENT_BLOCKING_SYNC 1u
#define CU_EVENT_DISABLE_TIMING 2u
#define CU_STREAM_CAPTURE_MODE_RELAXED 2
#define CU_MEM_ATTACH_GLOBAL 1u
#define CU_MEM_LOCATION_TYPE_NONE 0
#define CU_MEM_LOCATION_TYPE_DEVICE 1
#define CU_MEM_LOCATION_TYPE_HOST 2
#define CU_MEM_ALLOCATION_TYPE_PINNED 1
#define CU_MEM_ALLOCATION_TYPE_MANAGED 2
#define CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS 89
#define CU_STREAM_NON_BLOCKING 1u
#define CU_GRAPH_NODE_TYPE_GRAPH 4
#define CU_GRAPH_NODE_TYPE_MEM_ALLOC 10
#define CUDA_ARRAY3D_SPARSE 0x40u
#define CUDA_ARRAY3D_DEFERRED_MAPPING 0x80u
#define CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM 2u

struct cu_location {
  int type, id;
};
struct cu_allocation_prop { // the beginning of CUmemAllocationProp
  int type, handle_types;
  struct cu_location location;
};
struct cu_pool_props { // CUmemPoolProps
  int type, handle_types;
  struct cu_location location;
  void *security;
  size_t max_size;
  unsigned short usage;
  unsigned char rest[54];
};
struct cu_mem_alloc_node { // CUDA_MEM_ALLOC_NODE_PARAMS
  struct cu_pool_props pool;
  const void *access;
  size_t n_access, bytes;
  CUdeviceptr pointer;
};
_Static_assert(offsetof(struct cu_mem_alloc_node, bytes) == 104, "memory node");
struct cu_array { // CUDA_ARRAY_DESCRIPTOR
  size_t width, height;
  int format;
  unsigned channels;
};
struct cu_array3d { // CUDA_ARRAY3D_DESCRIPTOR
  size_t width, height, depth;
  int format;
  unsigned channels, flags;
};
struct cu_launch { // the beginning of CUlaunchConfig
  unsigned grid[3], block[3], shared;
  CUstream stream;
};
struct cu_launch_params { // CUDA_LAUNCH_PARAMS
  void *function;
  unsigned grid[3], block[3], shared;
  CUstream stream;
  void **parameters;
};
struct cu_external { // the beginning of CUDA_EXTERNAL_MEMORY_HANDLE_DESC
  int type;
  union {
    int fd;
    struct {
      void *handle;
      const void *name;
    } win32;
    const void *object;
  } handle;
  unsigned long long size;
};
struct cu_uuid {
  unsigned char bytes[16];
};

#include "../generated/prototypes.h"

#endif
