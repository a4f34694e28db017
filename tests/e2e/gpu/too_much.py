"""Asks for more device memory than any slice of the tests has, and does not catch the error."""

import pyopencl as cl

context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
cl.Buffer(context, cl.mem_flags.READ_WRITE, 1 << 30)
