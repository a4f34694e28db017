// Arrays and mipmapped arrays.
#include "../track.h"
#include "slice.h"

// Bytes of one element in 1/16ths, for the formats that cuda.h numbers; block-compressed ones are below a byte.
static uint64_t sixteenths(int format) {
  switch (format) {
    case 0x01: case 0x08: case 0xc0: case 0xc3: return 16;            // 8 bits
    case 0x02: case 0x09: case 0x10: case 0xc6: case 0xc9: return 32; // 16 bits
    case 0x03: case 0x0a: case 0x20: return 64;                       // 32 bits
    case 0x91: case 0x92: case 0x97: case 0x98: return 8;             // BC1, BC4: 8 bytes for 16 elements
    case 0x93: case 0x94: case 0x95: case 0x96: case 0x99: case 0x9a: case 0x9b: case 0x9c: case 0x9d: case 0x9e:
      return 16; // BC2, BC3, BC5, BC6H, BC7
    case 0xb0: case 0x9f: return 24; // planar 4:2:0, 8 bits
    default: return 64;
  }
}

static bool size_of(const struct cu_array3d *d, unsigned levels, uint64_t *bytes) {
  *bytes = 0;
  if (d->flags & (CUDA_ARRAY3D_SPARSE | CUDA_ARRAY3D_DEFERRED_MAPPING)) return true; // memory is bound later
  uint64_t w = d->width, h = d->height ? d->height : 1, z = d->depth ? d->depth : 1;
  for (unsigned i = 0; i < (levels ? levels : 1); i++) {
    uint64_t n;
    if (__builtin_mul_overflow(w, h, &n) || __builtin_mul_overflow(n, z, &n) ||
        __builtin_mul_overflow(n, sixteenths(d->format) * (d->channels ? d->channels : 1), &n) ||
        __builtin_add_overflow(*bytes, (n + 15) / 16, bytes))
      return false;
    w = w > 1 ? w / 2 : 1;
    h = h > 1 ? h / 2 : 1;
    if (!(d->flags & 1)) z = z > 1 ? z / 2 : 1; // layers do not shrink
  }
  return true;
}

static CUresult create(void *real, void *handle, void *description, unsigned levels, bool mipmapped,
                       const struct cu_array3d *d) {
  struct vgpu_member *m = vgpu_slice_current();
  uint64_t bytes = 0;
  if (m && d && !size_of(d, levels, &bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  if (m && bytes && !vgpu_take(m, VGPU_KIND_ARRAY, bytes)) return m->failed || !m->account ? CUDA_ERROR_SYSTEM_NOT_READY : CUDA_ERROR_OUT_OF_MEMORY;
  CUresult r = mipmapped ? ((CUresult(*)(void *, void *, unsigned))real)(handle, description, levels)
                         : ((CUresult(*)(void *, void *))real)(handle, description);
  if (!m || !bytes) return r;
  struct vgpu_tracked t = {m, VGPU_KIND_ARRAY, bytes, vgpu_context_current(), 0, 0};
  if (r || !vgpu_track(mipmapped ? VGPU_SPACE_MIPMAP : VGPU_SPACE_ARRAY, (uintptr_t)*(void **)handle, t))
    vgpu_memory_release(m, VGPU_KIND_ARRAY, bytes);
  vgpu_flight_end(m);
  return r;
}

VGPU_EXPORT CUresult cuArrayCreate_v2(void *handle, void *description) {
  const struct cu_array *a = description;
  struct cu_array3d d = {0};
  if (a) d = (struct cu_array3d){a->width, a->height, 0, a->format, a->channels, 0};
  return create(vgpu_driver(VGPU_FN_cuArrayCreate_v2), handle, description, 1, false, a ? &d : NULL);
}

VGPU_EXPORT CUresult cuArray3DCreate_v2(void *handle, void *description) {
  return create(vgpu_driver(VGPU_FN_cuArray3DCreate_v2), handle, description, 1, false, description);
}

VGPU_EXPORT CUresult cuMipmappedArrayCreate(void *handle, void *description, unsigned levels) {
  return create(vgpu_driver(VGPU_FN_cuMipmappedArrayCreate), handle, description, levels, true, description);
}

VGPU_EXPORT CUresult cuArrayDestroy(void *array) {
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_ARRAY, (uintptr_t)array);
  CUresult r = VGPU_CALL(cuArrayDestroy, CUresult (*)(void *))(array);
  vgpu_left(&l, r == CUDA_SUCCESS);
  return r;
}

VGPU_EXPORT CUresult cuMipmappedArrayDestroy(void *array) {
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_MIPMAP, (uintptr_t)array);
  CUresult r = VGPU_CALL(cuMipmappedArrayDestroy, CUresult (*)(void *))(array);
  vgpu_left(&l, r == CUDA_SUCCESS);
  return r;
}
