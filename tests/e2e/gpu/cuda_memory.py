"""What the CUDA driver tells this worker of its device, by the driver's own interface; one line, RESULT {json}."""

import ctypes
import json
import os

cuda = ctypes.CDLL('libcuda.so.1')


def call(name, *args):
    code = getattr(cuda, name)(*args)
    if code != 0:
        raise RuntimeError(f'{name}: {code}')


call('cuInit', 0)
context, free, total, pointer = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_uint64()
call('cuDevicePrimaryCtxRetain', ctypes.byref(context), 0)
call('cuCtxSetCurrent', context)
call('cuMemGetInfo_v2', ctypes.byref(free), ctypes.byref(total))
fits = cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(free.value))
more = cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(1))
result = {'total': total.value, 'free': free.value, 'fits': fits, 'one_byte_more': more}
result['visible'] = os.environ.get('CUDA_VISIBLE_DEVICES')
result['limiter'] = os.path.exists('/etc/ld.so.preload')
print('RESULT', json.dumps(result), flush=True)
