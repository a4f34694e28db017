#include "member.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "../common/futex.h"
#include "../common/unix_path.h"
#include "gate.h"
#include "paging.h"

#define FIXED_FOLDER "/run/vgpu/slices"
#define RETRY_NS 20000000ull

static struct vgpu_member members[VGPU_MEMBERS_MAX];
static int n_members;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic bool found;

void vgpu_debug(const char *format, ...) {
  if (!getenv("VGPU_DEBUG")) return;
  char line[512];
  int n = snprintf(line, sizeof line, "vgpu[%d]: ", (int)getpid());
  va_list arguments;
  va_start(arguments, format);
  n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, arguments);
  va_end(arguments);
  if (n > (int)sizeof line - 2) n = (int)sizeof line - 2;
  line[n++] = '\n';
  if (write(STDERR_FILENO, line, (size_t)n) < 0) return;
}

static void add(const char *dir, size_t length) {
  struct vgpu_member *m = &members[n_members];
  if (n_members == VGPU_MEMBERS_MAX || length == 0 || length >= sizeof m->dir) return;
  memcpy(m->dir, dir, length);
  m->dir[length] = 0;
  m->fd = -1;
  pthread_mutex_init(&m->mutex, NULL);
  char path[600], text[1024], bad[64];
  snprintf(path, sizeof path, "%s/slice", m->dir);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
  if (fd >= 0) close(fd);
  // A slice that cannot be read is a slice all the same: what it would allow is refused.
  m->failed = n <= 0 || vgpu_slice_config_apply(&m->config, text, (size_t)n, bad) != VGPU_CONFIG_OK;
  if (m->failed) m->config.device[0] = 0;
  n_members++;
}

static void before_fork(void) {
  for (int i = 0; i < n_members; i++) pthread_mutex_lock(&members[i].mutex);
}

static void after_fork(void) {
  for (int i = 0; i < n_members; i++) pthread_mutex_unlock(&members[i].mutex);
}

// The child is another process: it holds nothing, and its parent's connection and slot are not its own.
static void in_child(void) {
  for (int i = 0; i < n_members; i++) {
    struct vgpu_member *m = &members[i];
    pthread_mutex_init(&m->mutex, NULL);
    if (m->fd >= 0) close(m->fd);
    m->fd = -1;
    if (m->account) munmap(m->account, sizeof *m->account);
    m->account = NULL;
    m->slot = NULL;
    m->mps_milli = 0;
    m->width = 0;
    for (int k = 0; k < VGPU_KINDS; k++) m->memory[k] = 0;
    if (m->gate) vgpu_gate_forget(m->gate);
    if (m->paging) vgpu_paging_forget(m->paging);
  }
}

static void find(void) {
  DIR *folder = opendir(FIXED_FOLDER);
  if (folder) {
    struct dirent *entry;
    while ((entry = readdir(folder))) {
      char path[512];
      if (entry->d_name[0] == '.') continue;
      int n = snprintf(path, sizeof path, "%s/%s", FIXED_FOLDER, entry->d_name);
      if (n > 0 && n < (int)sizeof path) add(path, (size_t)n);
    }
    closedir(folder);
  } else if (errno == ENOENT || errno == ENOTDIR) {
    const char *p = getenv("VGPU_SLICE");
    while (p && *p) {
      const char *end = strchrnul(p, ':');
      add(p, (size_t)(end - p));
      p = *end ? end + 1 : end;
    }
  } else {
    add(FIXED_FOLDER, strlen(FIXED_FOLDER)); // there, but closed to us: refused
  }
  if (n_members) pthread_atfork(before_fork, after_fork, in_child);
  atomic_store_explicit(&found, true, memory_order_release);
}

__attribute__((destructor)) static void at_exit(void) {
  for (int i = 0; i < n_members; i++)
    if (members[i].gate) vgpu_gate_count(members[i].gate);
}

int vgpu_members(struct vgpu_member **out) {
  if (!atomic_load_explicit(&found, memory_order_acquire)) pthread_once(&once, find);
  if (out) *out = members;
  return n_members;
}

struct vgpu_member *vgpu_member_for(const char *device) {
  int n = vgpu_members(NULL);
  for (int i = 0; i < n; i++)
    if (members[i].config.device[0] && strcasecmp(members[i].config.device, device) == 0) return &members[i];
  for (int i = 0; i < n; i++)
    if (!members[i].config.device[0]) return &members[i];
  return NULL;
}

static bool hello(struct vgpu_member *m, int fd) {
  struct vgpu_packet packet = {
      .type = VGPU_HELLO, .version = VGPU_LAYOUT_VERSION, .width = m->mps_milli, .value = m->account != NULL};
  for (int k = 0; k < VGPU_KINDS; k++) packet.memory[k] = m->memory[k];
  if (send(fd, &packet, sizeof packet, MSG_NOSIGNAL) != (ssize_t)sizeof packet) return false;
  struct iovec part = {&packet, sizeof packet};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n;
  do n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (n != (ssize_t)sizeof packet || packet.type != VGPU_WELCOME || !c || c->cmsg_type != SCM_RIGHTS) return false;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
  struct vgpu_account *a = mmap(NULL, sizeof *a, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (a == MAP_FAILED) return false;
  if (a->magic != VGPU_ACCOUNT_MAGIC || a->version != VGPU_LAYOUT_VERSION || packet.value >= VGPU_SLOTS_MAX) {
    munmap(a, sizeof *a);
    return false;
  }
  // An earlier account stays mapped: other threads may be reading it.
  if (!m->mps_milli) m->mps_milli = packet.width; // settled when the process begins
  m->index = (uint32_t)packet.value;
  const struct vgpu_account *earlier = m->account;
  __atomic_store_n(&m->slot, &a->slot[m->index], __ATOMIC_RELEASE);
  __atomic_store_n(&m->account, a, __ATOMIC_RELEASE);
  vgpu_memory_take_over(m, earlier);
  return true;
}

static uint64_t patience_ns(void) {
  const char *text = getenv("VGPU_ARBITER_WAIT_MS");
  uint64_t ms = text ? 0 : 5000;
  for (; text && *text >= '0' && *text <= '9' && ms < 3600000; text++) ms = ms * 10 + (uint64_t)(*text - '0');
  return ms * 1000000ull;
}

static bool connected(struct vgpu_member *m) {
  if (m->fd < 0) return false;
  struct pollfd p = {.fd = m->fd, .events = POLLIN | POLLRDHUP};
  return poll(&p, 1, 0) <= 0 || !(p.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

bool vgpu_member_attach(struct vgpu_member *m) {
  if (m->failed) return false;
  pthread_mutex_lock(&m->mutex);
  uint64_t start = vgpu_now_ns(), patience = patience_ns();
  while (!connected(m) && !m->failed) {
    if (m->fd >= 0) close(m->fd);
    m->fd = -1;
    if (m->account && m->account->removed) {
      m->failed = true;
      break;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && vgpu_unix_at(fd, m->dir, "arbiter.sock", true) && hello(m, fd)) {
      m->fd = fd;
      vgpu_debug("attached to %s as process %u", m->dir, m->index);
      break;
    }
    if (fd >= 0) close(fd);
    if (vgpu_now_ns() - start >= patience) break; // tried again at the next call
    vgpu_sleep_ns(RETRY_NS);
  }
  bool good = m->fd >= 0 && !m->failed;
  if (!good) vgpu_debug("%s: nobody serves this slice", m->dir);
  pthread_mutex_unlock(&m->mutex);
  return good;
}

bool vgpu_member_alive(struct vgpu_member *m) {
  pthread_mutex_lock(&m->mutex);
  bool good = connected(m);
  pthread_mutex_unlock(&m->mutex);
  return good;
}

static bool deliver(struct vgpu_member *m, uint32_t type, uint32_t generation, uint64_t value) {
  struct vgpu_packet packet = {
      .type = type, .version = VGPU_LAYOUT_VERSION, .generation = generation, .width = m->width, .value = value};
  ssize_t n = -1;
  if (m->fd >= 0) do n = send(m->fd, &packet, sizeof packet, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof packet;
}

bool vgpu_member_send(struct vgpu_member *m, uint32_t type, uint32_t generation, uint64_t value) {
  pthread_mutex_lock(&m->mutex);
  bool good = deliver(m, type, generation, value);
  pthread_mutex_unlock(&m->mutex);
  return good;
}

void vgpu_member_measure(struct vgpu_member *m) {
  pthread_mutex_lock(&m->mutex);
  struct vgpu_packet packet;
  ssize_t n = 0;
  if (deliver(m, VGPU_MEASURE, 0, 0)) do n = recv(m->fd, &packet, sizeof packet, 0);
    while ((n < 0 && errno == EINTR) || (n > 0 && packet.type != VGPU_MEASURED));
  pthread_mutex_unlock(&m->mutex);
  // What was set aside for contexts and turned out too much; too little is part of the overhead by now.
  uint64_t aside = m->memory[VGPU_KIND_CONTEXT];
  if (n == (ssize_t)sizeof packet && packet.value < aside)
    vgpu_memory_release(m, VGPU_KIND_CONTEXT, aside - packet.value);
}
