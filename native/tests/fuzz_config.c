// links: common/slice_config.c
// Feeds the parser of slice settings with mutated text; fuzz_config <rounds> <seed>. What it accepts must come out of
// printing and parsing again unchanged. Meant to be run under ASan and UBSan.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/slice_config.h"

static unsigned long long x;
static unsigned next(unsigned n) {
  x = x * 6364136223846793005ull + 1442695040888963407ull;
  return (unsigned)(x >> 33) % n;
}

int main(int argc, char **argv) {
  static const char *const seeds[] = {
      "id=a device=GPU-1 memory=1073741824 share=250 limit=500 qos=guaranteed latency=critical overcommit=1",
      "version=1\nid=job-1\ndevice=opencl:Portable%20Computing%20Language:0\nshare=1000\n", "qos=best-effort id=x", "%", "=", "id=%41%"};
  unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000, accepted = 0;
  x = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  for (unsigned long i = 0; i < rounds; i++) {
    char text[256], bad[64], printed[1024];
    const char *seed = seeds[next(sizeof seeds / sizeof *seeds)];
    size_t length = strlen(seed);
    memcpy(text, seed, length);
    for (unsigned k = next(6); k > 0 && length > 0; k--) {
      size_t at = next((unsigned)length);
      switch (next(4)) {
        case 0: text[at] = (char)next(256); break;
        case 1: memmove(text + at, text + at + 1, --length - at); break;
        case 2:
          if (length < 200) memmove(text + at + 1, text + at, length++ - at);
          break;
        case 3: text[at] = "=% \n0919ax"[next(10)]; break;
      }
    }
    // Exactly as long as it is, so that a sanitizer sees a step too far.
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    struct vgpu_slice_config c = {0}, again = {0};
    bool good = vgpu_slice_config_apply(&c, exact, length, bad) == VGPU_CONFIG_OK &&
                vgpu_slice_config_finish(&c, bad) == VGPU_CONFIG_OK;
    free(exact);
    if (!good) continue;
    accepted++;
    size_t n = vgpu_slice_config_print(&c, printed, sizeof printed);
    if (n == 0 || vgpu_slice_config_apply(&again, printed, n, bad) || vgpu_slice_config_finish(&again, bad) ||
        strcmp(c.id, again.id) || strcmp(c.device, again.device) || c.memory != again.memory || c.share != again.share ||
        c.limit != again.limit || c.qos != again.qos || c.critical != again.critical || c.overcommit != again.overcommit) {
      fprintf(stderr, "not the same again: %s\n", printed);
      return 1;
    }
  }
  printf("rounds=%lu accepted=%lu\n", rounds, accepted);
  return 0;
}
