// Modules and libraries: whatever the image holds, their kernels are those that a name describes (see fake.h).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct code {
  unsigned magic;
};

static int load(void **out, const void *image) {
  if (!image) return INVALID_VALUE;
  if (!fake_memory_take(fake_gpu()->module_bytes)) return OUT_OF_MEMORY;
  struct code *c = calloc(1, sizeof *c);
  return *out = c, c ? OK : OUT_OF_MEMORY;
}
static int unload(void *code) {
  free(code);
  fake_memory_give(fake_gpu()->module_bytes);
  return OK;
}

API cuModuleLoadData(void **module, const void *image) {
  struct context *c;
  int r = fake_context_of(&c);
  return r ? r : load(module, image ? image : "");
}
API cuModuleLoadDataEx(void **module, const void *image, unsigned n, void *options, void **values) {
  return cuModuleLoadData(module, image);
}
API cuModuleLoadFatBinary(void **module, const void *image) { return cuModuleLoadData(module, image); }
API cuModuleLoad(void **module, const char *file) { return cuModuleLoadData(module, file); }
API cuModuleUnload(void *module) { return unload(module); }
API cuModuleGetFunction(struct function **f, void *module, const char *name) {
  struct function parsed = {.increments = strncmp(name, "increment_", 10) == 0,
                            .touches = strncmp(name, "touch_", 6) == 0,
                            .nothing = strncmp(name, "nothing_", 8) == 0};
  const char *number = strchr(name, '_');
  unsigned long long ns;
  unsigned place, rank;
  bool meets = sscanf(name, "meet_%llu_%u_%u", &ns, &place, &rank) == 3;
  if (meets) parsed.meeting = place + 1, parsed.rank = rank;
  bool known = meets || parsed.increments || parsed.touches || parsed.nothing || strncmp(name, "spin_", 5) == 0;
  if (!number || !known) return NOT_FOUND;
  parsed.block_ns = strtoull(number + 1, NULL, 10);
  snprintf(parsed.name, sizeof parsed.name, "%s", name);
  *f = malloc(sizeof **f);
  if (!*f) return OUT_OF_MEMORY;
  **f = parsed;
  return OK;
}

// A library belongs to no context; a kernel of it is launched in any. Its handle is that of the function.
API cuLibraryLoadData(void **library, const void *image, void *jit, void *jit_values, unsigned n_jit, void *options,
                      void *values, unsigned n) {
  return load(library, image);
}
API cuLibraryLoadFromFile(void **library, const char *file, void *jit, void *jit_values, unsigned n_jit, void *options,
                          void *values, unsigned n) {
  return load(library, file);
}
API cuLibraryUnload(void *library) { return unload(library); }
API cuLibraryGetKernel(struct function **f, void *library, const char *name) { return cuModuleGetFunction(f, library, name); }
API cuLibraryGetModule(void **module, void *library) { return *module = library, OK; }
API cuKernelGetFunction(struct function **out, struct function *f) { return *out = f, OK; }
API cuKernelGetName(const char **name, struct function *f) { return *name = f->name, OK; }
API cuFuncGetName(const char **name, struct function *f) { return *name = f->name, OK; }
