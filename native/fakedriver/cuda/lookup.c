// How programs find the driver's functions: by name and version, in tables of the runtime's own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "symbols.h"

// The newest variant that the version knows; that for the thread's own default stream where it is asked for and exists.
static int proc_address(const char *name, void **f, int version, unsigned long long flags, int *status) {
  int best = -1, newer = -1, n = fake_symbol_count;
  for (int i = 0; i < n; i++) {
    if (strcmp(fake_symbols[i].base, name) != 0 || (fake_symbols[i].thread && !(flags & 2))) continue;
    if (fake_symbols[i].version > version) newer = i;
    else if (best < 0 || fake_symbols[i].thread > fake_symbols[best].thread ||
             (fake_symbols[i].thread == fake_symbols[best].thread && fake_symbols[i].version >= fake_symbols[best].version))
      best = i;
  }
  if (getenv("VGPU_FAKE_TRACE")) fprintf(stderr, "fake driver: look-up of %s %d %llu: %d\n", name, version, flags, best);
  *f = best < 0 ? NULL : fake_symbols[best].function;
  if (status) *status = best >= 0 ? 0 : newer >= 0 ? 2 : 1; // found, not in this version, unknown
  return best < 0 ? NOT_FOUND : OK;
}

API cuGetProcAddress(const char *symbol, void **f, int version, unsigned long long flags) {
  return proc_address(symbol, f, version, flags, NULL);
}
API cuGetProcAddress_v2(const char *symbol, void **f, int version, unsigned long long flags, int *status) {
  return proc_address(symbol, f, version, flags, status);
}
