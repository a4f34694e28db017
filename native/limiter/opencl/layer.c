// What the loader calls: clGetLayerInfo and clInitLayer.
#include "layer.h"

#include <string.h>

#define CL_LAYER_API_VERSION 0x4240
#define CL_LAYER_NAME 0x4241
#define CL_LAYER_API_VERSION_100 100

void *vgpu_opencl_next[VGPU_CL_ENTRIES];

static int answer(const void *value, size_t length, size_t size, void *out, size_t *needed) {
  if (needed) *needed = length;
  if (!out) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  memcpy(out, value, length);
  return CL_SUCCESS;
}

VGPU_EXPORT int clGetLayerInfo(unsigned name, size_t size, void *value, size_t *needed);
int clGetLayerInfo(unsigned name, size_t size, void *value, size_t *needed) {
  static const unsigned version = CL_LAYER_API_VERSION_100;
  static const char title[] = "vgpu limiter";
  if (name == CL_LAYER_API_VERSION) return answer(&version, sizeof version, size, value, needed);
  if (name == CL_LAYER_NAME) return answer(title, sizeof title, size, value, needed);
  return CL_INVALID_VALUE;
}

VGPU_EXPORT int clInitLayer(unsigned n, void *const *target, unsigned *n_out, void *const **out);
int clInitLayer(unsigned n, void *const *target, unsigned *n_out, void *const **out) {
  static void *table[VGPU_CL_ENTRIES];
  if (!target || !n_out || !out) return CL_INVALID_VALUE;
  // An older loader has fewer entries, which are then nobody's.
  for (unsigned i = 0; i < VGPU_CL_ENTRIES; i++) vgpu_opencl_next[i] = i < n ? target[i] : NULL;
  bool active = vgpu_members(NULL) > 0;
  for (unsigned i = 0; i < VGPU_CL_ENTRIES; i++)
    table[i] = active && vgpu_opencl_next[i] && vgpu_opencl_hooks[i] ? vgpu_opencl_hooks[i] : vgpu_opencl_next[i];
  *n_out = n < VGPU_CL_ENTRIES ? n : VGPU_CL_ENTRIES;
  *out = table;
  return CL_SUCCESS;
}
