"""A CUDA program by others: NVIDIA's Python bindings of the driver API, which find every function by version."""
import ctypes
import sys

from cuda.bindings import driver as cuda

MIB = 1 << 20


def check(answer):
    assert answer[0] == cuda.CUresult.CUDA_SUCCESS, answer[0]
    return answer[1] if len(answer) == 2 else answer[1:]


check(cuda.cuInit(0))
device = check(cuda.cuDeviceGet(0))
check(cuda.cuCtxSetCurrent(check(cuda.cuDevicePrimaryCtxRetain(device))))
stream = check(cuda.cuStreamCreate(cuda.CUstream_flags.CU_STREAM_NON_BLOCKING))
free, total = check(cuda.cuMemGetInfo())
module = check(cuda.cuModuleLoadData(b"\0"))
free = check(cuda.cuMemGetInfo())[0]
print(f"total={total}")

# A kernel, launched and captured, works on what it is given.
n = 1000
words = (ctypes.c_uint32 * n)()
memory = check(cuda.cuMemAlloc(4 * n))
check(cuda.cuMemcpyHtoD(memory, words, 4 * n))
kernel = check(cuda.cuModuleGetFunction(module, b"increment_20000"))
arguments = ((int(memory), n), (ctypes.c_void_p, ctypes.c_uint))
for _ in range(25):
    check(cuda.cuLaunchKernel(kernel, 8, 1, 1, 128, 1, 1, 0, stream, arguments, 0))
check(cuda.cuStreamSynchronize(stream))
check(cuda.cuStreamBeginCapture(stream, cuda.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
check(cuda.cuLaunchKernel(kernel, 8, 1, 1, 128, 1, 1, 0, stream, arguments, 0))
executable = check(cuda.cuGraphInstantiate(check(cuda.cuStreamEndCapture(stream)), 0))
for _ in range(5):
    check(cuda.cuGraphLaunch(executable, stream))
check(cuda.cuStreamSynchronize(stream))
check(cuda.cuMemcpyDtoH(words, memory, 4 * n))
print(f"wrong={sum(w != 25 for w in words)}")
check(cuda.cuMemFree(memory))

# Memory by every road, and the cap: what is left can be had, and not a byte more.
taken = {}


def measure(name, allocate, release):
    before = check(cuda.cuMemGetInfo())[0]
    what = check(allocate())
    taken[name] = before - check(cuda.cuMemGetInfo())[0]
    check(release(what[0] if isinstance(what, tuple) else what))
    assert check(cuda.cuMemGetInfo())[0] == before, name


array = cuda.CUDA_ARRAY_DESCRIPTOR()
array.Width, array.Height, array.NumChannels = 1024, 512, 1
array.Format = cuda.CUarray_format.CU_AD_FORMAT_FLOAT
measure("alloc", lambda: cuda.cuMemAlloc(3 * MIB), cuda.cuMemFree)
measure("pitch", lambda: cuda.cuMemAllocPitch(1000, 1024, 4), cuda.cuMemFree)
measure("managed", lambda: cuda.cuMemAllocManaged(4 * MIB, 1), cuda.cuMemFree)
measure("async", lambda: cuda.cuMemAllocAsync(5 * MIB, stream), lambda p: cuda.cuMemFreeAsync(p, stream))
measure("array", lambda: cuda.cuArrayCreate(array), cuda.cuArrayDestroy)
print(" ".join(f"{name}={size}" for name, size in taken.items()))
free = check(cuda.cuMemGetInfo())[0]
over = cuda.cuMemAlloc(free + 1)[0]
exact = cuda.cuMemAlloc(free)[0]
one = cuda.cuMemAlloc(1)[0]
print(f"free={free} over={int(over)} exact={int(exact)} one={int(one)}")
sys.stdout.flush()
