// MPS as the fake driver plays it. `nvidia-cuda-mps-control` (control.c) listens in CUDA_MPS_PIPE_DIRECTORY; a process
// that calls cuInit asks there for a server, as the real driver does, and runs without MPS where nobody answers.
//
// One connection for each client, kept for its life: one line to the daemon, one line back, and then a line for each
// change that the daemon makes to a client (its termination).
//   client percentage=<P> memory=<bytes|0> priority=<0|1>   →   ok server=<pid> percentage=<P> memory=<bytes|0>
//   command <text>                                          →   <text>…, and the connection ends
#ifndef FAKE_MPS_H
#define FAKE_MPS_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_MPS_DEFAULT_DIRECTORY "/tmp/nvidia-mps"
#define FAKE_MPS_SOCKET "control"
#define FAKE_MPS_CLIENTS 48 // client contexts of one server, as NVIDIA's documentation has it for Volta and later

struct fake_mps_terms { // what a client was granted
  uint32_t server;      // process of its MPS server
  double percentage;    // active threads
  uint64_t memory;      // bytes that it may pin, 0: no limit
};

// Joins the MPS server that the environment names. 0: joined; 1: there is none; else the driver's error.
int fake_mps_join(struct fake_mps_terms *terms);

// `0=512M,1=2G` → the bytes for device 0; 0 where it names none. A bare number counts megabytes.
uint64_t fake_mps_memory(const char *text);

#endif
