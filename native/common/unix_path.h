// Unix sockets below a folder whose path may be longer than a socket address holds (108 bytes).
#ifndef VGPU_UNIX_PATH_H
#define VGPU_UNIX_PATH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Binds `fd` to, or connects it to, `folder`/`name`. Sets errno on failure.
static inline bool vgpu_unix_at(int fd, const char *folder, const char *name, bool connecting) {
  int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) return false;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", at, name);
  bool good = connecting ? connect(fd, (struct sockaddr *)&address, sizeof address) == 0
                         : bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
  close(at);
  return good;
}

#endif
