// Memory, commands and answers of OpenCL.
#include <string.h>

#include "../track.h"
#include "layer.h"

#include "../generated/opencl_work.inc"

#define CL_DEVICE_MAX_MEM_ALLOC_SIZE 0x1010
#define CL_DEVICE_GLOBAL_MEM_SIZE 0x101F
#define CL_MEM_USE_HOST_PTR (1ull << 3)
#define CL_MEM_SIZE 0x1102

static int layer_clGetDeviceInfo(void *device, unsigned name, size_t size, void *value, size_t *needed) {
  int r = OPENCL_CALL(clGetDeviceInfo, int (*)(void *, unsigned, size_t, void *, size_t *))(device, name, size, value, needed);
  if (r || !value || (name != CL_DEVICE_GLOBAL_MEM_SIZE && name != CL_DEVICE_MAX_MEM_ALLOC_SIZE)) return r;
  struct vgpu_member *m = vgpu_opencl_slice_of(device);
  uint64_t cap, *out = value;
  if (!m) return r;
  vgpu_memory_used(m, &cap);
  if (cap && *out > cap) *out = cap;
  return r;
}

static int layer_clReleaseCommandQueue(void *queue) {
  struct vgpu_member *members;
  int n = vgpu_members(&members);
  for (int i = 0; i < n; i++)
    if (members[i].gate) vgpu_lane_forget(members[i].gate, NULL, queue);
  return OPENCL_CALL(clReleaseCommandQueue, int (*)(void *))(queue);
}

struct reservation {
  struct vgpu_member *m;
  enum vgpu_kind kind;
  uint64_t bytes;
};

// Begins a flight, which `keep` ends. False: over the cap, and `*error` says so.
static bool reserve(struct reservation *r, void *context, enum vgpu_kind kind, uint64_t bytes, int *error) {
  *r = (struct reservation){vgpu_opencl_slice_of_context(context), kind, bytes};
  if (!r->m || bytes == 0) {
    r->m = NULL;
    return true;
  }
  if (vgpu_take(r->m, kind, bytes)) return true;
  if (error) *error = r->m->failed || !r->m->account ? CL_OUT_OF_RESOURCES : CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return false;
}

// The driver tells when an object is really gone, whoever retained it.
static void destroyed(void *object, void *bytes_and_kind) {
  (void)bytes_and_kind;
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_OPENCL, (uintptr_t)object);
  vgpu_left(&l, true);
}

static void *keep(struct reservation *r, void *object) {
  if (!r->m) return object;
  bool kept = object && vgpu_track(VGPU_SPACE_OPENCL, (uintptr_t)object, (struct vgpu_tracked){r->m, r->kind, r->bytes, NULL, 0, 0});
  if (!kept) vgpu_memory_release(r->m, r->kind, r->bytes);
  vgpu_flight_end(r->m);
  if (!kept) return object;
  OPENCL_CALL(clSetMemObjectDestructorCallback, int (*)(void *, void (*)(void *, void *), void *))(object, destroyed, NULL);
  return object;
}

// Memory of the host that a device uses in place costs the device nothing.
static uint64_t counted(uint64_t flags, size_t bytes) { return flags & CL_MEM_USE_HOST_PTR ? 0 : bytes; }

static void *layer_clCreateBuffer(void *context, uint64_t flags, size_t bytes, void *host, int *error) {
  struct reservation r;
  if (!reserve(&r, context, VGPU_KIND_DEVICE, counted(flags, bytes), error)) return NULL;
  return keep(&r, OPENCL_CALL(clCreateBuffer, void *(*)(void *, uint64_t, size_t, void *, int *))(context, flags, bytes,
                                                                                               host, error));
}

static void *layer_clCreateBufferWithProperties(void *context, const void *properties, uint64_t flags, size_t bytes,
                                                void *host, int *error) {
  struct reservation r;
  if (!reserve(&r, context, VGPU_KIND_DEVICE, counted(flags, bytes), error)) return NULL;
  return keep(&r, OPENCL_CALL(clCreateBufferWithProperties,
                              void *(*)(void *, const void *, uint64_t, size_t, void *, int *))(
                      context, properties, flags, bytes, host, error));
}

// How much an image takes is up to the driver: it is asked, and the image given up if that is too much.
static void *image(void *context, uint64_t flags, void *object, int *error) {
  size_t bytes = 0;
  if (!object) return NULL;
  OPENCL_CALL(clGetMemObjectInfo, int (*)(void *, unsigned, size_t, void *, size_t *))(object, CL_MEM_SIZE, sizeof bytes,
                                                                                      &bytes, NULL);
  struct reservation r;
  if (reserve(&r, context, VGPU_KIND_ARRAY, counted(flags, bytes), error)) return keep(&r, object);
  OPENCL_CALL(clReleaseMemObject, int (*)(void *))(object);
  return NULL;
}

static void *layer_clCreateImage(void *context, uint64_t flags, void *format, void *description, void *host, int *error) {
  return image(context, flags,
               OPENCL_CALL(clCreateImage, void *(*)(void *, uint64_t, void *, void *, void *, int *))(
                   context, flags, format, description, host, error),
               error);
}

static void *layer_clCreateImageWithProperties(void *context, const void *properties, uint64_t flags, void *format,
                                               void *description, void *host, int *error) {
  return image(context, flags,
               OPENCL_CALL(clCreateImageWithProperties,
                           void *(*)(void *, const void *, uint64_t, void *, void *, void *, int *))(
                   context, properties, flags, format, description, host, error),
               error);
}

static void *layer_clCreateImage2D(void *context, uint64_t flags, void *format, size_t w, size_t h, size_t pitch,
                                   void *host, int *error) {
  return image(context, flags,
               OPENCL_CALL(clCreateImage2D, void *(*)(void *, uint64_t, void *, size_t, size_t, size_t, void *, int *))(
                   context, flags, format, w, h, pitch, host, error),
               error);
}

static void *layer_clCreateImage3D(void *context, uint64_t flags, void *format, size_t w, size_t h, size_t d,
                                   size_t row, size_t slice, void *host, int *error) {
  return image(
      context, flags,
      OPENCL_CALL(clCreateImage3D, void *(*)(void *, uint64_t, void *, size_t, size_t, size_t, size_t, size_t, void *, int *))(
          context, flags, format, w, h, d, row, slice, host, error),
      error);
}

static void *layer_clCreatePipe(void *context, uint64_t flags, unsigned packet, unsigned packets, void *properties,
                                int *error) {
  struct reservation r;
  if (!reserve(&r, context, VGPU_KIND_DEVICE, (uint64_t)packet * packets, error)) return NULL;
  return keep(&r, OPENCL_CALL(clCreatePipe, void *(*)(void *, uint64_t, unsigned, unsigned, void *, int *))(
                      context, flags, packet, packets, properties, error));
}

static void *layer_clSVMAlloc(void *context, uint64_t flags, size_t bytes, unsigned alignment) {
  struct reservation r;
  if (!reserve(&r, context, VGPU_KIND_DEVICE, bytes, NULL)) return NULL;
  void *p = OPENCL_CALL(clSVMAlloc, void *(*)(void *, uint64_t, size_t, unsigned))(context, flags, bytes, alignment);
  if (r.m && (!p || !vgpu_track(VGPU_SPACE_POINTER, (uintptr_t)p, (struct vgpu_tracked){r.m, r.kind, r.bytes, NULL, 0, 0})))
    vgpu_memory_release(r.m, r.kind, r.bytes);
  if (r.m) vgpu_flight_end(r.m);
  return p;
}

static void layer_clSVMFree(void *context, void *p) {
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_POINTER, (uintptr_t)p);
  OPENCL_CALL(clSVMFree, void (*)(void *, void *))(context, p);
  vgpu_left(&l, true);
}

// With a callback of the application's, that one frees them, by clSVMFree.
static int layer_clEnqueueSVMFree(void *queue, unsigned n, void **pointers, void *callback, void *data, unsigned n_wait,
                                  void *wait_list, void *event) {
  int r = OPENCL_CALL(clEnqueueSVMFree, int (*)(void *, unsigned, void **, void *, void *, unsigned, void *, void *))(
      queue, n, pointers, callback, data, n_wait, wait_list, event);
  for (unsigned i = 0; r == CL_SUCCESS && !callback && pointers && i < n; i++) {
    struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_POINTER, (uintptr_t)pointers[i]);
    vgpu_left(&l, true);
  }
  return r;
}

// Extensions that allocate or submit past the functions above: as if the driver did not have them.
static bool refused(const char *name) {
  static const char *const names[] = {"clDeviceMemAllocINTEL",    "clSharedMemAllocINTEL",     "clHostMemAllocINTEL",
                                      "clCreateCommandBufferKHR", "clEnqueueCommandBufferKHR", "clSVMAllocARM",
                                      "clCreateBufferWithPropertiesINTEL"};
  for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

static void *layer_clGetExtensionFunctionAddress(const char *name) {
  return refused(name) ? NULL : OPENCL_CALL(clGetExtensionFunctionAddress, void *(*)(const char *))(name);
}

static void *layer_clGetExtensionFunctionAddressForPlatform(void *platform, const char *name) {
  return refused(name) ? NULL
                       : OPENCL_CALL(clGetExtensionFunctionAddressForPlatform, void *(*)(void *, const char *))(platform,
                                                                                                              name);
}

void *const vgpu_opencl_hooks[VGPU_CL_ENTRIES] = {
#define HOOK(name) [VGPU_CL_##name] = (void *)layer_##name,
#include "../generated/opencl_hooks.inc"
#undef HOOK
};
