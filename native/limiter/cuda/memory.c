// Allocations: reserved in the account before the driver is asked, given back when it refuses or frees.
#include "../track.h"
#include "pager.h"
#include "slice.h"

// Reserves, which begins a flight; where that fails it makes sure that it has to: what the driver holds is measured anew, and what pools
// keep for later is given back.
static CUresult take(struct vgpu_member *m, enum vgpu_kind kind, uint64_t bytes) {
  if (vgpu_take(m, kind, bytes)) return CUDA_SUCCESS;
  if (!m->account || m->failed) return CUDA_ERROR_SYSTEM_NOT_READY;
  int device = vgpu_device_current();
  void *pool;
  if (device >= 0 && atomic_load(&vgpu_captures) == 0 &&
      VGPU_CALL(cuDeviceGetDefaultMemPool, CUresult (*)(void **, int))(&pool, device) == CUDA_SUCCESS)
    VGPU_CALL(cuMemPoolTrimTo, CUresult (*)(void *, size_t))(pool, 0);
  vgpu_graph_memory_trim(m, device);
  vgpu_member_measure(m);
  return vgpu_take(m, kind, bytes) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

static CUresult keep(struct vgpu_member *m, enum vgpu_space space, uint64_t handle, enum vgpu_kind kind, uint64_t bytes,
                     CUresult result) {
  if (result != CUDA_SUCCESS || !vgpu_track(space, handle, (struct vgpu_tracked){m, kind, bytes, vgpu_context_current(), 0, 0}))
    vgpu_memory_release(m, kind, bytes);
  vgpu_flight_end(m);
  return result;
}

// Likewise for memory that can leave the device. `own`: the program itself asked for such memory.
static CUresult keep_managed(struct vgpu_member *m, CUdeviceptr pointer, uint64_t bytes, bool own, CUresult result) {
  if (result == CUDA_SUCCESS)
    vgpu_paging_add(m, (struct vgpu_span){.address = pointer, .bytes = bytes, .own = own, .context = vgpu_context_current()});
  return keep(m, VGPU_SPACE_POINTER, pointer, VGPU_KIND_MANAGED, bytes, result);
}

static CUresult alloc_managed(struct vgpu_member *m, void *pointer, uint64_t bytes, unsigned flags, bool own) {
  CUresult r = take(m, VGPU_KIND_MANAGED, bytes);
  if (r) return r;
  r = VGPU_CALL(cuMemAllocManaged, CUresult (*)(void *, size_t, unsigned))(pointer, bytes, flags);
  return keep_managed(m, r ? 0 : *(CUdeviceptr *)pointer, bytes, own, r);
}

// Before memory is freed: nobody may move it any more.
static void leaves(CUdeviceptr pointer) {
  struct vgpu_tracked t;
  if (pointer && atomic_load_explicit(&vgpu_paging_any, memory_order_relaxed) &&
      vgpu_tracked(VGPU_SPACE_POINTER, pointer, false, &t) && t.kind == VGPU_KIND_MANAGED)
    vgpu_paging_remove(t.member, pointer);
}

VGPU_EXPORT CUresult cuMemAlloc_v2(void *pointer, size_t bytes) {
  struct vgpu_member *m = vgpu_slice_current();
  if (!m || bytes == 0) return VGPU_CALL(cuMemAlloc_v2, CUresult (*)(void *, size_t))(pointer, bytes);
  // Over-committed slices may together exceed the device: managed memory lets move what does not fit.
  if (vgpu_pages(m, vgpu_device_current())) return alloc_managed(m, pointer, bytes, CU_MEM_ATTACH_GLOBAL, false);
  CUresult r = take(m, VGPU_KIND_DEVICE, bytes);
  if (r) return r;
  r = VGPU_CALL(cuMemAlloc_v2, CUresult (*)(void *, size_t))(pointer, bytes);
  return keep(m, VGPU_SPACE_POINTER, r ? 0 : *(CUdeviceptr *)pointer, VGPU_KIND_DEVICE, bytes, r);
}

VGPU_EXPORT CUresult cuMemAllocManaged(void *pointer, size_t bytes, unsigned flags) {
  struct vgpu_member *m = vgpu_slice_current();
  CUresult (*real)(void *, size_t, unsigned) = VGPU_CALL(cuMemAllocManaged, CUresult (*)(void *, size_t, unsigned));
  if (!m || bytes == 0) return real(pointer, bytes, flags);
  vgpu_pages(m, vgpu_device_current());
  return alloc_managed(m, pointer, bytes, flags, true);
}

VGPU_EXPORT CUresult cuMemAllocPitch_v2(void *pointer, void *pitch, size_t width, size_t height, unsigned element) {
  struct vgpu_member *m = vgpu_slice_current();
  CUresult (*real)(void *, void *, size_t, size_t, unsigned) =
      VGPU_CALL(cuMemAllocPitch_v2, CUresult (*)(void *, void *, size_t, size_t, unsigned));
  size_t row = (width + 511) & ~(size_t)511, bytes; // the coarsest pitch there is
  if (!m || width == 0 || height == 0) return real(pointer, pitch, width, height, element);
  if (row < width || __builtin_mul_overflow(row, height, &bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  if (vgpu_pages(m, vgpu_device_current())) {
    CUresult managed = alloc_managed(m, pointer, bytes, CU_MEM_ATTACH_GLOBAL, false);
    if (managed == CUDA_SUCCESS) *(size_t *)pitch = row;
    return managed;
  }
  CUresult r = take(m, VGPU_KIND_DEVICE, bytes);
  if (r) return r;
  r = real(pointer, pitch, width, height, element);
  if (r == CUDA_SUCCESS) {
    size_t actual = *(size_t *)pitch * height;
    if (actual < bytes) vgpu_memory_release(m, VGPU_KIND_DEVICE, bytes - actual);
    else if (actual > bytes) vgpu_memory_force(m, VGPU_KIND_DEVICE, actual - bytes);
    bytes = actual;
  }
  return keep(m, VGPU_SPACE_POINTER, r ? 0 : *(CUdeviceptr *)pointer, VGPU_KIND_DEVICE, bytes, r);
}

VGPU_EXPORT CUresult cuMemFree_v2(CUdeviceptr pointer) {
  leaves(pointer);
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_POINTER, pointer);
  CUresult r = VGPU_CALL(cuMemFree_v2, CUresult (*)(CUdeviceptr))(pointer);
  vgpu_left(&l, r == CUDA_SUCCESS);
  return r;
}

// In a captured stream an allocation becomes a node of a graph: counted when that is instantiated.
// Where the slice is over-committed, a pool of managed memory stands in for the default one.
static CUresult alloc_async(void *real, void *pointer, size_t bytes, void *pool, bool from_pool, CUstream stream,
                            bool per_thread) {
  struct vgpu_member *m = vgpu_slice_current();
  enum vgpu_kind kind = VGPU_KIND_POOL;
  if (m && from_pool) {
    struct vgpu_tracked t;
    if (vgpu_tracked(VGPU_SPACE_POOL, (uintptr_t)pool, false, &t)) m = t.bytes ? t.member : NULL, kind = t.kind;
  }
  bool counted = m && bytes && !vgpu_stream_captured(stream, per_thread);
  if (counted && !from_pool) {
    int device = vgpu_device_current();
    void *managed = vgpu_pages(m, device) ? vgpu_managed_pool(m, device) : NULL;
    if (managed) {
      real = vgpu_driver(VGPU_FN_cuMemAllocFromPoolAsync);
      pool = managed, from_pool = true, kind = VGPU_KIND_MANAGED;
      if (per_thread && !stream) stream = CU_STREAM_PER_THREAD;
    }
  }
  if (counted) {
    CUresult r = take(m, kind, bytes);
    if (r) return r;
  }
  CUresult r = from_pool ? ((CUresult(*)(void *, size_t, void *, CUstream))real)(pointer, bytes, pool, stream)
                         : ((CUresult(*)(void *, size_t, CUstream))real)(pointer, bytes, stream);
  if (!counted) return r;
  CUdeviceptr p = r ? 0 : *(CUdeviceptr *)pointer;
  return kind == VGPU_KIND_MANAGED ? keep_managed(m, p, bytes, false, r)
                                   : keep(m, VGPU_SPACE_POINTER, p, kind, bytes, r);
}

static CUresult free_async(void *real, CUdeviceptr pointer, CUstream stream, bool per_thread) {
  if (vgpu_stream_captured(stream, per_thread)) return ((CUresult(*)(CUdeviceptr, CUstream))real)(pointer, stream);
  leaves(pointer);
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_POINTER, pointer);
  CUresult r = ((CUresult(*)(CUdeviceptr, CUstream))real)(pointer, stream);
  vgpu_left(&l, r == CUDA_SUCCESS);
  return r;
}

#define POOL_HOOKS(suffix, per_thread) \
  VGPU_EXPORT CUresult cuMemAllocAsync##suffix(void *pointer, size_t bytes, CUstream stream) { \
    return alloc_async(vgpu_driver(VGPU_FN_cuMemAllocAsync##suffix), pointer, bytes, NULL, false, stream, per_thread); \
  } \
  VGPU_EXPORT CUresult cuMemAllocFromPoolAsync##suffix(void *pointer, size_t bytes, void *pool, CUstream stream) { \
    return alloc_async(vgpu_driver(VGPU_FN_cuMemAllocFromPoolAsync##suffix), pointer, bytes, pool, true, stream, \
                       per_thread); \
  } \
  VGPU_EXPORT CUresult cuMemFreeAsync##suffix(CUdeviceptr pointer, CUstream stream) { \
    return free_async(vgpu_driver(VGPU_FN_cuMemFreeAsync##suffix), pointer, stream, per_thread); \
  }
POOL_HOOKS(, false)
POOL_HOOKS(_ptsz, true)

// A pool may be on another device than the one in use, or in host memory.
VGPU_EXPORT CUresult cuMemPoolCreate(void *pool, void *props) {
  CUresult (*real)(void *, const void *) = VGPU_CALL(cuMemPoolCreate, CUresult (*)(void *, const void *));
  const struct cu_pool_props *p = props;
  if (vgpu_members(NULL) == 0 || !p) return real(pool, props);
  bool device = p->location.type == CU_MEM_LOCATION_TYPE_DEVICE, managed = p->type == CU_MEM_ALLOCATION_TYPE_MANAGED;
  struct vgpu_member *m = device    ? vgpu_slice_of_device(p->location.id)
                          : managed ? vgpu_slice_current()
                                    : NULL;
  // Memory of an over-committed slice has to be able to leave the device; what is shared with other processes cannot.
  CUresult r = CUDA_ERROR_NOT_SUPPORTED;
  if (m && device && !managed && p->handle_types == 0 && vgpu_pages(m, p->location.id)) {
    struct cu_pool_props changed = *p;
    changed.type = CU_MEM_ALLOCATION_TYPE_MANAGED;
    changed.location = (struct cu_location){CU_MEM_LOCATION_TYPE_NONE, 0};
    r = real(pool, &changed);
    managed = r == CUDA_SUCCESS;
  }
  if (r) r = real(pool, props);
  if (r) return r;
  if (managed && m) vgpu_pages(m, vgpu_device_current());
  vgpu_track(VGPU_SPACE_POOL, (uintptr_t)*(void **)pool,
             (struct vgpu_tracked){m, managed ? VGPU_KIND_MANAGED : VGPU_KIND_POOL, m != NULL, NULL, 0, 0});
  return r;
}

VGPU_EXPORT CUresult cuMemPoolDestroy(void *pool) {
  CUresult r = VGPU_CALL(cuMemPoolDestroy, CUresult (*)(void *))(pool);
  struct vgpu_tracked t;
  if (r == CUDA_SUCCESS && vgpu_members(NULL)) vgpu_tracked(VGPU_SPACE_POOL, (uintptr_t)pool, true, &t);
  return r;
}

VGPU_EXPORT CUresult cuMemCreate(void *handle, size_t bytes, void *prop, unsigned long long flags) {
  const struct cu_allocation_prop *p = prop;
  CUresult (*real)(void *, size_t, void *, unsigned long long) =
      VGPU_CALL(cuMemCreate, CUresult (*)(void *, size_t, void *, unsigned long long));
  struct vgpu_member *m = p && p->location.type == CU_MEM_LOCATION_TYPE_DEVICE ? vgpu_slice_of_device(p->location.id) : NULL;
  if (!m || bytes == 0) return real(handle, bytes, prop, flags);
  CUresult r = take(m, VGPU_KIND_VMM, bytes);
  if (r) return r;
  r = real(handle, bytes, prop, flags);
  if (r || !vgpu_track(VGPU_SPACE_HANDLE, *(uint64_t *)handle, (struct vgpu_tracked){m, VGPU_KIND_VMM, bytes, NULL, 0, 0}))
    vgpu_memory_release(m, VGPU_KIND_VMM, bytes);
  vgpu_flight_end(m);
  return r;
}

// The memory lives as long as somebody retains its handle or maps it; only the last release frees it, which shows in
// nothing but our own count.
VGPU_EXPORT CUresult cuMemRetainAllocationHandle(void *handle, void *address) {
  CUresult r = VGPU_CALL(cuMemRetainAllocationHandle, CUresult (*)(void *, void *))(handle, address);
  struct vgpu_tracked t;
  if (r == CUDA_SUCCESS && vgpu_members(NULL) && vgpu_tracked(VGPU_SPACE_HANDLE, *(uint64_t *)handle, true, &t)) {
    t.retained++;
    vgpu_track(VGPU_SPACE_HANDLE, *(uint64_t *)handle, t);
  }
  return r;
}

VGPU_EXPORT CUresult cuMemRelease(unsigned long long handle) {
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_HANDLE, handle);
  CUresult r = VGPU_CALL(cuMemRelease, CUresult (*)(unsigned long long))(handle);
  bool last = l.what.retained == 0;
  if (r == CUDA_SUCCESS && !last) l.what.retained--;
  vgpu_left(&l, r == CUDA_SUCCESS && last);
  return r;
}

// The memory behind it is allocated by another API, out of the limiter's sight, until it is imported.
VGPU_EXPORT CUresult cuImportExternalMemory(void *external, void *description) {
  struct vgpu_member *m = vgpu_slice_current();
  const struct cu_external *d = description;
  CUresult (*real)(void *, void *) = VGPU_CALL(cuImportExternalMemory, CUresult (*)(void *, void *));
  if (!m || !d || d->size == 0) return real(external, description);
  CUresult r = take(m, VGPU_KIND_EXTERNAL, d->size);
  if (r) return r;
  r = real(external, description);
  return keep(m, VGPU_SPACE_EXTERNAL, r ? 0 : (uintptr_t)*(void **)external, VGPU_KIND_EXTERNAL, d->size, r);
}

VGPU_EXPORT CUresult cuDestroyExternalMemory(void *external) {
  struct vgpu_leaving l = vgpu_leave(VGPU_SPACE_EXTERNAL, (uintptr_t)external);
  CUresult r = VGPU_CALL(cuDestroyExternalMemory, CUresult (*)(void *))(external);
  vgpu_left(&l, r == CUDA_SUCCESS);
  return r;
}
