// What a kernel's parameters are, and which managed memory it touches through them.
#include <string.h>

#include "fake.h"

API cuFuncGetParamInfo(struct function *f, size_t index, size_t *offset, size_t *bytes) {
  size_t sizes[2] = {8, f->increments ? 4 : 8};
  if (!(f->increments || f->touches) || index > 1) return INVALID_VALUE;
  *offset = index * 8;
  if (bytes) *bytes = sizes[index];
  return OK;
}

void fake_run(const struct function *f, void **parameters, bool now, struct fake_span spans[FAKE_SPANS]) {
  memset(spans, 0, FAKE_SPANS * sizeof *spans);
  if (!parameters || !(f->increments || f->touches)) return;
  devptr p = *(devptr *)parameters[0];
  uint32_t *words = (uint32_t *)(uintptr_t)p;
  if (f->increments) {
    unsigned n = *(unsigned *)parameters[1];
    for (unsigned i = 0; now && i < n; i++) words[i]++;
    fake_span_of(p, n * sizeof *words, &spans[0]);
    return;
  }
  size_t bytes = *(size_t *)parameters[1];
  for (size_t at = 0; now && at + sizeof *words <= bytes; at += FAKE_BLOCK) words[at / sizeof *words]++;
  fake_span_of(p, bytes, &spans[0]);
}
