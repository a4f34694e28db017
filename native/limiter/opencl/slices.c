// Devices, contexts and queues of OpenCL: which slice they belong to, and how a queue's work is followed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

#define CL_DEVICE_PLATFORM 0x1031
#define CL_DEVICE_UUID_KHR 0x106A
#define CL_DEVICE_TYPE_ALL 0xFFFFFFFFull
#define CL_PLATFORM_NAME 0x0902
#define CL_CONTEXT_DEVICES 0x1081
#define CL_QUEUE_CONTEXT 0x1090
#define CL_QUEUE_DEVICE 0x1091
#define DEVICES 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
  void *device;
  struct vgpu_member *member;
} known[DEVICES];
static int n_known;

typedef int info_function(void *, unsigned, size_t, void *, size_t *);

static struct vgpu_member *find(void *device) {
  info_function *info = OPENCL_CALL(clGetDeviceInfo, info_function *);
  unsigned char u[16];
  char name[VGPU_DEVICE_MAX];
  if (info(device, CL_DEVICE_UUID_KHR, sizeof u, u, NULL) == CL_SUCCESS) {
    snprintf(name, sizeof name, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    struct vgpu_member *m = vgpu_member_for(name);
    if (m) return m;
  }
  void *platform = NULL, *devices[DEVICES];
  char title[64] = "";
  unsigned n = 0, index = 0;
  info(device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
  OPENCL_CALL(clGetPlatformInfo, info_function *)(platform, CL_PLATFORM_NAME, sizeof title, title, NULL);
  OPENCL_CALL(clGetDeviceIDs, int (*)(void *, uint64_t, unsigned, void **, unsigned *))(platform, CL_DEVICE_TYPE_ALL,
                                                                                       DEVICES, devices, &n);
  while (index < n && index < DEVICES && devices[index] != device) index++;
  if (index == n) index = 0; // a sub-device: of the first, as far as anybody can tell
  snprintf(name, sizeof name, "opencl:%s:%u", title, index);
  return vgpu_member_for(name);
}

struct vgpu_member *vgpu_opencl_slice_of(void *device) {
  struct vgpu_member *m = NULL;
  pthread_mutex_lock(&mutex);
  int i = 0;
  while (i < n_known && known[i].device != device) i++;
  if (i < n_known) m = known[i].member;
  pthread_mutex_unlock(&mutex);
  if (i < n_known) return m;
  m = find(device);
  pthread_mutex_lock(&mutex);
  if (n_known < DEVICES) {
    known[n_known].device = device;
    known[n_known++].member = m;
  }
  pthread_mutex_unlock(&mutex);
  return m;
}

struct vgpu_member *vgpu_opencl_slice_of_context(void *context) {
  void *devices[DEVICES];
  size_t bytes = 0;
  if (OPENCL_CALL(clGetContextInfo, info_function *)(context, CL_CONTEXT_DEVICES, sizeof devices, devices, &bytes))
    return NULL;
  for (size_t i = 0; i < bytes / sizeof *devices; i++) {
    struct vgpu_member *m = vgpu_opencl_slice_of(devices[i]);
    if (m) return m;
  }
  return NULL;
}

// A marker behind everything in the queue; and a flush, for a queue that nobody flushes never gets there.
static void *record(struct vgpu_lane *lane) {
  void *event = NULL;
  int (*flush)(void *) = OPENCL_CALL(clFlush, int (*)(void *));
  int r = vgpu_opencl_next[VGPU_CL_clEnqueueMarkerWithWaitList]
              ? OPENCL_CALL(clEnqueueMarkerWithWaitList, int (*)(void *, unsigned, void *, void **))(lane->stream, 0,
                                                                                                     NULL, &event)
              : OPENCL_CALL(clEnqueueMarker, int (*)(void *, void **))(lane->stream, &event);
  flush(lane->stream);
  return r == CL_SUCCESS ? event : NULL;
}

static void wait(struct vgpu_lane *lane, void *mark) {
  OPENCL_CALL(clWaitForEvents, int (*)(unsigned, void **))(1, &mark);
  OPENCL_CALL(clReleaseEvent, int (*)(void *))(mark);
}

static const struct vgpu_fences fences = {record, wait, NULL, NULL};

static _Thread_local struct {
  uint64_t era;
  void *queue;
  struct vgpu_lane *lane;
} last;

int vgpu_opencl_begin(struct vgpu_lane **lane, void *queue, uint64_t key) {
  *lane = NULL;
  if (!queue) return CL_SUCCESS; // the driver says what is wrong with that
  uint64_t era = vgpu_lane_era();
  if (last.queue != queue || last.era != era) {
    void *device = NULL;
    if (OPENCL_CALL(clGetCommandQueueInfo, info_function *)(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL))
      return CL_SUCCESS;
    struct vgpu_member *m = vgpu_opencl_slice_of(device);
    struct vgpu_gate *g = m ? vgpu_gate_of(m, &fences) : NULL;
    if (m && !g) return CL_OUT_OF_HOST_MEMORY;
    last.queue = queue;
    last.era = era;
    last.lane = g ? vgpu_lane_of(g, NULL, queue, false) : NULL;
  }
  if (!last.lane) return CL_SUCCESS;
  if (!vgpu_gate_enter(last.lane->gate, key)) return CL_OUT_OF_RESOURCES;
  *lane = last.lane;
  return CL_SUCCESS;
}

uint64_t vgpu_opencl_key(const void *kernel, unsigned dimensions, const void *size) {
  uint64_t items = 1;
  for (unsigned i = 0; size && i < dimensions && i < 3; i++) items *= ((const size_t *)size)[i];
  return (uint64_t)(uintptr_t)kernel ^ items * 0xD6E8FEB86659FD93ull;
}
