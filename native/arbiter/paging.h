// Over-commitment: how long turns last where the memory of those who want the device does not fit on it together, and
// who leaves how much of it there. Pure, like the schedule.
#ifndef VGPU_PAGING_PLAN_H
#define VGPU_PAGING_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vgpu_paging_policy {
  uint32_t percent;      // of a turn that may go into moving memory
  uint64_t max_ns;       // longest turn, whatever moving costs
  uint64_t latency_ns;   // what a guaranteed or latency-critical slice waits for all such turns together at most
};

// In the order in which they are to keep what they have: who has the turn (several, under MPS), those that wait in the order of
// their turns, those that want nothing, who used the device last first.
struct vgpu_paging_demand {
  uint64_t working_set, resident; // bytes
  bool holds, heir;               // has the turn; has it next (NULL heir: the holder keeps it)
  bool waits;
  uint64_t keep;                  // out: bytes that may stay on the device; UINT64_MAX: all
};

#define VGPU_KEEP_ALL UINT64_MAX

// Nanoseconds that a turn of a process with this working set costs in moves: what does not fit beside the others'
// comes in when it begins and goes out when it ends.
uint64_t vgpu_paging_cost(uint64_t sum, uint64_t working_set, uint64_t capacity, uint64_t bytes_per_second);

// How long the turns last. 0: as ever, since all fits. `ahead`: slices with such turns that one which was promised low
// latency may have to wait for, one after the other; 0: none was promised that.
uint64_t vgpu_paging_quantum(const struct vgpu_paging_policy *policy, uint64_t cost_ns, uint32_t ahead);

// Sets `keep` of all. While the holder works, what it needs comes first; when it is over, what its heir needs. Who has
// just had the device is the one who needs it last, so the holder leaves as much as the heir wants, and those that
// wait beside keep theirs; those that want nothing go before all others.
void vgpu_paging_plan(struct vgpu_paging_demand *demand, size_t n, uint64_t capacity);

#endif
