// Our functions by name.
#ifndef VGPU_SYMBOLS_H
#define VGPU_SYMBOLS_H

#include "member.h"

// The hook for a symbol, NULL where it has none.
VGPU_HIDDEN void *vgpu_hook_for(const char *name);
// What cuGetProcAddress answers where the driver would answer `real`: a hook, `real` itself, or a function that
// refuses.
VGPU_HIDDEN void *vgpu_hook_for_version(const char *base, int cuda_version, bool per_thread, void *real);
VGPU_HIDDEN bool vgpu_is_refusal(void *function);

#endif
