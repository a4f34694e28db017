// What a slice is, as text: `key=value` tokens between blanks or line ends, values percent-encoded. The same form
// stands in `slice` files and in requests on the control socket.
#ifndef VGPU_SLICE_CONFIG_H
#define VGPU_SLICE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/layout.h"

#define VGPU_DEVICE_MAX 96
#define VGPU_CGROUP_MAX 256
#define VGPU_MPS_MAX 108 // CUDA_MPS_PIPE_DIRECTORY holds Unix sockets

struct vgpu_slice_config {
  char id[VGPU_ID_MAX];
  char device[VGPU_DEVICE_MAX]; // empty: any
  char mps[VGPU_MPS_MAX];       // the MPS daemon's pipe directory; empty: the slice is not under MPS
  char gang[VGPU_ID_MAX];       // slices of this name on other devices have their turns at the same time; empty: none
  char cgroup[VGPU_CGROUP_MAX]; // folder of the control group that its processes are in (cgroup v2); empty: not said
  uint64_t memory;              // bytes, 0: no cap
  uint32_t share, limit;        // milli
  enum vgpu_qos qos;
  bool critical, overcommit;
  bool spatial;                 // under MPS, by the arbiter: has multiprocessors of its own
  bool has_limit;               // given, not derived
  uint32_t scaling;             // milli: memory that the device hands out for each that it has; 0: not said
};

enum vgpu_config_result { VGPU_CONFIG_OK = 0, VGPU_CONFIG_SYNTAX, VGPU_CONFIG_KEY, VGPU_CONFIG_VALUE, VGPU_CONFIG_MISSING };

// Applies the tokens of `text` to `out`, which keeps what is not mentioned. On failure `out` is unspecified and
// `bad` (at least 64 bytes) names the token. Unknown keys are errors, except for `version`.
enum vgpu_config_result vgpu_slice_config_apply(struct vgpu_slice_config *out, const char *text, size_t length, char *bad);

// Fills what follows from the rest (limit from QoS and share) and checks the whole.
enum vgpu_config_result vgpu_slice_config_finish(struct vgpu_slice_config *c, char *bad);

// Writes `c` as text with its final zero; returns its length, or 0 where `size` does not suffice.
size_t vgpu_slice_config_print(const struct vgpu_slice_config *c, char *out, size_t size);

const char *vgpu_config_message(enum vgpu_config_result result);
const char *vgpu_qos_name(enum vgpu_qos qos);

#endif
