// The test double of nvidia-cuda-mps-control: the daemon (-d, -f), and the tool that passes commands from its standard
// input to the daemon. The command language is that of NVIDIA's documentation ("Legacy MPS v2 interface"); the server
// is a process of its own that does nothing, since the fake GPU lies in memory that all its clients share.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mps.h"

#define VERSION "13040" // CUDA 13.4
#define CONNECTIONS 256

struct server {
  pid_t pid; // 0: none runs
  uid_t uid;
  double percentage;
  uint64_t memory;
};

struct connection {
  int fd; // -1: free
  pid_t pid;
  uid_t uid;
  bool client, waiting; // waiting: for the server of another user to end
  double percentage;
  uint64_t memory;
  size_t length;
  char line[512];
};

static struct connection connections[CONNECTIONS];
static struct server server;
static double default_percentage = 100;
static uint64_t default_memory;
static int default_priority;
static bool quitting;
static FILE *control_log;
static char socket_path[108], pid_path[128];

static void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (control_log) {
    vfprintf(control_log, format, arguments);
    fputc('\n', control_log);
    fflush(control_log);
  }
  va_end(arguments);
}

static const char *directory(const char *variable, const char *otherwise) {
  const char *text = getenv(variable);
  return text && *text ? text : otherwise;
}

static bool set_paths(void) {
  const char *pipes = directory("CUDA_MPS_PIPE_DIRECTORY", FAKE_MPS_DEFAULT_DIRECTORY);
  snprintf(pid_path, sizeof pid_path, "%s/nvidia-cuda-mps-control.pid", pipes);
  return snprintf(socket_path, sizeof socket_path, "%s/" FAKE_MPS_SOCKET, pipes) < (int)sizeof socket_path;
}

static int clients(void) {
  int n = 0;
  for (int i = 0; i < CONNECTIONS; i++) n += connections[i].fd >= 0 && connections[i].client && !connections[i].waiting;
  return n;
}

static void start_server(uid_t uid) {
  pid_t pid = fork();
  if (pid == 0) {
    for (int fd = 3; fd < 1024; fd++) close(fd);
    prctl(PR_SET_NAME, "nvidia-cuda-mps-server"); // the kernel keeps 15 bytes of it, as of the real one
    signal(SIGTERM, SIG_DFL);
    if (geteuid() == 0 && uid != 0 && setuid(uid)) _exit(1);
    for (;;) pause();
  }
  server = (struct server){pid, uid, default_percentage, default_memory};
  note("Starting new server %d for user %u", (int)pid, (unsigned)uid);
}

static void stop_server(void) {
  if (!server.pid) return;
  kill(server.pid, SIGKILL);
  waitpid(server.pid, NULL, 0);
  note("Server %d exited", (int)server.pid);
  server.pid = 0;
}

static void answer(struct connection *c, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (n > 0 && send(c->fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, MSG_NOSIGNAL) < 0) return;
}

static void end(struct connection *c) {
  close(c->fd);
  c->fd = -1;
}

static void admit(struct connection *c) {
  if (!server.pid) start_server(c->uid);
  c->waiting = server.uid != c->uid;
  if (c->waiting) return;
  if (clients() > FAKE_MPS_CLIENTS) {
    answer(c, "full\n");
    end(c);
    return;
  }
  // The environment can only narrow what the server allows.
  if (c->percentage > server.percentage || c->percentage <= 0) c->percentage = server.percentage;
  if (server.memory && (c->memory == 0 || c->memory > server.memory)) c->memory = server.memory;
  note("User %u, client %d connected", (unsigned)c->uid, (int)c->pid);
  answer(c, "ok server=%d percentage=%g memory=%llu\n", (int)server.pid, c->percentage, (unsigned long long)c->memory);
}

// A server of another user ends once its clients are gone; then the next user's begins.
static void next_user(void) {
  if (clients() > 0) return;
  struct connection *next = NULL;
  for (int i = 0; i < CONNECTIONS && !next; i++)
    if (connections[i].fd >= 0 && connections[i].client && connections[i].waiting) next = &connections[i];
  if (!next) return;
  stop_server();
  for (int i = 0; i < CONNECTIONS; i++) {
    struct connection *c = &connections[i];
    if (c->fd >= 0 && c->client && c->waiting && (!server.pid || c->uid == next->uid)) admit(c);
  }
}

static struct connection *client_of(pid_t pid) {
  for (int i = 0; i < CONNECTIONS; i++)
    if (connections[i].fd >= 0 && connections[i].client && connections[i].pid == pid) return &connections[i];
  return NULL;
}

static void list_clients(struct connection *c) {
  for (int i = 0; i < CONNECTIONS; i++)
    if (connections[i].fd >= 0 && connections[i].client && !connections[i].waiting)
      answer(c, "%d\n", (int)connections[i].pid);
}

static void execute(struct connection *c, char *line) {
  char *word[4] = {NULL};
  int n = 0;
  for (char *p = strtok(line, " \t"); p && n < 4; p = strtok(NULL, " \t")) word[n++] = p;
  if (n == 0) return;
  const char *what = word[0];
  pid_t pid = n > 1 ? (pid_t)atoi(word[1]) : 0;
  bool ours = server.pid && pid == server.pid;
  if (strcmp(what, "get_server_list") == 0) {
    if (server.pid) answer(c, "%d\n", (int)server.pid);
  } else if (strcmp(what, "get_server_status") == 0 && n == 2) {
    if (ours) answer(c, "ACTIVE\n");
    else answer(c, "Server %d not found\n", (int)pid);
  } else if (strcmp(what, "start_server") == 0 && n == 3 && strcmp(word[1], "-uid") == 0) {
    if (!server.pid) start_server((uid_t)atoi(word[2]));
  } else if (strcmp(what, "get_client_list") == 0 && n == 2) {
    if (ours) list_clients(c);
    else answer(c, "Server %d not found\n", (int)pid);
  } else if (strcmp(what, "get_device_client_list") == 0) {
    answer(c, "GPU-76677075-6661-6b65-0000-000000000001:\n");
    list_clients(c);
  } else if (strcmp(what, "ps") == 0) {
    answer(c, "PID ID SERVER DEVICE NAMESPACE COMMAND\n");
    for (int i = 0; i < CONNECTIONS; i++)
      if (connections[i].fd >= 0 && connections[i].client && !connections[i].waiting)
        answer(c, "%d %d %d GPU-76677075 - -\n", (int)connections[i].pid, i + 1, (int)server.pid);
  } else if (strcmp(what, "set_default_active_thread_percentage") == 0 && n == 2) {
    default_percentage = atof(word[1]);
    answer(c, "%.1f\n", default_percentage);
  } else if (strcmp(what, "get_default_active_thread_percentage") == 0) {
    answer(c, "%.1f\n", default_percentage);
  } else if (strcmp(what, "set_active_thread_percentage") == 0 && n == 3) {
    if (ours) server.percentage = atof(word[2]); // for clients to come
    if (ours) answer(c, "%.1f\n", server.percentage);
    else answer(c, "Server %d not found\n", (int)pid);
  } else if (strcmp(what, "get_active_thread_percentage") == 0 && n == 2) {
    if (ours) answer(c, "%.1f\n", server.percentage);
    else answer(c, "Server %d not found\n", (int)pid);
  } else if (strcmp(what, "set_default_device_pinned_mem_limit") == 0 && n == 3) {
    char pair[64];
    snprintf(pair, sizeof pair, "%s=%s", word[1], word[2]);
    default_memory = fake_mps_memory(pair);
  } else if (strcmp(what, "get_default_device_pinned_mem_limit") == 0) {
    answer(c, "%lluM\n", (unsigned long long)(default_memory >> 20));
  } else if (strcmp(what, "set_device_pinned_mem_limit") == 0 && n == 4) {
    char pair[64];
    snprintf(pair, sizeof pair, "%s=%s", word[2], word[3]);
    if (ours) server.memory = fake_mps_memory(pair);
  } else if (strcmp(what, "get_device_pinned_mem_limit") == 0 && n >= 2) {
    answer(c, "%lluM\n", (unsigned long long)(server.memory >> 20));
  } else if (strcmp(what, "set_default_client_priority") == 0 && n == 2) {
    default_priority = atoi(word[1]);
  } else if (strcmp(what, "get_default_client_priority") == 0) {
    answer(c, "%d\n", default_priority);
  } else if (strcmp(what, "terminate_client") == 0 && n == 3) {
    struct connection *victim = client_of((pid_t)atoi(word[2]));
    if (victim) end(victim);
    else answer(c, "Client not found\n");
  } else if (strcmp(what, "shutdown_server") == 0 && n >= 2) {
    if (ours) stop_server();
  } else if (strcmp(what, "quit") == 0) {
    quitting = true;
  } else {
    answer(c, "Unknown command: %s\n", what);
  }
}

static void take_line(struct connection *c, char *line) {
  unsigned long long memory;
  int priority;
  if (sscanf(line, "client percentage=%lf memory=%llu priority=%d", &c->percentage, &memory, &priority) == 3) {
    c->client = true;
    c->memory = memory;
    admit(c);
  } else if (strncmp(line, "command ", 8) == 0) {
    execute(c, line + 8);
    end(c);
  } else {
    end(c);
  }
}

static void read_from(struct connection *c) {
  ssize_t n = recv(c->fd, c->line + c->length, sizeof c->line - 1 - c->length, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (c->client) note("Client %d disconnected", (int)c->pid);
    end(c);
    return;
  }
  c->length += (size_t)n;
  c->line[c->length] = 0;
  char *newline = strchr(c->line, '\n');
  if (!newline) {
    if (c->length == sizeof c->line - 1) end(c);
    return;
  }
  *newline = 0;
  c->length = 0;
  take_line(c, c->line);
}

static void take_connection(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  for (int i = 0; i < CONNECTIONS; i++)
    if (connections[i].fd < 0) {
      connections[i] = (struct connection){.fd = fd, .pid = peer.pid, .uid = peer.uid};
      return;
    }
  close(fd);
}

static int serve(int listener) {
  for (int i = 0; i < CONNECTIONS; i++) connections[i].fd = -1;
  FILE *pid_file = fopen(pid_path, "w");
  if (pid_file) {
    fprintf(pid_file, "%d\n", (int)getpid());
    fclose(pid_file);
  }
  char path[256];
  snprintf(path, sizeof path, "%s/control.log", directory("CUDA_MPS_LOG_DIRECTORY", "/var/log/nvidia-mps"));
  control_log = fopen(path, "ae");
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_NAME, "nvidia-cuda-mps");
  while (!quitting) {
    struct pollfd watched[CONNECTIONS + 1] = {{.fd = listener, .events = POLLIN}};
    for (int i = 0; i < CONNECTIONS; i++) watched[i + 1] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
    if (poll(watched, CONNECTIONS + 1, -1) < 0 && errno != EINTR) return 1;
    if (watched[0].revents) take_connection(listener);
    for (int i = 0; i < CONNECTIONS; i++)
      if (connections[i].fd >= 0 && connections[i].fd == watched[i + 1].fd && watched[i + 1].revents)
        read_from(&connections[i]);
    if (server.pid && waitpid(server.pid, NULL, WNOHANG) == server.pid) server.pid = 0;
    next_user();
  }
  stop_server();
  unlink(socket_path);
  unlink(pid_path);
  return 0;
}

static int dial(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, socket_path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static int daemon_mode(bool background) {
  int there = dial();
  if (there >= 0) {
    close(there);
    fputs("An instance of this daemon is already running\n", stderr);
    return 1;
  }
  unlink(socket_path);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, socket_path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || chmod(socket_path, 0666) || listen(fd, 128)) {
    fprintf(stderr, "Cannot use %s: %s\n", socket_path, strerror(errno));
    return 1;
  }
  if (background && daemon(0, 0)) return 1;
  return serve(fd);
}

// Passes commands on, one connection for each, as a user at a terminal would type them.
static int tool(void) {
  char line[400];
  while (fgets(line, sizeof line, stdin)) {
    int fd = dial();
    if (fd < 0) {
      fputs("Cannot find MPS control daemon process\n", stderr);
      return 1;
    }
    char text[512];
    line[strcspn(line, "\n")] = 0;
    int n = snprintf(text, sizeof text, "command %s\n", line);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n) return 1;
    ssize_t got;
    while ((got = recv(fd, text, sizeof text, 0)) > 0) fwrite(text, 1, (size_t)got, stdout);
    close(fd);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "-v") == 0) return puts(VERSION) < 0;
  if (!set_paths()) {
    fputs("CUDA_MPS_PIPE_DIRECTORY is too long\n", stderr);
    return 1;
  }
  if (argc == 1) return tool();
  if (argc == 2 && strcmp(argv[1], "-d") == 0) return daemon_mode(true);
  if (argc == 2 && strcmp(argv[1], "-f") == 0) return daemon_mode(false);
  fputs("usage: nvidia-cuda-mps-control [-d | -f | -v]\n", stderr);
  return 1;
}
