// Slices under MPS: the driver takes the process's part of the device from its environment when it is initialised.
#ifndef VGPU_CUDA_MPS_H
#define VGPU_CUDA_MPS_H

#include "driver.h"

// Before cuInit: asks the arbiter for the process's part, and puts the environment that the driver reads in order,
// whatever the process or its parents made of it. An error: refused.
VGPU_HIDDEN CUresult vgpu_mps_before_init(void);
// After it: refused where the driver has not joined the MPS server that it was told to.
VGPU_HIDDEN CUresult vgpu_mps_after_init(void);

// For the gate: milli of the device that a grid of so many blocks occupies; 0: all that the process may use.
VGPU_HIDDEN uint32_t vgpu_mps_width(struct vgpu_member *m, uint64_t blocks);

#endif
