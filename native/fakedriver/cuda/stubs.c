// All symbols of the driver API, as the real driver has them. Those that nothing in our tests uses are stubs that answer
// CUDA_ERROR_NOT_SUPPORTED (and say so where VGPU_FAKE_TRACE is set).
#include "symbols.h"

#include <stdio.h>
#include <stdlib.h>

static int stub(const char *name) {
  if (getenv("VGPU_FAKE_TRACE")) fprintf(stderr, "fake driver: %s is a stub\n", name);
  return 801; // CUDA_ERROR_NOT_SUPPORTED
}

// The linker prefers a real definition elsewhere to these.
#define SYMBOL(symbol, base, version, thread) \
  __attribute__((visibility("default"), weak)) int symbol(void) { return stub(#symbol); }
#include "../generated/symbols.inc"
#undef SYMBOL

const struct fake_symbol fake_symbols[] = {
#define SYMBOL(symbol, base, version, thread) {#base, version, thread, (void *)symbol},
#include "../generated/symbols.inc"
#undef SYMBOL
};
const int fake_symbol_count = sizeof fake_symbols / sizeof *fake_symbols;
