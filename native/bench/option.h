// Whole numbers given as key=value.
#ifndef VGPU_BENCH_OPTION_H
#define VGPU_BENCH_OPTION_H

#include <stdlib.h>
#include <string.h>

static unsigned long long option(int argc, char **argv, const char *name, unsigned long long otherwise) {
  size_t n = strlen(name);
  for (int i = 1; i < argc; i++)
    if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') return strtoull(argv[i] + n + 1, NULL, 10);
  return otherwise;
}

// Declares a variable of that name with what was given for it.
#define OPTION(name, otherwise) unsigned long long name = option(argc, argv, #name, otherwise)

#endif
