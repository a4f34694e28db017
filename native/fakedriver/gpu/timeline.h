// What the operations of a context's streams do as time passes; the GPU's lock is held.
#ifndef FAKE_TIMELINE_H
#define FAKE_TIMELINE_H

#include "gpu.h"

static inline bool fake_op_valid(int16_t op) { return op >= 0 && op < FAKE_OPS; }

// The first operation of a stream is done.
void fake_pop(struct fake_context *c, int stream);
// Whether a stream's first operation need not wait for other streams: stream 0 waits for everything that was submitted
// before, and everything later waits for it.
bool fake_in_order(const struct fake_context *c, int stream);
// Starts what can start. Returns whether the context has work for the multiprocessors.
bool fake_start(struct fake_gpu *g, struct fake_context *c);

#endif
