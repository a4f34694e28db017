"""Keeps its slice busy with short kernels, always a few ahead, until SECONDS are over."""

import os
import time

import numpy as np
import pyopencl as cl

device = cl.get_platforms()[0].get_devices()[0]
context = cl.Context([device])
queue = cl.CommandQueue(context)
out = cl.Buffer(context, cl.mem_flags.READ_WRITE, 1 << 20)
program = cl.Program(
    context,
    """
__kernel void churn(__global uint *out, const uint rounds) {
  uint x = (uint)get_global_id(0) + 1;
  for (uint r = 0; r < rounds; r++) x = x * 1664525u + 1013904223u + (x >> 13);
  out[get_global_id(0)] = x;
}
""",
).build()
churn = cl.Kernel(program, 'churn')
churn(queue, (4096,), None, out, np.uint32(1)).wait()
print('READY', flush=True)
ahead, launches = [], 0
end = time.monotonic() + float(os.environ.get('SECONDS', '10'))
while time.monotonic() < end:
    ahead.append(churn(queue, (4096,), None, out, np.uint32(2000)))
    launches += 1
    if len(ahead) > 4:
        ahead.pop(0).wait()
queue.finish()
print('DONE', launches, flush=True)
