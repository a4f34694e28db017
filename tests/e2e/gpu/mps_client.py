"""A CUDA program that works for SECONDS, or until it is asked to end, and tells what MPS lets it have; one line, RESULT {json}."""

import ctypes
import json
import os
import signal
import time

# What a program might try to get more than its part.
os.environ['CUDA_MPS_ACTIVE_THREAD_PERCENTAGE'] = '100'
cuda = ctypes.CDLL('libcuda.so.1')


def call(name, *args):
    code = getattr(cuda, name)(*args)
    if code != 0:
        raise RuntimeError(f'{name}: {code}')


def attribute(which):
    value = ctypes.c_int()
    call('cuDeviceGetAttribute', ctypes.byref(value), which, 0)
    return value.value


call('cuInit', 0)
context, module, function = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
pointer, free, total = ctypes.c_uint64(), ctypes.c_size_t(), ctypes.c_size_t()
call('cuDevicePrimaryCtxRetain', ctypes.byref(context), 0)
call('cuCtxSetCurrent', context)
call('cuMemGetInfo_v2', ctypes.byref(free), ctypes.byref(total))
result = {'multiprocessors': attribute(16), 'mps': attribute(133), 'total': total.value}
result['free'] = free.value
result['more'] = cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(free.value + 1))
result['fits'] = cuda.cuMemAlloc_v2(ctypes.byref(pointer), free)
result['one_byte_more'] = cuda.cuMemAlloc_v2(ctypes.byref(ctypes.c_uint64()), ctypes.c_size_t(1))
call('cuMemFree_v2', pointer)
call('cuModuleLoadData', ctypes.byref(module), b'')
call('cuModuleGetFunction', ctypes.byref(function), module, b'spin_1000000')
result['pipes'] = os.environ.get('CUDA_MPS_PIPE_DIRECTORY')
result['others_slices'] = len(os.listdir('/run/vgpu/slices')) - 1
result['pipes_writable'] = os.access(result['pipes'], os.W_OK)
# Stopping it ends the loop, not the program: the result still comes.
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
print('READY', flush=True)
kernels, end = 0, time.monotonic() + float(os.environ.get('SECONDS', '0'))
while time.monotonic() < end and not asked:
    for _ in range(10):
        call('cuLaunchKernel', function, 132, 1, 1, 1, 1, 1, 0, None, None, None)
    call('cuCtxSynchronize')
    kernels += 10
result['kernels'] = kernels
print('RESULT', json.dumps(result), flush=True)
