// What is seen of a launch: the addresses that a kernel is given, in parameters of any type, structures included.
#include "pager.h"

#define KERNELS 1024
#define PARAMETERS 62 // of a kernel with more the rest is not looked at, and it may use anything

// The sizes of a kernel's parameters. A handle that is given out anew names another kernel: see vgpu_parameters_forget.
struct layout {
  void *function;
  uint16_t n;
  bool whole; // all parameters are known
  uint16_t bytes[PARAMETERS];
};
static struct layout layouts[KERNELS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void vgpu_parameters_forget(void) {
  if (!atomic_load(&vgpu_paging_any)) return;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < KERNELS; i++) layouts[i].function = NULL;
  pthread_mutex_unlock(&mutex);
}

static CUresult info(void *function, size_t i, size_t *bytes) {
  size_t offset;
  CUresult r = VGPU_CALL(cuFuncGetParamInfo, CUresult (*)(void *, size_t, size_t *, size_t *))(function, i, &offset, bytes);
  if (r == CUDA_SUCCESS || (r == CUDA_ERROR_INVALID_VALUE && i)) return r;
  // The handle of a library's kernel is launched like a function's.
  CUresult k = VGPU_CALL(cuKernelGetParamInfo, CUresult (*)(void *, size_t, size_t *, size_t *))(function, i, &offset, bytes);
  return k == CUDA_SUCCESS ? k : r;
}

static void learn(struct layout *l, void *function) {
  size_t bytes = 0;
  CUresult r = CUDA_SUCCESS;
  *l = (struct layout){.function = function};
  while (l->n < PARAMETERS && (r = info(function, l->n, &bytes)) == CUDA_SUCCESS) l->bytes[l->n++] = (uint16_t)bytes;
  // Past the last parameter the driver says "invalid value"; whatever else it says means that it does not know.
  l->whole = r == CUDA_ERROR_INVALID_VALUE;
}

void vgpu_saw_launch(void *function, void **parameters, void **extra, CUstream stream, bool per_thread) {
  struct vgpu_member *m = vgpu_slice_current();
  if (!m || !m->paging) return;
  bool recorded = vgpu_stream_captured(stream, per_thread);
  if (!parameters && extra) { // one buffer: { 1, pointer, 2, pointer to its size, 0 }
    const void *buffer = NULL;
    size_t bytes = 0;
    for (void **e = extra; *e; e += 2) {
      if (*e == (void *)1) buffer = e[1];
      if (*e == (void *)2) bytes = *(size_t *)e[1];
    }
    if (buffer) vgpu_paging_saw(m, buffer, bytes / 8, recorded);
    return;
  }
  struct layout l;
  struct layout *known = &layouts[((uintptr_t)function * 0x9E3779B97F4A7C15ull) >> 54];
  pthread_mutex_lock(&mutex);
  if (known->function != function) learn(known, function);
  l = *known;
  pthread_mutex_unlock(&mutex);
  if (!l.whole) vgpu_paging_opaque(m);
  uint64_t words[64];
  size_t n = 0;
  for (uint16_t i = 0; i < l.n && parameters; i++) {
    const uint64_t *value = parameters[i];
    if (l.bytes[i] == 8 && n < 64) __builtin_memcpy(&words[n++], value, 8);
    else if (l.bytes[i] > 8) vgpu_paging_saw(m, value, l.bytes[i] / 8, recorded);
  }
  if (n) vgpu_paging_saw(m, words, n, recorded);
}

void vgpu_saw_pointer(CUdeviceptr p, CUstream stream, bool per_thread) {
  struct vgpu_member *m = vgpu_slice_current();
  uint64_t word = p;
  if (m && m->paging) vgpu_paging_saw(m, &word, 1, vgpu_stream_captured(stream, per_thread));
}

void vgpu_saw_graph(void) {
  struct vgpu_member *m = vgpu_slice_current();
  if (m && m->paging) vgpu_paging_saw_graph(m);
}
