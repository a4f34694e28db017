// attach <socket> <n>: n processes attach at the same moment; prints how many did, in how many different slots, and
// how long the slowest of 99 % took.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/futex.h"
#include "../common/protocol.h"

struct result {
  uint64_t took;
  uint32_t slot, good;
};

static int ascending(const void *a, const void *b) {
  uint64_t x = ((const struct result *)a)->took, y = ((const struct result *)b)->took;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int n = atoi(argv[2]);
  struct result *r = mmap(NULL, sizeof *r * (size_t)(n + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  _Atomic uint32_t *gate = (_Atomic uint32_t *)&r[n].slot, *ready = (_Atomic uint32_t *)&r[n].good;
  for (int i = 0; i < n; i++) {
    if (fork()) continue;
    (*ready)++;
    while (*gate == 0) vgpu_futex_wait(gate, 0, 0);
    uint64_t start = vgpu_now_ns();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", argv[1]);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct vgpu_packet p = {.type = VGPU_HELLO, .version = VGPU_LAYOUT_VERSION};
    struct iovec part = {&p, sizeof p};
    char control[64];
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, &p, sizeof p, 0) > 0 &&
        recvmsg(fd, &m, 0) == (ssize_t)sizeof p && p.type == VGPU_WELCOME)
      r[i] = (struct result){vgpu_now_ns() - start, (uint32_t)p.value, 1};
    (*ready)++;
    while (*gate == 1) vgpu_futex_wait(gate, 1, 0);
    _exit(0);
  }
  while (*ready < (uint32_t)n) vgpu_sleep_ns(1000000);
  *gate = 1;
  vgpu_futex_wake(gate, 1 << 30);
  while (*ready < 2 * (uint32_t)n) vgpu_sleep_ns(1000000);
  *gate = 2;
  vgpu_futex_wake(gate, 1 << 30);
  while (wait(NULL) > 0) {
  }
  int attached = 0, distinct = 0;
  static char seen[VGPU_SLOTS_MAX];
  for (int i = 0; i < n; i++) {
    attached += r[i].good != 0;
    if (r[i].good && r[i].slot < VGPU_SLOTS_MAX && !seen[r[i].slot]) seen[r[i].slot] = 1, distinct++;
  }
  qsort(r, (size_t)n, sizeof *r, ascending);
  printf("attached=%d distinct=%d p99_us=%llu\n", attached, distinct, (unsigned long long)r[n * 99 / 100].took / 1000);
  return 0;
}
