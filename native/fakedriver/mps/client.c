// The client's side of MPS, within libcuda.
#include "mps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { JOINED = 0, NONE_THERE = 1, CONNECTION_FAILED = 805, MAX_CLIENTS = 808 };

uint64_t fake_mps_memory(const char *text) {
  while (text && *text) {
    char *end;
    unsigned long device = strtoul(text, &end, 10);
    if (*end != '=') return 0;
    uint64_t bytes = strtoull(end + 1, &end, 10);
    bytes <<= *end == 'G' || *end == 'g' ? 30 : 20;
    if (device == 0) return bytes;
    text = strchr(end, ',');
    if (text) text++;
  }
  return 0;
}

int fake_mps_join(struct fake_mps_terms *terms) {
  const char *directory = getenv("CUDA_MPS_PIPE_DIRECTORY");
  if (!directory || !*directory) directory = FAKE_MPS_DEFAULT_DIRECTORY;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (snprintf(address.sun_path, sizeof address.sun_path, "%s/" FAKE_MPS_SOCKET, directory) >=
      (int)sizeof address.sun_path)
    return NONE_THERE;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
    if (fd >= 0) close(fd);
    return NONE_THERE;
  }
  const char *percentage = getenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"), *priority = getenv("CUDA_MPS_CLIENT_PRIORITY");
  char line[256];
  int n = snprintf(line, sizeof line, "client percentage=%g memory=%llu priority=%d\n", percentage ? atof(percentage) : 100,
                   (unsigned long long)fake_mps_memory(getenv("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT")),
                   priority ? atoi(priority) : 0);
  // Answered once the server of this user runs: clients of another user are waited for.
  size_t length = 0;
  bool good = send(fd, line, (size_t)n, MSG_NOSIGNAL) == n;
  while (good && length < sizeof line - 1 && !memchr(line, '\n', length)) {
    ssize_t got = recv(fd, line + length, sizeof line - 1 - length, 0);
    if (got <= 0) good = false;
    else length += (size_t)got;
  }
  line[length] = 0;
  unsigned long long memory = 0;
  if (good && sscanf(line, "ok server=%u percentage=%lf memory=%llu", &terms->server, &terms->percentage, &memory) == 3) {
    terms->memory = memory;
    return JOINED; // the connection stays open for as long as the process lives
  }
  close(fd);
  return strncmp(line, "full", 4) == 0 ? MAX_CLIENTS : CONNECTION_FAILED;
}
