// What a process of a slice and the arbiter say to each other over `arbiter.sock` (SOCK_SEQPACKET, fixed-size
// messages). Turns are granted and recalled through the account, not here.
#ifndef VGPU_PROTOCOL_H
#define VGPU_PROTOCOL_H

#include <stdint.h>

#include "../ledger/layout.h"

// Members of a gang begin no more work from so long before the end of their turn on, by the clock that they share.
#define VGPU_GANG_REST_NS 1000000ull

enum vgpu_message {
  VGPU_HELLO = 1,    // process: first message; after a reconnect value = 1 and memory[] is what it holds
  VGPU_WELCOME = 2,  // arbiter: value = slot, with the account's descriptor
  VGPU_REFUSED = 3,  // arbiter: value = errno-like reason; the connection ends
  VGPU_REQUEST = 4,  // process: wants the turn
  VGPU_RELEASE = 5,  // process: gives the turn `generation` back, its work finished; value = 1 if it wants it again
  VGPU_MEASURE = 6,  // process: measure what the driver holds for me (context created, module loaded, out of memory)
  VGPU_MEASURED = 7, // arbiter: the overheads are up to date; value = bytes that contexts and modules take, UINT64_MAX: unknown
};

struct vgpu_packet {
  uint32_t type;
  uint32_t version;
  uint32_t generation;
  // REQUEST, RELEASE: milli of the multiprocessors that the process's work occupies, 0: all. WELCOME: milli of them that
  // the process may use under MPS, 0: the slice is not under MPS.
  uint32_t width;
  uint64_t value;
  uint64_t memory[VGPU_KINDS];
};

#endif
