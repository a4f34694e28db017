// The test double of libcuda: what its files share. Errors are those of cuda.h.
//
// A kernel's name says what it does: `spin_<ns>` keeps a multiprocessor busy for so many nanoseconds per block;
// `increment_<ns>` also adds 1 to each of the `n` 32-bit words at `p` (parameters: device pointer p, unsigned n), at
// the time of its launch; `touch_<ns>` adds 1 to the first word of each 2 MiB of the `bytes` at `p` (parameters: device
// pointer p, size_t bytes). Managed memory is touched on the timeline too. `meet_<ns>_<place>_<rank>` keeps
// the whole GPU busy until its peer, of the same place and the other rank (0 and 1), runs on another GPU, and then for so
// many nanoseconds; the n-th launch meets the peer's n-th. `nothing_0` does
// not even reach the timeline: what a launch costs is then what stands in front of the driver. Device pointers are host
// pointers.
#ifndef FAKE_CUDA_H
#define FAKE_CUDA_H

#include <stddef.h>

#include "../gpu/gpu.h"

#define API __attribute__((visibility("default"))) int
typedef unsigned long long devptr;

enum {
  OK = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  DEINITIALIZED = 4,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  CONTEXT_IS_DESTROYED = 709,
  NOT_SUPPORTED = 801,
  CAPTURE_UNSUPPORTED = 900,
  CAPTURE_INVALIDATED = 901,
  UNKNOWN = 999,
};

struct context {
  int id;         // on the timeline
  bool primary;
  struct stream *streams;
  struct context *next;
};

enum node_kind { NODE_KERNEL = 0, NODE_MEMCPY = 1, NODE_MEMSET = 2, NODE_HOST = 3, NODE_GRAPH = 4, NODE_EMPTY = 5, NODE_ALLOC = 10, NODE_FREE = 11 };

struct node {
  enum node_kind kind;
  uint64_t blocks, block_ns;
  size_t bytes;
  devptr pointer;
  struct graph *child;
  struct fake_span span; // of managed memory
  struct node *next;
};

struct graph {
  struct node *first, **last;
};

struct graph_exec {
  struct fake_span span[FAKE_SPANS]; // of the first nodes that touch managed memory
  uint64_t ns, bytes, live; // bytes: the most that it needs at once
  size_t kernels;
};

struct stream {
  struct context *context;
  int id;
  struct graph *capture; // being recorded into
  bool origin, invalid;
  int mode;
  struct stream *next;
};

struct event {
  struct context *context;
  uint32_t id;
  uint64_t generation;
  struct graph *capture; // recorded in a captured stream
};

struct function {
  char name[64];
  uint64_t block_ns;
  bool increments, touches, nothing;
  uint32_t meeting, rank; // see fake_waits_for_peer
  uint64_t rounds;        // launched so far
};

struct context *fake_current(void);
int fake_context_of(struct context **c);                       // INVALID_CONTEXT where none is current
int fake_primary(struct context **c, int device);              // whether or not it is retained
int fake_resolve(void *handle, bool per_thread, struct stream **s); // handles 0, 1, 2 and real ones
// What global captures forbid: returns CAPTURE_UNSUPPORTED, and invalidates them, as the driver does.
int fake_unsafe(void);
void fake_node(struct graph *g, struct node node);
void fake_prune(struct context *c); // its streams are gone
int fake_managed_add(devptr p, size_t bytes);
void fake_managed_remove(devptr p);
// Where the managed memory at `p` lies in the GPU's table; false: it is none.
bool fake_span_of(devptr p, size_t bytes, struct fake_span *out);
// Does what the kernel does to memory (if `now`), and says which managed memory that is.
void fake_run(const struct function *f, void **parameters, bool now, struct fake_span spans[FAKE_SPANS]);

#endif
