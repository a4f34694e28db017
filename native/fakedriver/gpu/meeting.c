// Kernels that wait for a kernel on another GPU, as collectives do: each keeps its whole device busy until the other one
// runs too. They meet in a file that all processes of a test map (VGPU_FAKE_MEETINGS), for each GPU is a file of its own.
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

#define MEETINGS 64

static _Atomic uint64_t (*began)[2]; // the rounds that each side has begun

static bool open_meetings(void) {
  static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
  if (__atomic_load_n(&began, __ATOMIC_ACQUIRE)) return true;
  const char *path = getenv("VGPU_FAKE_MEETINGS");
  int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (fd < 0) return false;
  pthread_mutex_lock(&opening);
  if (!began && ftruncate(fd, MEETINGS * sizeof *began) == 0) {
    void *p = mmap(NULL, MEETINGS * sizeof *began, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p != MAP_FAILED) __atomic_store_n(&began, p, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&opening);
  close(fd);
  return began != NULL;
}

bool fake_waits_for_peer(const struct fake_op *op) {
  if (!op->meeting || op->meeting > MEETINGS || op->rank > 1 || !open_meetings()) return false;
  _Atomic uint64_t *sides = began[op->meeting - 1];
  if (atomic_load(&sides[op->rank]) < op->round) atomic_store(&sides[op->rank], op->round);
  return atomic_load(&sides[1 - op->rank]) < op->round;
}
