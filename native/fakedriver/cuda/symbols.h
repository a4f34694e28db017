// The driver's symbols: what cuGetProcAddress chooses from.
#ifndef FAKE_SYMBOLS_H
#define FAKE_SYMBOLS_H

#include <stdbool.h>

struct fake_symbol {
  const char *base; // name for cuGetProcAddress
  int version;      // of CUDA that introduced it; 0: not known
  bool thread;      // for the thread's own default stream
  void *function;
};

extern const struct fake_symbol fake_symbols[];
extern const int fake_symbol_count;

#endif
