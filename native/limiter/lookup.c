// How an application finds our functions instead of the driver's when it asks for them by name: dlsym (and with it
// everything the CUDA runtime and nvidia-smi do) and cuGetProcAddress.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/driver.h"
#include "nvml/nvml.h"
#include "symbols.h"

// What the stub jumps to.
VGPU_HIDDEN void *vgpu_dlsym_pointer;

static void *libc_dlsym(void) {
  void *f = __atomic_load_n(&vgpu_dlsym_pointer, __ATOMIC_ACQUIRE);
  if (f) return f;
  static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17"};
  for (size_t i = 0; !f && i < sizeof versions / sizeof *versions; i++) f = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
  if (!f) abort(); // a libc without dlsym: nothing works here
  __atomic_store_n(&vgpu_dlsym_pointer, f, __ATOMIC_RELEASE);
  return f;
}

void *vgpu_dlsym_real(void *handle, const char *name) {
  return ((void *(*)(void *, const char *))libc_dlsym())(handle, name);
}

static CUresult refuse(void) { return CUDA_ERROR_NOT_SUPPORTED; }

bool vgpu_is_refusal(void *function) { return function == (void *)refuse; }

struct named {
  const char *name;
  void *function;
};

static const struct named cuda_hooks[] = {
#define SYMBOL(name) {#name, (void *)name},
#include "generated/symbols.inc"
#undef SYMBOL
};
static const struct named nvml_hooks[] = {
#define SYMBOL(name) {#name, (void *)name},
#include "generated/nvml.inc"
#undef SYMBOL
};

// Symbols that a slice does not have; refused_stub.S defines them for those who link to them.
static const char *const refused[] = {
#define REFUSED(name) #name,
#include "generated/refused.inc"
#undef REFUSED
};

static int by_name(const void *key, const void *entry) {
  return strcmp(key, ((const struct named *)entry)->name);
}

void *vgpu_hook_for(const char *name) {
  const struct named *n = NULL;
  if (name[0] == 'c' && name[1] == 'u')
    n = bsearch(name, cuda_hooks, sizeof cuda_hooks / sizeof *cuda_hooks, sizeof *cuda_hooks, by_name);
  else if (strncmp(name, "nvml", 4) == 0)
    n = bsearch(name, nvml_hooks, sizeof nvml_hooks / sizeof *nvml_hooks, sizeof *nvml_hooks, by_name);
  return n ? n->function : NULL;
}

static bool is_refused(const char *name) {
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (strcmp(name, refused[i]) == 0) return true;
  return false;
}

// What a program calls that linked to a refused symbol.
VGPU_HIDDEN void *vgpu_refused(const char *name);
void *vgpu_refused(const char *name) {
  void *driver = vgpu_members(NULL) ? NULL : dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  void *function = driver ? vgpu_dlsym_real(driver, name) : NULL;
  return function ? function : (void *)refuse;
}

static bool loaded(const char *name) {
  void *library = dlopen(name[0] == 'c' ? "libcuda.so.1" : "libnvidia-ml.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!library) return false;
  dlclose(library);
  return true;
}

// What dlsym answers: a function, NULL to let libc answer, or (void *)-1 for "there is none".
VGPU_HIDDEN void *vgpu_lookup(void *handle, const char *name);
void *vgpu_lookup(void *handle, const char *name) {
  void *(*real)(void *, const char *) = (void *(*)(void *, const char *))libc_dlsym();
  if (!name || ((name[0] != 'c' || name[1] != 'u') && strncmp(name, "nvml", 4) != 0)) return NULL;
  void *hook = vgpu_hook_for(name);
  if (handle == RTLD_DEFAULT || handle == RTLD_NEXT) {
    // Our own symbols must not make a program believe that there is a driver, or that it has what is refused.
    bool no = handle == RTLD_DEFAULT && is_refused(name);
    if (no && vgpu_members(NULL)) return (void *)-1;
    return (no || (hook && handle == RTLD_DEFAULT)) && !loaded(name) ? (void *)-1 : NULL;
  }
  if (vgpu_members(NULL) == 0) return NULL;
  if (hook) return real(handle, name) ? hook : NULL;
  return is_refused(name) && real(handle, name) ? (void *)-1 : NULL;
}

struct version {
  const char *base;
  int introduced;
  bool per_thread;
  const char *symbol;
  void *function;
};
static const struct version versions[] = {
#define VERSION(base, introduced, per_thread, function) {#base, introduced, per_thread, #function, (void *)function},
#include "generated/versions.inc"
#undef VERSION
};

// The driver's answer is most often one of its exported functions, which says what it is. Where it is not, the table
// of versions does. Per-thread variants exist for some functions only; for the others both flags mean the same one.
void *vgpu_hook_for_version(const char *base, int cuda_version, bool per_thread, void *real) {
  const struct version *best = NULL;
  bool known = false;
  size_t n = sizeof versions / sizeof *versions;
  void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  for (size_t i = 0; i < n && driver; i++)
    if (strcmp(versions[i].base, base) == 0 &&
        (versions[i].function == real || vgpu_dlsym_real(driver, versions[i].symbol) == real))
      return versions[i].function;
  for (size_t i = 0; i < n; i++) {
    const struct version *v = &versions[i];
    if (strcmp(v->base, base) != 0) continue;
    known = true;
    if (v->introduced > cuda_version) continue;
    if (v->per_thread && !per_thread) continue;
    bool better = !best || (v->per_thread && !best->per_thread) ||
                  (v->per_thread == best->per_thread && v->introduced > best->introduced);
    if (better) best = v;
  }
  if (!known) return real;
  return best ? best->function : (void *)refuse;
}
