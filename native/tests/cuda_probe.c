// What a CUDA program sees. cuda_probe <command> [argument]; prints key=value lines, exits with 0 if all went well.
#define _GNU_SOURCE 1
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/futex.h"
#include "cuda_api.h"

static void *context, *stream;

static void open_context(void) {
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
}

static size_t available(void) {
  size_t free_bytes, total;
  CHECK(cuMemGetInfo_v2(&free_bytes, &total));
  return free_bytes;
}

static void info(void) {
  size_t free_bytes, total, device_total;
  CHECK(cuMemGetInfo_v2(&free_bytes, &total));
  CHECK(cuDeviceTotalMem_v2(&device_total, 0));
  printf("free=%zu total=%zu device_total=%zu\n", free_bytes, total, device_total);
}

struct array {
  size_t width, height;
  int format;
  unsigned channels;
};
struct array3d {
  size_t width, height, depth;
  int format;
  unsigned channels, flags;
};
struct kernel_node {
  void *f;
  unsigned grid[3], block[3], shared;
  void **parameters, **extra, *kernel, *ctx;
};

// Every kind of allocation: how much less is free afterwards, and that all comes back.
static void kinds(void) {
  devptr p;
  void *array, *graph, *child, *executable, *node;
  unsigned long long handle;
  size_t pitch, before = available();
  int props[6] = {1, 1, 1, 0, 0, 0};
  const size_t mib = 1 << 20;
#define STEP(name, allocate, release) \
  do { \
    CHECK(allocate); \
    size_t taken = before - available(); \
    CHECK(release); \
    printf("kind=%s taken=%zu left=%zu\n", name, taken, before - available()); \
  } while (0)
  STEP("alloc", cuMemAlloc_v2(&p, 3 * mib), cuMemFree_v2(p));
  STEP("pitch", cuMemAllocPitch_v2(&p, &pitch, 1000, 1024, 4), cuMemFree_v2(p));
  STEP("managed", cuMemAllocManaged(&p, 4 * mib, 1), cuMemFree_v2(p));
  STEP("async", cuMemAllocAsync(&p, 5 * mib, stream), cuMemFreeAsync(p, stream));
  STEP("async_ptsz", cuMemAllocAsync_ptsz(&p, 6 * mib, NULL), cuMemFreeAsync(p, stream));
  STEP("vmm", cuMemCreate(&handle, 8 * mib, props, 0), cuMemRelease(handle));
  STEP("array", cuArrayCreate_v2(&array, &(struct array){1024, 1024, 0x20, 1}), cuArrayDestroy(array));
  STEP("array3d", cuArray3DCreate_v2(&array, &(struct array3d){256, 256, 16, 0x01, 4, 0}), cuArrayDestroy(array));
  STEP("mipmap", cuMipmappedArrayCreate(&array, &(struct array3d){512, 512, 0, 0x20, 1, 0}, 3),
       cuMipmappedArrayDestroy(array));
  char params[120] = {0};
  size_t bytes = 7 * mib;
  memcpy(params + 104, &bytes, sizeof bytes);
  CHECK(cuGraphCreate(&child, 0));
  CHECK(cuGraphAddMemAllocNode(&node, child, NULL, 0, params));
  CHECK(cuGraphCreate(&graph, 0));
  CHECK(cuGraphAddChildGraphNode(&node, graph, NULL, 0, child));
#define LAUNCHED (cuGraphInstantiateWithFlags(&executable, graph, 0) || cuGraphLaunch(executable, stream))
#define ENDED (cuStreamSynchronize(stream) || cuGraphExecDestroy(executable) || cuDeviceGraphMemTrim(0))
  STEP("graph", LAUNCHED, ENDED);
  CHECK(cuStreamBeginCapture_v2(stream, 2));
  CHECK(cuMemAllocAsync(&p, 9 * mib, stream));
  CHECK(cuStreamEndCapture(stream, &graph));
  printf("kind=captured taken=%zu left=0\n", before - available());
  STEP("captured_graph", LAUNCHED, ENDED);
}

// Graphs that use memory again, within themselves and one after another in a stream: `cap` is what the slice has, and
// each allocation is half of it. What is taken, by stages.
static void graphs(size_t cap) {
  void *graph[3], *executable[3], *node, *other;
  char params[120] = {0};
  size_t bytes = cap / 2, before = available();
  devptr p;
  memcpy(params + 104, &bytes, sizeof bytes);
  for (int i = 0; i < 3; i++) {
    CHECK(cuGraphCreate(&graph[i], 0));
    for (int k = 0; k < 3; k++) { // the third one keeps what it allocates
      CHECK(cuGraphAddMemAllocNode(&node, graph[i], NULL, 0, params));
      memcpy(&p, params + 112, sizeof p);
      if (i < 2) CHECK(cuGraphAddMemFreeNode(&node, graph[i], NULL, 0, p));
    }
    CHECK(cuGraphInstantiateWithFlags(&executable[i], graph[i], 0));
  }
  printf("instantiated=%zu", before - available());
  CHECK(cuGraphLaunch(executable[0], stream));
  CHECK(cuGraphLaunch(executable[1], stream));
  CHECK(cuGraphLaunch(executable[0], stream));
  printf(" launched=%zu", before - available());
  printf(" too_large=%d", cuGraphLaunch(executable[2], stream));
  CHECK(cuStreamSynchronize(stream));
  CHECK(cuStreamCreate(&other, 1));
  CHECK(cuGraphLaunch(executable[0], stream));
  CHECK(cuGraphUpload(executable[1], other));
  printf(" two_streams=%zu", before - available());
  CHECK(cuStreamSynchronize(stream));
  CHECK(cuStreamSynchronize(other));
  // What is reserved without need makes way for an allocation.
  int r = cuMemAlloc_v2(&p, before);
  printf(" alloc=%d", r);
  if (r == 0) CHECK(cuMemFree_v2(p));
  CHECK(cuGraphLaunch(executable[0], stream));
  CHECK(cuStreamSynchronize(stream));
  for (int i = 0; i < 3; i++) CHECK(cuGraphExecDestroy(executable[i]));
  printf(" destroyed=%zu", before - available());
  CHECK(cuDeviceGraphMemTrim(0));
  printf(" trimmed=%zu\n", before - available());
}

// Fills the slice with pieces of `step` bytes until it is refused; then whether exactly the rest still fits.
static void exhaust(size_t step) {
  devptr p;
  size_t n = 0, rest;
  int r;
  while ((r = cuMemAlloc_v2(&p, step)) == 0) n++;
  rest = available();
  int over = cuMemAlloc_v2(&p, rest + 1), async = cuMemAllocAsync(&p, rest + 1, stream);
  int exact = rest ? cuMemAlloc_v2(&p, rest) : 0;
  int one = cuMemAlloc_v2(&p, 1);
  printf("pieces=%zu code=%d rest=%zu over=%d async=%d exact=%d one=%d\n", n, r, rest, over, async, exact, one);
}

// What of an over-committed slice's memory can leave the device, and how much can be had of what cannot.
static void pinned(size_t step) {
  devptr p;
  size_t pitch, n = 0;
  unsigned long long handle;
  int props[6] = {1, 1, 1, 0, 0, 0}, r;
  void *pool, *array;
  int pool_props[24] = {1, 0, 1, 0};
  const size_t mib = 1 << 20;
  CHECK(cuMemAlloc_v2(&p, 3 * mib));
  CHECK(cuMemAllocPitch_v2(&p, &pitch, 1000, 1024, 4));
  CHECK(cuMemAllocManaged(&p, 4 * mib, 1));
  CHECK(cuMemAllocAsync(&p, 5 * mib, stream));
  CHECK(cuMemAllocAsync_ptsz(&p, 6 * mib, NULL));
  CHECK(cuMemPoolCreate(&pool, pool_props));
  CHECK(cuMemAllocFromPoolAsync(&p, 7 * mib, pool, stream));
  pool_props[1] = 1; // to be shared with other processes
  CHECK(cuMemPoolCreate(&pool, pool_props));
  CHECK(cuMemAllocFromPoolAsync(&p, 8 * mib, pool, stream));
  CHECK(cuArrayCreate_v2(&array, &(struct array){1024, 1024, 0x20, 1}));
  while ((r = cuMemCreate(&handle, step, props, 0)) == 0) n++;
  printf("pitch=%zu pieces=%zu code=%d array=%d alloc=%d\n", pitch, n, r,
         cuArrayCreate_v2(&array, &(struct array){4096, 4096, 0x20, 1}), cuMemAlloc_v2(&p, 64 * mib));
  fflush(stdout);
  char c;
  while (read(0, &c, 1) == 1) {
  }
}

// Allocates and frees at random for `ms` milliseconds, in four threads; prints how often it was refused.
static uint64_t race_end;
static _Atomic unsigned long refusals, allocations;
static void *racer(void *seed) {
  unsigned long long x = (uintptr_t)seed + (unsigned)getpid() * 7919ull;
  devptr held[8] = {0};
  CHECK(cuCtxSetCurrent(context));
  while (vgpu_now_ns() < race_end) {
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    unsigned i = (unsigned)(x >> 40) % 8;
    if (held[i]) CHECK(cuMemFree_v2(held[i]));
    held[i] = 0;
    int r = cuMemAlloc_v2(&held[i], ((x >> 20) % 4096 + 1) * 4096);
    if (r == 2) refusals++;
    else if (r) CHECK(r);
    else allocations++;
    if (r) held[i] = 0;
  }
  for (int i = 0; i < 8; i++)
    if (held[i]) CHECK(cuMemFree_v2(held[i]));
  return NULL;
}
static void race(unsigned ms, uint64_t from) {
  pthread_t thread[4];
  while (vgpu_now_ns() < from) vgpu_sleep_ns(1000000);
  race_end = vgpu_now_ns() + ms * 1000000ull;
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&thread[i], NULL, racer, (void *)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  printf("allocations=%lu refusals=%lu\n", (unsigned long)allocations, (unsigned long)refusals);
}

static void hold(size_t bytes) {
  devptr p;
  CHECK(cuMemAlloc_v2(&p, bytes));
  printf("held=%zu\n", bytes);
  fflush(stdout);
  char c;
  while (read(0, &c, 1) == 1) {
  }
}

// Global captures while other streams work: nothing the limiter does may invalidate them.
static void capture(unsigned times) {
  void *module, *f, *other, *graph, *executable, *event;
  CHECK(cuModuleLoadData(&module, ""));
  CHECK(cuModuleGetFunction(&f, module, "spin_50000"));
  CHECK(cuStreamCreate(&other, 1));
  CHECK(cuEventCreate(&event, 0));
  for (unsigned i = 0; i < times; i++) {
    for (int k = 0; k < 5; k++) CHECK(cuLaunchKernel(f, 132, 1, 1, 32, 1, 1, 0, k % 2 ? other : stream, NULL, NULL));
    CHECK(cuStreamBeginCapture_v2(stream, 0));
    CHECK(cuLaunchKernel(f, 132, 1, 1, 32, 1, 1, 0, stream, NULL, NULL));
    CHECK(cuEventRecord(event, stream));
    CHECK(cuStreamWaitEvent(other, event, 0));
    CHECK(cuLaunchKernel(f, 132, 1, 1, 32, 1, 1, 0, other, NULL, NULL));
    vgpu_sleep_ns(300000);
    CHECK(cuStreamEndCapture(stream, &graph));
    CHECK(cuGraphInstantiateWithFlags(&executable, graph, 0));
    CHECK(cuGraphLaunch(executable, stream));
    CHECK(cuStreamSynchronize(stream));
    CHECK(cuGraphExecDestroy(executable));
    CHECK(cuStreamDestroy_v2(other));
    CHECK(cuStreamCreate(&other, 1));
  }
  printf("captures=%u\n", times);
}

static void *module, *increment;
static devptr words;
static void *incrementer(void *times) {
  unsigned n = 1000;
  void *parameters[] = {&words, &n}, *mine;
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuStreamCreate(&mine, 1));
  for (unsigned i = 0; i < (unsigned)(uintptr_t)times; i++) {
    CHECK(cuLaunchKernel(increment, 8, 1, 1, 32, 1, 1, 0, mine, parameters, NULL));
    if (i % 3 == 0) CHECK(cuLaunchKernel_ptsz(increment, 8, 1, 1, 32, 1, 1, 0, NULL, parameters, NULL));
  }
  CHECK(cuStreamSynchronize(mine));
  CHECK(cuStreamDestroy_v2(mine));
  return NULL;
}

// One thread after the other, so that the words must come out right; plus the work of a host function.
static void ran(void *flag) { *(volatile int *)flag = 1; }
static void result(unsigned times) {
  CHECK(cuModuleLoadData(&module, ""));
  CHECK(cuModuleGetFunction(&increment, module, "increment_20000"));
  CHECK(cuMemAlloc_v2(&words, 4000));
  CHECK(cuMemsetD8_v2(words, 0, 4000));
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, incrementer, (void *)(uintptr_t)times);
    pthread_join(thread, NULL);
  }
  int called = 0;
  CHECK(cuLaunchHostFunc(stream, ran, &called));
  CHECK(cuStreamSynchronize(stream));
  CHECK(cuCtxSynchronize());
  unsigned out[1000], expected = 3 * (times + (times + 2) / 3);
  CHECK(cuMemcpyDtoH_v2(out, words, sizeof out));
  unsigned wrong = 0;
  for (int i = 0; i < 1000; i++) wrong += out[i] != expected;
  printf("wrong=%u host=%d\n", wrong, called);
  if (wrong || !called) exit(1);
}

static const char *home(const void *function) {
  Dl_info i;
  if (!function) return "none";
  if (!dladdr(function, &i)) return "?";
  const char *slash = strrchr(i.dli_fname, '/');
  return slash ? slash + 1 : i.dli_fname;
}

// Which library each way of finding a function leads to.
static void roads(void *library) {
  void *f;
  int status;
  printf("dlsym=%s\n", home(dlsym(library, "cuMemAlloc_v2")));
  printf("dlsym_default=%s\n", home(dlsym(RTLD_DEFAULT, "cuMemAlloc_v2")));
  printf("dlsym_unhooked=%s\n", home(dlsym(library, "cuEventCreate")));
  printf("dlsym_refused=%s\n", home(dlsym(library, "cuMemAlloc")));
  printf("dlsym_absent=%s\n", home(dlsym(library, "cuNoSuchFunction")));
  CHECK(cuGetProcAddress_v2("cuMemAlloc", &f, 13000, 0, &status));
  printf("proc=%s same=%d\n", home(f), f == dlsym(library, "cuMemAlloc_v2"));
  CHECK(cuGetProcAddress_v2("cuLaunchKernel", &f, 12000, 2, &status));
  printf("proc_ptsz=%s same=%d\n", home(f), f == dlsym(library, "cuLaunchKernel_ptsz"));
  CHECK(cuGetProcAddress_v2("cuCtxCreate", &f, 12000, 0, &status));
  printf("proc_old=%s same=%d\n", home(f), f == dlsym(library, "cuCtxCreate_v3") || f == dlsym(library, "cuCtxCreate_v2"));
  CHECK(cuGetProcAddress_v2("cuEventCreate", &f, 13000, 0, &status));
  printf("proc_unhooked=%s\n", home(f));
  CHECK(cuGetProcAddress_v2("cuGetProcAddress", &f, 13000, 0, &status));
  printf("proc_itself=%s\n", home(f));
  // A table of the driver's own that creates contexts, and one that does not.
  const void **table;
  CHECK(cuGetExportTable((const void **)&table, "\x0c\xa5\x0b\x8c\x10\x04\x92\x9a\x89\xa7\xd0\xdf\x10\xe7\x72\x86"));
  printf("table_size=%zu table_context=%s\n", (size_t)table[0], home(table[1]));
  CHECK(cuGetExportTable((const void **)&table, "\x6b\xd5\xfb\x6c\x5b\xf4\xe7\x4a\x89\x87\xd9\x39\x12\xfd\x9d\xf9"));
  printf("table_runtime=%s\n", home(table));
  printf("table_unknown=%d\n", cuGetExportTable((const void **)&table, "sixteen bytes..."));
}

static void nvml(void) {
  void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW), *device;
  if (!library) exit(77);
  struct {
    unsigned long long total, free, used;
  } memory;
  struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
  } memory2;
  unsigned rates[2], count = 8;
  char processes[8 * 24];
  CHECK(((int (*)(void))dlsym(library, "nvmlInit_v2"))());
  CHECK(((int (*)(unsigned, void **))dlsym(library, "nvmlDeviceGetHandleByIndex_v2"))(0, &device));
  CHECK(((int (*)(void *, void *))dlsym(library, "nvmlDeviceGetMemoryInfo"))(device, &memory));
  CHECK(((int (*)(void *, void *))dlsym(library, "nvmlDeviceGetMemoryInfo_v2"))(device, &memory2));
  CHECK(((int (*)(void *, void *))dlsym(library, "nvmlDeviceGetUtilizationRates"))(device, rates));
  CHECK(((int (*)(void *, void *, void *))dlsym(library, "nvmlDeviceGetComputeRunningProcesses_v3"))(device, &count, processes));
  printf("total=%llu free=%llu used=%llu total2=%llu used2=%llu gpu=%u processes=%u\n", memory.total, memory.free,
         memory.used, memory2.total, memory2.used, rates[0], count);
}

static void forked(void) {
  devptr p;
  CHECK(cuMemAlloc_v2(&p, 1 << 20));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    // A child has no context of its own; the parent's account must not notice it.
    CHECK(cuInit(0));
    void *mine;
    CHECK(cuCtxCreate_v2(&mine, 0, 0));
    CHECK(cuMemAlloc_v2(&p, 2 << 20));
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child=%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 255);
  CHECK(cuMemFree_v2(p));
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  unsigned long long argument = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
  void *library = cuda_load();
  if (strcmp(command, "init") == 0) {
    printf("init=%d\n", cuInit(0));
    return 0;
  }
  if (strcmp(command, "context") == 0) {
    CHECK(cuInit(0));
    int r = cuDevicePrimaryCtxRetain(&context, 0);
    printf("retain=%d\n", r);
    return 0;
  }
  open_context();
  CHECK(cuStreamCreate(&stream, 1));
  if (strcmp(command, "info") == 0) info();
  else if (strcmp(command, "kinds") == 0) kinds();
  else if (strcmp(command, "graphs") == 0) graphs(argument);
  else if (strcmp(command, "exhaust") == 0) exhaust(argument);
  else if (strcmp(command, "race") == 0) race((unsigned)argument, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
  else if (strcmp(command, "hold") == 0) hold(argument);
  else if (strcmp(command, "pinned") == 0) pinned(argument);
  else if (strcmp(command, "capture") == 0) capture((unsigned)argument);
  else if (strcmp(command, "result") == 0) result((unsigned)argument);
  else if (strcmp(command, "roads") == 0) roads(library);
  else if (strcmp(command, "nvml") == 0) nvml();
  else if (strcmp(command, "fork") == 0) forked();
  else return 2;
  return 0;
}
