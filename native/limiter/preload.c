// What happens when a process starts, which is next to nothing.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "member.h"

// The OpenCL loader reads OPENCL_LAYERS when it is first used. Setting it here, in every process, means that nobody
// gets rid of the layer by dropping the variable. Whether there is a slice is found out without opening anything.
__attribute__((constructor)) static void name_the_layer(void) {
  if (!getenv("VGPU_SLICE") && access("/run/vgpu/slices", F_OK) != 0) return;
  Dl_info self;
  if (!dladdr((void *)name_the_layer, &self) || !self.dli_fname) return;
  const char *slash = strrchr(self.dli_fname, '/');
  char path[4096], list[8192];
  int n = snprintf(path, sizeof path, "%.*slibvgpu-opencl-layer.so", slash ? (int)(slash - self.dli_fname) + 1 : 0,
                   self.dli_fname);
  if (n <= 0 || n >= (int)sizeof path) return;
  const char *layers = getenv("OPENCL_LAYERS");
  if (layers && strstr(layers, path)) return;
  // Last in the list is nearest to the application; it must see everything that reaches the driver, so it is first.
  n = snprintf(list, sizeof list, "%s%s%s", path, layers && *layers ? ":" : "", layers ? layers : "");
  if (n > 0 && n < (int)sizeof list) setenv("OPENCL_LAYERS", list, 1);
}
