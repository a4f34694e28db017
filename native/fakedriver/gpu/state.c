// The shared file: mapping, the lock, processes and memory.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../common/futex.h"
#include "gpu.h"

#define MAGIC (0x3175706765656b66ull + sizeof(struct fake_gpu))

// A second byte of each process, locked in the older way: of those locks the kernel tells whose they are, with the id
// that the process has where the question is asked. NVML on the host so sees host ids of processes in containers.
#define NAMES ((off_t)1 << 32)

static struct fake_gpu *gpu;
static int file = -1;
static uint32_t self;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t forks = PTHREAD_ONCE_INIT;

static uint64_t setting(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void initialise(struct fake_gpu *g) {
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&g->mutex, &a);
  g->sms = (uint32_t)setting("VGPU_FAKE_SMS", 132);
  g->memory_total = setting("VGPU_FAKE_MEMORY", 16ull << 30);
  g->context_bytes = setting("VGPU_FAKE_CONTEXT", 256ull << 20);
  g->module_bytes = setting("VGPU_FAKE_MODULE", 2ull << 20);
  g->slice_ns = setting("VGPU_FAKE_SLICE_US", 2000) * 1000;
  g->switch_ns = setting("VGPU_FAKE_SWITCH_US", 20) * 1000;
  fake_residency_init(g, setting("VGPU_FAKE_HOST_MBPS", 25000), setting("VGPU_FAKE_FAULT_US", 200));
  g->at = vgpu_now_ns();
  g->current = NONE;
  g->magic = MAGIC;
}

// A process holds a lock on its own byte of the file; the kernel drops it when the process ends, however it ends.
static bool alive(uint32_t process) {
  if (process == self) return true;
  struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)process, .l_len = 1};
  return fcntl(file, F_OFD_GETLK, &l) != 0 || l.l_type != F_UNLCK;
}

static bool take_place(struct fake_gpu *g) {
  for (uint32_t i = 0; i < FAKE_PROCESSES; i++) {
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)i, .l_len = 1};
    if (fcntl(file, F_OFD_SETLK, &l) != 0) continue;
    self = FAKE_PROCESSES;
    fake_bury(g); // the one that had this place before as well: its lock is ours now, and so shows as none
    self = i;
    g->process[i] = (struct fake_process){.in_use = 1, .pid = (uint32_t)getpid()};
    fake_group_of_self(g->process[i].group);
    struct flock name = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = NAMES + (off_t)i, .l_len = 1};
    fcntl(file, F_SETLK, &name);
    return true;
  }
  return false;
}

uint32_t fake_pid(const struct fake_gpu *g, uint32_t i) {
  struct flock name = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = NAMES + (off_t)i, .l_len = 1};
  bool other = fcntl(file, F_GETLK, &name) == 0 && name.l_type != F_UNLCK && name.l_pid > 0;
  return other ? (uint32_t)name.l_pid : g->process[i].pid;
}

static void in_child(void) {
  if (file >= 0) close(file);
  file = -1;
  gpu = NULL;
  pthread_mutex_init(&opening, NULL);
}

static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

static void lock_raw(struct fake_gpu *g) {
  if (pthread_mutex_lock(&g->mutex) != EOWNERDEAD) return;
  fake_residency_repair(g);
  pthread_mutex_consistent(&g->mutex);
}

struct fake_gpu *fake_gpu(void) {
  struct fake_gpu *seen = __atomic_load_n(&gpu, __ATOMIC_ACQUIRE);
  if (seen) return seen;
  pthread_once(&forks, watch_forks);
  pthread_mutex_lock(&opening);
  if (!gpu) {
    char fallback[64];
    snprintf(fallback, sizeof fallback, "/tmp/vgpu-fake-gpu-%u", (unsigned)getuid());
    const char *path = getenv("VGPU_FAKE_GPU");
    file = open(path && *path ? path : fallback, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat st;
    // The whole-file lock serves to initialise it; it lies behind the processes' bytes.
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = FAKE_PROCESSES, .l_len = 1};
    if (file >= 0 && fcntl(file, F_OFD_SETLKW, &all) == 0 && fstat(file, &st) == 0) {
      bool fresh = st.st_size < (off_t)sizeof *gpu;
      struct fake_gpu *g = MAP_FAILED;
      if (!fresh || ftruncate(file, sizeof *gpu) == 0)
        g = mmap(NULL, sizeof *gpu, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (g != MAP_FAILED) {
        if (g->magic != MAGIC) initialise(g);
        lock_raw(g);
        bool placed = take_place(g);
        pthread_mutex_unlock(&g->mutex);
        if (placed) __atomic_store_n(&gpu, g, __ATOMIC_RELEASE);
      }
      all.l_type = F_UNLCK;
      fcntl(file, F_OFD_SETLK, &all);
    }
  }
  pthread_mutex_unlock(&opening);
  return gpu;
}

uint32_t fake_self(void) { return self; }

uint32_t fake_sms(void) {
  const struct fake_gpu *g = fake_gpu();
  return g->process[self].server ? g->process[self].sms : g->sms;
}

void fake_serve(uint32_t server, uint32_t sms, uint64_t memory_limit) {
  struct fake_gpu *g = fake_gpu();
  fake_lock(g);
  g->process[self].server = server;
  g->process[self].sms = sms;
  g->process[self].memory_limit = memory_limit;
  fake_unlock(g);
}

void fake_lock(struct fake_gpu *g) {
  lock_raw(g);
  fake_advance(g, vgpu_now_ns());
}

void fake_unlock(struct fake_gpu *g) { pthread_mutex_unlock(&g->mutex); }

void fake_bury(struct fake_gpu *g) {
  for (uint32_t i = 0; i < FAKE_PROCESSES; i++) {
    if (!g->process[i].in_use || alive(i)) continue;
    for (int c = 0; c < FAKE_CONTEXTS; c++) {
      if (!(g->live[c / 64] >> (c % 64) & 1) || g->context[c].process != i) continue;
      g->live[c / 64] &= ~(1ull << (c % 64));
      g->context[c].in_use = 0;
      g->context[c].active = 0;
      if (g->current == c) g->current = NONE;
    }
    uint64_t held = g->process[i].memory;
    g->memory_used = g->memory_used > held ? g->memory_used - held : 0;
    g->process[i].in_use = 0;
    fake_residency_bury(g, i);
  }
}

bool fake_memory_take(uint64_t bytes) {
  struct fake_gpu *g = fake_gpu();
  if (!g) return false;
  fake_lock(g);
  if (bytes > g->memory_total - g->memory_used) fake_bury(g);
  const struct fake_process *p = &g->process[self];
  bool good = bytes <= g->memory_total - g->memory_used;
  const struct fake_limit *limit = fake_limit_on(g, p->group);
  if (limit && good) {
    uint64_t used = fake_limit_used(g, limit);
    good = used <= limit->hard && bytes <= limit->hard - used;
  }
  if (p->memory_limit && (bytes > p->memory_limit || p->memory > p->memory_limit - bytes)) good = false;
  if (good) {
    fake_residency_yield(g, bytes);
    g->memory_used += bytes;
    g->process[self].memory += bytes;
  }
  fake_unlock(g);
  return good;
}

void fake_memory_give(uint64_t bytes) {
  struct fake_gpu *g = fake_gpu();
  if (!g) return;
  fake_lock(g);
  g->memory_used -= bytes;
  g->process[self].memory -= bytes;
  fake_unlock(g);
}
