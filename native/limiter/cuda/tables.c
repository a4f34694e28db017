// cuGetExportTable: tables of undocumented functions. Which of them need what is said in gen/export-tables.ts; a table
// with a hooked entry is handed out as a copy. One that nobody knows is the driver's own: what it takes of the device
// is measured like everything else that goes past the hooks.
#include <stdlib.h>
#include <string.h>

#include "slice.h"

#define ENTRIES_MAX 256

static const struct {
  const char *id; // 16 bytes
  size_t entry;
  void *function;
} hooked[] = {
#define KNOWN(id, name)
#define HOOKED(id, entry, function) {id, entry, (void *)function},
#include "../generated/tables.inc"
#undef KNOWN
#undef HOOKED
};

// For VGPU_DEBUG: what a library asks for that is not on the list is the first thing to look at on a new driver.
static void tell(const unsigned char *id, CUresult r) {
  static const struct {
    const char *id, *name;
  } known[] = {
#define KNOWN(id, name) {id, name},
#define HOOKED(id, entry, function)
#include "../generated/tables.inc"
#undef KNOWN
#undef HOOKED
  };
  const char *name = "not on the list";
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (memcmp(known[i].id, id, 16) == 0) name = known[i].name;
  char text[33];
  for (int i = 0; i < 16; i++) {
    text[2 * i] = "0123456789abcdef"[id[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
  }
  text[32] = 0;
  vgpu_debug("private table %s (%s): %d", text, name, r);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct copy {
  const void *original;
  struct copy *next;
  void *entry[];
} *copies;

// With the mutex held. A table's first word is its size in bytes.
static struct copy *copy_of(const void *original) {
  for (struct copy *c = copies; c; c = c->next)
    if (c->original == original) return c;
  size_t bytes = *(const size_t *)original;
  struct copy *c = bytes < sizeof(void *) || bytes > ENTRIES_MAX * sizeof(void *) ? NULL : malloc(sizeof *c + bytes);
  if (!c) return NULL;
  memcpy(c->entry, original, bytes);
  c->original = original;
  c->next = copies;
  return copies = c;
}

VGPU_EXPORT CUresult cuGetExportTable(void *table, void *id) {
  CUresult r = VGPU_CALL(cuGetExportTable, CUresult (*)(void *, void *))(table, id);
  if (id && vgpu_members(NULL) > 0) tell(id, r);
  if (r || !id || vgpu_members(NULL) == 0) return r;
  const void **out = table;
  for (size_t i = 0; i < sizeof hooked / sizeof *hooked && r == CUDA_SUCCESS; i++) {
    if (memcmp(hooked[i].id, id, 16) != 0 || !*out) continue;
    pthread_mutex_lock(&mutex);
    struct copy *c = copy_of(*out);
    if (c && hooked[i].entry < (size_t)c->entry[0] / sizeof(void *)) c->entry[hooked[i].entry] = hooked[i].function;
    pthread_mutex_unlock(&mutex);
    if (!c) r = CUDA_ERROR_OUT_OF_MEMORY;
    *out = c ? c->entry : NULL;
  }
  return r;
}
