// links: common/slice_config.c
// Everything that a process can do to the arbiter through its socket and its account: rubbish packets, an account
// overwritten with rubbish while turns are asked for, a descriptor that is to be shrunk. hostile <socket>
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/protocol.h"

static int attach(const char *path, int *descriptor) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a)) return -1;
  struct vgpu_packet p = {.type = VGPU_HELLO, .version = VGPU_LAYOUT_VERSION};
  send(fd, &p, sizeof p, MSG_NOSIGNAL);
  struct iovec part = {&p, sizeof p};
  char control[64];
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &m, 0) != (ssize_t)sizeof p || p.type != VGPU_WELCOME) return -1;
  memcpy(descriptor, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof *descriptor);
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  unsigned long long x = 42;
  int descriptor, fd = attach(argv[1], &descriptor);
  if (fd < 0) return 1;
  if (ftruncate(descriptor, 0) == 0 || errno != EPERM) return 3; // sealed
  unsigned char *account = mmap(NULL, sizeof(struct vgpu_account), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  for (int round = 0; round < 200; round++) {
    for (size_t i = 0; i < sizeof(struct vgpu_account); i += 8) {
      x = x * 6364136223846793005ull + 1442695040888963407ull;
      if (round % 2) memcpy(account + i, &x, 8);
      else memset(account + i, 0xff, 8);
    }
    struct vgpu_packet p = {.type = round % 9, .version = VGPU_LAYOUT_VERSION, .generation = (uint32_t)x, .value = x};
    if (p.type == VGPU_HELLO) p.type = VGPU_REQUEST;
    memset(p.memory, 0xff, sizeof p.memory);
    send(fd, &p, round % 17 == 16 ? 5 : sizeof p, MSG_NOSIGNAL);
    char drain[256];
    while (recv(fd, drain, sizeof drain, MSG_DONTWAIT) > 0) {
    }
    if (round % 10 == 9) { // the arbiter may have thrown us out
      close(fd);
      fd = attach(argv[1], &descriptor);
      if (fd >= 0 && round % 20 == 9) close(descriptor);
    }
  }
  puts("done");
  return 0;
}
