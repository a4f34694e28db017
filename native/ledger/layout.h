// Layout of the two shared-memory regions; `README.md` in this folder explains them, `reader.ts` reads the first.
//
//  ledger   one file per accelerator, written by the arbiter alone, readable by anybody it is shown to
//  account  one sealed memory descriptor per slice, mapped by the arbiter and by the slice's processes
//
// A process can write to its own slice's account and to nothing else. The arbiter takes no decision about another
// slice, and computes no address, from anything that stands in an account.
#ifndef VGPU_LEDGER_LAYOUT_H
#define VGPU_LEDGER_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#define VGPU_LEDGER_MAGIC 0x4c55504756ull  // "VGPUL" in little-endian bytes
#define VGPU_ACCOUNT_MAGIC 0x4155504756ull // "VGPUA"
#define VGPU_LAYOUT_VERSION 1u

#define VGPU_ID_MAX 48      // bytes, with the final zero
#define VGPU_SLICES_MAX 256 // slices on one accelerator
#define VGPU_SLOTS_MAX 1024 // processes in one slice

// What device memory is held for. The order is part of the layout.
enum vgpu_kind {
  VGPU_KIND_DEVICE = 0,   // cuMemAlloc and relatives, clCreateBuffer, clSVMAlloc
  VGPU_KIND_POOL = 1,     // stream-ordered allocations
  VGPU_KIND_ARRAY = 2,    // arrays, mipmapped arrays, images
  VGPU_KIND_VMM = 3,      // cuMemCreate
  VGPU_KIND_MANAGED = 4,  // cuMemAllocManaged
  VGPU_KIND_GRAPH = 5,    // memory nodes of instantiated graphs
  VGPU_KIND_EXTERNAL = 6, // imported external memory
  VGPU_KIND_CONTEXT = 7,  // what the driver takes for contexts and modules
  VGPU_KINDS = 8,
};

enum vgpu_qos { VGPU_QOS_GUARANTEED = 0, VGPU_QOS_BURSTABLE = 1, VGPU_QOS_BEST_EFFORT = 2 };

typedef _Atomic uint64_t au64;
typedef _Atomic uint32_t au32;

// One row of the ledger, 512 bytes. `seq` is odd while the arbiter changes `id` and the settings; the counters are
// single 64-bit words and may be read at any time.
struct vgpu_ledger_row {
  au64 seq;
  au64 in_use;
  char id[VGPU_ID_MAX];
  au64 share_milli, limit_milli, qos, critical, overcommit;
  au64 memory_cap, memory_used;      // bytes; used is the sum of memory[]
  au64 memory[VGPU_KINDS];           // bytes by kind
  au64 memory_peak, memory_denied;   // bytes, the most at once since the slice was made; refused allocations
  au64 processes;                    // attached now
  au64 device_ns;                    // time held on the accelerator; under MPS weighed by its part of the multiprocessors
  au64 wait_ns;                      // time spent waiting for a turn (by the arbiter's clock)
  au64 turns, launches;              // turns granted; pieces of work submitted
  au64 overruns;                     // turns given back later than asked
  au64 strips;                       // turns taken from a dead, stopped or hung holder
  au64 utilisation_permille;         // of the last second, of the whole device
  au64 handover_ns_last, handover_ns_max; // from asking a holder to give back to this slice's turn
  // Over-commitment (see docs/limiter.md); 0 without it.
  au64 physical_cap, physical_used;  // bytes: of memory that cannot leave the device
  au64 working_set, resident;        // bytes: in use; of that believed to be on the device
  au64 paged_in, paged_out;          // bytes moved between host and device ahead of use, in all
  au64 moving_ns;                    // time that took
  au64 quantum_ns;                   // longest turn now
  au64 bandwidth;                    // bytes a second, as observed
  au64 reserved[17];
  au64 fence;                        // 1: NVIDIA's driver, 2: the kernel holds its control group to its memory as well
  au64 mps_milli;                    // under MPS: multiprocessors that its processes may use; 0: not under MPS
  au64 spatial;                      // 1: those are its own, and it runs at the same time as all others
};
_Static_assert(sizeof(struct vgpu_ledger_row) == 512, "ledger row");

struct vgpu_ledger {
  uint64_t magic;
  uint32_t version, row_size;
  uint32_t rows, header_size;
  au64 arbiter_pid, started_realtime_ns, updated_monotonic_ns;
  char device[96]; // UUID, or empty
  au64 holder;     // row + 1 of the slice that has the turn now, 0 for none
  au64 device_busy_ns, device_idle_ns, handovers;
  au64 memory_total, memory_physical_used; // of the device, from NVML; 0 where unknown
  uint8_t pad[4096 - 24 - 24 - 96 - 6 * 8];
  struct vgpu_ledger_row row[VGPU_SLICES_MAX];
};
_Static_assert(sizeof(struct vgpu_ledger) == 4096 + 512 * VGPU_SLICES_MAX, "ledger");

// A slot's turn word: generation << 2 | state. Only the arbiter changes it; processes wait on it with a futex.
enum vgpu_turn { VGPU_TURN_NONE = 0, VGPU_TURN_HELD = 1, VGPU_TURN_RECALLED = 2 };
#define VGPU_TURN_STATE(word) ((word) & 3u)
#define VGPU_TURN_GENERATION(word) ((word) >> 2)

// One process of a slice, 256 bytes.
struct vgpu_slot {
  // Written by the arbiter.
  au32 turn;          // futex
  au32 contended;     // somebody waits for what this process holds
  au64 quantum_ns;    // from the moment `turn` became HELD; 0: no end
  au64 overhead;      // bytes the driver holds for the process beyond what it accounted, as measured
  au64 granted_ns;    // CLOCK_MONOTONIC at the grant
  au32 in_use;
  au32 bell;          // futex: changes whenever something above does; the process rings it too
  // Written by the process (the memory words under the account's lock).
  au64 memory[VGPU_KINDS];
  au64 launches, wait_ns, denied;
  // Over-commitment. Written by the process:
  au64 working_set, resident; // bytes of memory that can leave the device: in use; on the device, as far as it knows
  au64 paged_in, paged_out;   // bytes it moved ahead of use
  au64 moving_ns, timed;      // time that it took to move so many of them
  // and by the arbiter:
  au64 room;                  // bytes that fit on the device while it has the turn
  au64 keep;                  // bytes that may stay there when it has not; the process lets go of the rest
  au32 disturbed;             // changes when others may have driven out what is on the device
  au32 pad;
  // Written by the process (`high` under the account's lock, and set to 0 by the arbiter):
  au64 high;                  // bytes, the most that all kinds but managed memory were since then
  au32 flying, flights;       // calls under way that allocate or free; how many there have been
  au64 reserved[5];
};
_Static_assert(sizeof(struct vgpu_slot) == 256, "slot");

struct vgpu_account {
  uint64_t magic;
  uint32_t version, slots;
  // Written by the arbiter.
  au64 memory_cap;       // bytes, 0: none
  au64 overhead;         // sum of the slots' overhead
  au64 context_estimate; // bytes that one more context will probably take
  au64 queue_ns;         // bound on submitted, unfinished work
  au64 idle_ns;          // a contended holder without work gives back after this
  au64 utilisation_permille; // of the last second, relative to the slice's share
  au32 removed, overcommit;
  au64 device_memory;    // bytes of the whole device, 0 where unknown
  // Written by the slice's processes.
  au32 lock;             // 0, or slot + 1 of the owner, with bit 31 set while others wait; futex
  au32 pad0;
  au64 used;             // bytes, the sum of all slots' memory words
  au64 pinned;           // of that what cannot leave the device: all but managed memory
  // Written by the arbiter.
  au64 physical_cap;     // bound on `pinned` and the overhead, 0: none
  // Written by the slice's processes.
  au64 peak;             // bytes, the most that `used` and the overhead ever were together
  uint8_t pad[4096 - 16 - 6 * 8 - 8 - 8 - 8 - 8 - 16 - 8];
  struct vgpu_slot slot[VGPU_SLOTS_MAX];
};
_Static_assert(sizeof(struct vgpu_account) == 4096 + 256 * VGPU_SLOTS_MAX, "account");

#endif
