#include "driver.h"

#include <dlfcn.h>
#include <stdatomic.h>

static const char *const names[VGPU_DRIVER_FUNCTIONS] = {
#define SYMBOL(name) [VGPU_FN_##name] = #name,
#include "../generated/symbols.inc"
    VGPU_DRIVER_EXTRAS
#undef SYMBOL
};

static _Atomic(void *) found[VGPU_DRIVER_FUNCTIONS];

static CUresult missing(void) { return CUDA_ERROR_NOT_FOUND; }

void *vgpu_driver(enum vgpu_driver_function f) {
  void *function = atomic_load_explicit(&found[f], memory_order_acquire);
  if (function) return function;
  // Loaded already wherever the application found it; the name alone finds that one.
  void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!driver) driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  function = driver ? vgpu_dlsym_real(driver, names[f]) : NULL;
  if (!function) function = (void *)missing;
  atomic_store_explicit(&found[f], function, memory_order_release);
  return function;
}

bool vgpu_driver_has(enum vgpu_driver_function f) { return vgpu_driver(f) != (void *)missing; }
