// How far each slice is behind what its share promises, now and a second ago. Shares are to hold over any second, not
// only from the beginning on: over the second that ends at t a slice has its share and what it was behind a second
// before, less what it is behind at t. So it is not the slice furthest behind that is next, but the one furthest behind
// what it was at the same point of the second before: what cannot be divided (a kernel that outlasts its turn) comes
// again at the same distance, and every second looks like the one before.
#ifndef VGPU_ECHO_H
#define VGPU_ECHO_H

#include "schedule.h"

// Of what a slice was behind, this much is put up with again. Below 1, so that every error fades.
#define VGPU_ECHO_PART 0.8
// And at most this much, in ns of the device: longer kernels than these are paid back at once.
#define VGPU_ECHO_MOST 20e6

// Brings `level` and the slices' histories up to date. Clocks and states are those of the time up to `now`.
void vgpu_echo_account(struct vgpu_schedule *s, uint64_t now);
// A turn that others waited for has ended, and took so long.
void vgpu_echo_turn(struct vgpu_tenant *t, uint64_t took);
// Device time in ns that the slice is to have before others, `ahead_ns` from now on, if it waits until then.
double vgpu_echo_claim(const struct vgpu_schedule *s, const struct vgpu_tenant *t, uint64_t ahead_ns);

#endif
