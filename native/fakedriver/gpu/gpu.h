// A GPU that is not there: its state lies in a file that all processes of a test map, and its time passes whenever
// one of them looks. One context runs at a time; contexts that have work take turns of a time slice, as hardware does
// without MPS; all contexts of one MPS server together count as one. Within a context, and among those of one server,
// work runs side by side as far as multiprocessors are free and its process's active thread percentage allows.
//
// Set by the first process that uses the file: VGPU_FAKE_GPU (the file; default /tmp/vgpu-fake-gpu-<uid>),
// VGPU_FAKE_SMS (132), VGPU_FAKE_MEMORY (bytes, 16 GiB), VGPU_FAKE_CONTEXT (bytes that a context takes, 256 MiB),
// VGPU_FAKE_MODULE (bytes that a module takes, 2 MiB), VGPU_FAKE_SLICE_US (2000), VGPU_FAKE_SWITCH_US (20).
#ifndef FAKE_GPU_H
#define FAKE_GPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "residency.h"

#define FAKE_PROCESSES 1024
#define FAKE_CONTEXTS 1024
#define FAKE_STREAMS 64 // in a context
#define FAKE_OPS 1024   // submitted and unfinished, in a context
#define FAKE_EVENTS 4096
#define NONE (-1)

enum fake_op_kind { FAKE_WORK, FAKE_RECORD, FAKE_WAIT, FAKE_HOST, FAKE_TO_DEVICE, FAKE_TO_HOST };

struct fake_op {
  enum fake_op_kind kind;
  uint32_t width;        // multiprocessors it occupies
  uint32_t want;         // and would like to occupy: under MPS a kernel begins on what is free and spreads
  uint64_t left_ns;      // of its run time
  uint64_t sequence;
  uint32_t event;        // FAKE_RECORD, FAKE_WAIT
  bool all;              // FAKE_RECORD: of all streams
  uint64_t generation;   // of the event
  uint64_t ticket;       // FAKE_HOST: what the process calls it
  uint32_t meeting, rank; // of a kernel that waits for one on another GPU: 0 none, else place + 1; which of the two it is
  uint64_t round;         // which of the meetings
  bool running, host_taken;
  int16_t next;
  // FAKE_WORK: the managed memory that it touches; FAKE_TO_…: that is moved.
  struct fake_span span[FAKE_SPANS];
  uint32_t blocks, visited; // in all; that it has come to
  uint64_t each_ns;         // work for each of them
};

struct fake_event {
  uint64_t recorded, done; // generations
  uint64_t done_ns;
};

struct fake_context {
  uint32_t in_use, process;
  uint64_t active;   // streams with operations, a bit each
  uint64_t streams;  // that exist
  int16_t head[FAKE_STREAMS], tail[FAKE_STREAMS];
  bool blocking[FAKE_STREAMS]; // waits for stream 0 and is waited for by it
  int16_t free_op;
  uint64_t sequence;
  uint64_t busy_ns;
  uint32_t next_event;
  int16_t recorder;   // the stream of FAKE_RECORD for all; NONE: none yet
  struct fake_op op[FAKE_OPS];
  struct fake_event event[FAKE_EVENTS];
};

struct fake_process {
  uint32_t in_use, pid; // as it sees itself
  uint64_t memory;
  uint32_t server, sms;  // of MPS: the server's process, 0 without; multiprocessors it may use
  uint64_t memory_limit; // bytes that MPS lets it hold, 0: no limit
  char group[FAKE_GROUP_MAX]; // of cgroup v2
};

#define FAKE_FAULTS 64 // that are kept

struct fake_gpu {
  uint64_t magic;
  pthread_mutex_t mutex;
  uint64_t faults;         // Xids raised so far, and the last of them (tests/fake_fault)
  uint64_t fault[FAKE_FAULTS];
  uint32_t lost;           // the device has fallen off the bus
  uint32_t sms;
  uint64_t memory_total, context_bytes, module_bytes, slice_ns, switch_ns;
  uint64_t memory_used;
  uint64_t at;       // time has passed up to here (CLOCK_MONOTONIC)
  uint64_t busy_ns;
  uint64_t launches, switches;
  int32_t current;   // context that runs
  uint32_t rotation;
  uint64_t slice_end;
  uint64_t live[FAKE_CONTEXTS / 64]; // contexts in use, a bit each
  struct fake_process process[FAKE_PROCESSES];
  struct fake_context context[FAKE_CONTEXTS];
  struct fake_residency residency;
  struct fake_limit limit[FAKE_LIMITS];
};

// Maps the file; NULL where that fails. The process has its place from then on.
struct fake_gpu *fake_gpu(void);
uint32_t fake_self(void); // this process's place
uint32_t fake_pid(const struct fake_gpu *g, uint32_t process); // its id as the caller's PID namespace has it
uint32_t fake_sms(void);  // multiprocessors that this process may use
// This process is a client of an MPS server from now on: the contexts of one server run side by side.
void fake_serve(uint32_t server, uint32_t sms, uint64_t memory_limit);

void fake_lock(struct fake_gpu *g); // lets time pass, too
void fake_unlock(struct fake_gpu *g);
void fake_advance(struct fake_gpu *g, uint64_t now);
// Whether a running kernel still waits for its peer; says that it runs itself. See meeting.c.
bool fake_waits_for_peer(const struct fake_op *op);
void fake_bury(struct fake_gpu *g); // gives back what dead processes held

bool fake_memory_take(uint64_t bytes);
void fake_memory_give(uint64_t bytes);

int fake_context_create(void); // NONE: no memory or no room
void fake_context_destroy(int context);
int fake_stream_create(int context, bool blocking); // NONE: no room
void fake_stream_destroy(int context, int stream);

// Submit; block while the context has no room for another operation.
void fake_submit(int context, int stream, struct fake_op op);
// `spans`: the managed memory that it touches, FAKE_SPANS of them; NULL: none.
void fake_meet(int context, int stream, uint64_t block_ns, uint32_t meeting, uint32_t rank, uint64_t round);
void fake_work(int context, int stream, uint64_t blocks, uint64_t block_ns, const struct fake_span *spans);
// Both return the event's new generation; the second is for all that was submitted to the context, whichever stream.
uint64_t fake_record(int context, int stream, uint32_t event);
uint64_t fake_record_all(int context, uint32_t event);
// Whether all operations of a stream (NONE: of the context) up to `sequence` are done; and waiting for that.
bool fake_stream_done(int context, int stream, uint64_t sequence);
void fake_stream_wait(int context, int stream);
bool fake_event_done(int context, uint32_t event, uint64_t generation);
void fake_event_wait(int context, uint32_t event, uint64_t generation);
// The next host function that is due; false: none. fake_host_done lets its stream go on.
bool fake_host_due(int context, int *stream, uint64_t *ticket);
void fake_host_done(int context, int stream);

#endif
