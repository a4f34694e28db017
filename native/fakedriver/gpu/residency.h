// Where managed memory is: in blocks of 2 MiB, each on the device or on the host. A kernel visits the blocks that it
// touches one after another; one that is not there faults, which costs the fault and the way over the bus, and where
// the device is full another block, the one that was not used for longest, whoever's it is, has to leave first.
// cuMemPrefetchAsync moves blocks at the speed of the bus, without faults.
//
// Set like the rest by the first process: VGPU_FAKE_HOST_MBPS (MB/s between host and device, 25000),
// VGPU_FAKE_FAULT_US (for each block that faults, beside its way over the bus, 200: some 7 GB/s in all).
#ifndef FAKE_RESIDENCY_H
#define FAKE_RESIDENCY_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_BLOCK (2ull << 20)
#define FAKE_BLOCKS 65536 // 128 GiB of managed memory in all
#define FAKE_EXTENTS 8192 // managed allocations in all
#define FAKE_SPANS 6      // that one operation touches

struct fake_gpu;
struct fake_op;

struct fake_span { // blocks
  uint32_t first, count;
};

struct fake_block {
  uint64_t ready_ns;   // when a prefetch brings it
  uint32_t newer, older; // by last use, 1-based; 0: none
  bool resident, populated;
};

struct fake_extent { // one allocation
  uint32_t in_use, process;
  struct fake_span span;
};

struct fake_residency {
  uint64_t block_ns, fault_ns;
  uint64_t resident;              // blocks on the device
  uint64_t faults, moved_in, moved_out, prefetched_in, prefetched_out; // blocks; faults and prefetches are parts of moved
  uint32_t newest, oldest;
  struct fake_extent extent[FAKE_EXTENTS];
  struct fake_block block[FAKE_BLOCKS];
};

// All but the first two with the lock held.
int fake_managed_create(uint64_t bytes); // an extent; -1: no room in the tables
void fake_managed_destroy(int extent);
void fake_residency_init(struct fake_gpu *g, uint64_t host_mbps, uint64_t fault_us);
void fake_residency_bury(struct fake_gpu *g, uint32_t process);
void fake_residency_repair(struct fake_gpu *g); // somebody died while changing it
// Makes room for so many bytes of memory that cannot move.
void fake_residency_yield(struct fake_gpu *g, uint64_t bytes);
// An operation that was not started: how long it takes to begin with. Then what follows, 0: it is finished.
uint64_t fake_residency_begin(struct fake_gpu *g, struct fake_op *op);
uint64_t fake_residency_next(struct fake_gpu *g, struct fake_op *op);
// Nanoseconds that the operation takes at least from now on.
uint64_t fake_op_left(const struct fake_op *op);

#endif
