#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/futex.h"

#define SAMPLE_NS 100000000ull
#define AUDIT_NS 500000000ull
#define OVERDUE_NS 20000000ull // then it is looked whether the holder is stopped

bool server_watch(struct server *s, struct source *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  return epoll_ctl(s->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

static bool take_lock(struct server *s) {
  char path[256];
  snprintf(path, sizeof path, "%s/lock", s->dir);
  s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0;
}

static bool listen_control(struct server *s) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", s->dir);
  unlink(address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || chmod(address.sun_path, 0600) || listen(fd, 128)) {
    close(fd);
    return false;
  }
  s->control_source = (struct source){SOURCE_CONTROL_LISTEN, fd};
  return server_watch(s, &s->control_source);
}

bool server_open(struct server *s, const char *dir, const char *device, struct vgpu_settings settings) {
  if (strlen(dir) >= sizeof s->dir || strlen(device) >= sizeof s->device) {
    errno = ENAMETOOLONG;
    return false;
  }
  strcpy(s->dir, dir);
  strcpy(s->device, device);
  char path[256];
  if (mkdir(dir, 0711) && errno != EEXIST) return false;
  snprintf(path, sizeof path, "%s/slices", dir);
  if (mkdir(path, 0711) && errno != EEXIST) return false;
  if (!take_lock(s)) return false;
  uint64_t now = vgpu_now_ns();
  vgpu_schedule_init(&s->schedule, settings, &process_actions, s, now);
  s->next_sample = now + SAMPLE_NS;
  s->next_audit = now + AUDIT_NS;
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  s->timer_source = (struct source){SOURCE_TIMER, s->timer};
  s->signal_source = (struct source){SOURCE_SIGNAL, s->signals};
  if (s->epoll < 0 || s->timer < 0 || s->signals < 0 || !server_watch(s, &s->timer_source) ||
      !server_watch(s, &s->signal_source) || !report_open(s))
    return false;
  slices_load(s);
  report_loaded(s);
  return listen_control(s);
}

// A holder that is stopped (SIGSTOP, a debugger) or a zombie cannot give its turn back.
static bool cannot_run(pid_t pid) {
  char path[32], text[256];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  const char *state = strrchr(text, ')');
  return state && state[1] == ' ' && strchr("TtZX", state[2]);
}

static void tick_schedule(struct vgpu_schedule *schedule, uint64_t now) {
  if (schedule->holder && schedule->recalled && now - schedule->recalled_at >= OVERDUE_NS &&
      cannot_run(((struct process *)schedule->holder)->pid))
    vgpu_holder_strip(schedule, false, now);
  vgpu_schedule_tick(schedule, now);
}

static void tick(struct server *s) {
  uint64_t now = vgpu_now_ns();
  gangs_look(s, now);
  tick_schedule(&s->schedule, now);
  for (struct slice *x = s->slices; x; x = x->next)
    if (x->spatial) tick_schedule(&x->own, now);
  overcommit_update(s, now);
  processes_reap(s);
  if (now >= s->next_sample) {
    report_sample(s, now);
    s->next_sample = now + SAMPLE_NS;
  }
  if (now >= s->next_audit) {
    measure_all(s, now);
    s->next_audit = now + AUDIT_NS;
  }
}

static uint64_t due_of(struct vgpu_schedule *schedule, uint64_t now) {
  uint64_t due = vgpu_schedule_due(schedule, now);
  return schedule->holder && schedule->recalled && due > now + OVERDUE_NS ? now + OVERDUE_NS : due;
}

static void arm(struct server *s) {
  uint64_t now = vgpu_now_ns(), due = due_of(&s->schedule, now);
  for (struct slice *x = s->slices; x; x = x->next) {
    uint64_t own = x->spatial ? due_of(&x->own, now) : VGPU_NEVER;
    if (own < due) due = own;
  }
  uint64_t gangs = gangs_due(s, now);
  if (gangs < due) due = gangs;
  if (s->dead && due > now + 1000000) due = now + 1000000;
  // Without processes nothing changes that anybody could want to read.
  if (s->processes) {
    if (due > s->next_sample) due = s->next_sample;
    if (due > s->next_audit) due = s->next_audit;
  }
  struct itimerspec when = {0};
  if (due != VGPU_NEVER) {
    if (due <= now) due = now + 1;
    when.it_value.tv_sec = (time_t)(due / 1000000000ull);
    when.it_value.tv_nsec = (long)(due % 1000000000ull);
  }
  timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void dispatch(struct server *s, struct source *source) {
  gangs_look(s, vgpu_now_ns());
  switch (source->kind) {
    case SOURCE_TIMER: {
      uint64_t ignored;
      if (read(s->timer, &ignored, sizeof ignored) < 0) return;
      break;
    }
    case SOURCE_SIGNAL: s->stop = true; break;
    case SOURCE_GANGS: gangs_read(s); break;
    case SOURCE_CONTROL_LISTEN: control_accept(s); break;
    case SOURCE_CONTROL: control_read(s, (struct control *)(void *)source); break;
    case SOURCE_SLICE_LISTEN: process_accept(s, (struct slice *)(void *)source); break;
    case SOURCE_PROCESS:
      process_read(s, (struct process *)(void *)((char *)source - offsetof(struct process, source)));
      break;
  }
}

int server_run(struct server *s) {
  while (!s->stop) {
    gangs_look(s, vgpu_now_ns()); // what was decided last is told to the others
    arm(s);
    // One event at a time: handling one may free what another one points to.
    struct epoll_event event;
    int n = epoll_wait(s->epoll, &event, 1, -1);
    if (n < 0 && errno != EINTR) return 1;
    if (n > 0) dispatch(s, event.data.ptr);
    tick(s);
  }
  return 0;
}

void server_close(struct server *s) {
  char path[256];
  snprintf(path, sizeof path, "%s/control.sock", s->dir);
  unlink(path);
  snprintf(path, sizeof path, "%s/gangs.sock", s->dir);
  if (s->gangs) unlink(path);
  close(s->control_source.fd);
  close(s->lock);
}
