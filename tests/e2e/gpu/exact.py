"""Uses its slice for a while and prints one line, RESULT {json}: what it saw, and how its sums compare with NumPy's."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyopencl as cl

SOURCE = """
#pragma OPENCL FP_CONTRACT OFF
__kernel void blend(__global const float *a, __global const float *b, __global float *out, const int rounds) {
  const size_t i = get_global_id(0);
  float x = a[i];
  for (int r = 0; r < rounds; r++) x = x * b[i] + a[i];
  out[i] = x;
}
__kernel void scramble(__global uint *out, const uint rounds) {
  const size_t i = get_global_id(0);
  uint x = (uint)i + 1;
  for (uint r = 0; r < rounds; r++) x = x * 1664525u + 1013904223u + (x >> 13);
  out[i] = x;
}
"""
N, ROUNDS = 1 << 16, 200
flags = cl.mem_flags


def refused(context, size):
    """The name of the error with which this many bytes are refused, or None."""
    try:
        cl.Buffer(context, flags.READ_WRITE, size).release()
        return None
    except cl.Error as error:
        return cl.status_code.to_string(error.code)


def attempts_to_escape():
    """What a worker may try against the limiter; each must fail."""
    done = []
    for path in ('/etc/ld.so.preload', '/usr/local/lib/vgpu/libvgpu-limiter.so'):
        for what, act in (
            ('write', lambda: open(path, 'r+b')),
            ('delete', lambda: os.unlink(path)),
            ('replace', lambda: os.rename(path, path + '.old')),
        ):
            try:
                act()
                done.append(f'{what} {path}')
            except OSError:
                pass
    return done


def memory_seen(env):
    """What a child process with this environment takes for the device's memory."""
    code = 'import pyopencl as cl; print(cl.get_platforms()[0].get_devices()[0].global_mem_size)'
    return int(subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, check=True).stdout)


device = cl.get_platforms()[0].get_devices()[0]
context = cl.Context([device])
queue = cl.CommandQueue(context)
cap = int(os.environ['CAP'])
result = {'memory': device.global_mem_size, 'escaped': attempts_to_escape()}
result['memory_of_child'] = memory_seen({})
result['memory_of_child_with_tricks'] = memory_seen(
    {'LD_PRELOAD': '', 'OPENCL_LAYERS': '', 'VGPU_SLICE': '/tmp', 'VGPU_DISABLE': '1'}
)

# All of it fits, one byte more does not, and what was given back can be had again.
result['one_byte_more_at_once'] = refused(context, cap + 1)
whole = cl.Buffer(context, flags.READ_WRITE, cap)
result['one_byte_more'] = refused(context, 1)
whole.release()
halves = [cl.Buffer(context, flags.READ_WRITE, cap // 2) for _ in range(2)]
result['third_half'] = refused(context, cap // 2)
for half in halves:
    half.release()
result['again'] = refused(context, cap)

program = cl.Program(context, SOURCE).build()
random = np.random.default_rng(int(os.environ.get('SEED', '1')))
a, b = (random.random(N, dtype=np.float32) for _ in range(2))
buffers = [cl.Buffer(context, flags.READ_ONLY | flags.COPY_HOST_PTR, hostbuf=x) for x in (a, b)]
out = cl.Buffer(context, flags.WRITE_ONLY, a.nbytes)
blend, scramble = cl.Kernel(program, 'blend'), cl.Kernel(program, 'scramble')

expected = a.copy()
for _ in range(ROUNDS):
    expected = expected * b + a
integers = np.arange(1, N + 1, dtype=np.uint32)
for _ in range(ROUNDS):
    integers = integers * np.uint32(1664525) + np.uint32(1013904223) + (integers >> np.uint32(13))

# Stopping it ends the loop, not the program: the result still comes.
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
print('READY', flush=True)
got, wrong, launches = np.empty_like(a), 0, 0
end = time.monotonic() + float(os.environ.get('SECONDS', '5'))
while time.monotonic() < end and not asked:
    blend(queue, (N,), None, *buffers, out, np.int32(ROUNDS))
    cl.enqueue_copy(queue, got, out)
    wrong += got.tobytes() != expected.tobytes()
    scramble(queue, (N,), None, out, np.uint32(ROUNDS))
    cl.enqueue_copy(queue, got, out)
    wrong += got.tobytes() != integers.tobytes()
    launches += 2
result.update(wrong=wrong, launches=launches, digest=hashlib.sha256(got.tobytes()).hexdigest())
print('RESULT', json.dumps(result), flush=True)
