// Gangs: a program that has slices of several devices, whose kernels wait for each other (collectives), needs its turns at
// the same time everywhere. Else each device would hold its kernel back for the one that is not let in elsewhere, and two
// such programs would stop each other for good. The arbiters, one for each device, keep a board in a file that they all
// map. The gang that is due on one device is up on all of its devices for one turn: there it goes first, and gangs that
// share a device with it wait. Slices without a gang fill the rest.
//
// A gang's time is open until VGPU_GANG_REST_NS before its end: its members are let in and begin work. Then it closes:
// what runs is finished, and nobody begins anything, except that a member for which another one waits is let in for one
// more piece of work. It is over when all turns are given back. Arbiters wake each other when something changes.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

#define GANGS_MAX 256
#define DEVICES_MAX 64
#define STUCK_NS 1300000ull // a member that began nothing for so long, and has not given back, waits for another one
#define LOOK_NS 5000000ull // how often the board is looked at though nobody said that it changed
#define LOOK_RECALLED_NS 200000ull // and while a turn is not given back that is over
#define MAGIC 0x32676e6167757067ull
#define SOCKET "gangs.sock"

struct gangs {
  uint64_t magic;
  char device[DEVICES_MAX][96]; // the arbiters' folders
  struct {
    char name[VGPU_ID_MAX];
    au64 devices; // a bit each; 0: the place is free
    au64 until;   // CLOCK_MONOTONIC
    au64 holding; // devices, likewise, on which it has the turn
    au64 calls;   // how often a member was found waiting for another one after the end
  } gang[GANGS_MAX];
};

// Changes are made under a lock on the file, which the kernel drops with its holder; what is read are single words.
static void lock(const struct server *s) { flock(s->gangs_fd, LOCK_EX); }
static void unlock(const struct server *s) { flock(s->gangs_fd, LOCK_UN); }

static bool listen_others(struct server *s) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/" SOCKET, s->dir);
  unlink(address.sun_path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  s->gangs_source = (struct source){SOURCE_GANGS, fd};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && chmod(address.sun_path, 0600) == 0 &&
      server_watch(s, &s->gangs_source))
    return true;
  close(fd);
  return false;
}

void gangs_read(struct server *s) {
  char ignored[64];
  while (recv(s->gangs_source.fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0) continue;
}

// Wakes the arbiters of these devices: something changed on the board.
static void wake(const struct server *s, uint64_t devices) {
  for (devices &= ~(1ull << s->gangs_index); devices; devices &= devices - 1) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/" SOCKET, s->gangs->device[__builtin_ctzll(devices)]);
    sendto(s->gangs_source.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address);
  }
}

static bool open_board(struct server *s) {
  if (s->gangs) return true;
  if (!s->gangs_path) return false;
  s->gangs_fd = open(s->gangs_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (s->gangs_fd < 0) return false;
  if (!listen_others(s)) {
    close(s->gangs_fd);
    return false;
  }
  lock(s);
  struct stat st;
  struct gangs *g = MAP_FAILED;
  if (fstat(s->gangs_fd, &st) == 0 && (st.st_size >= (off_t)sizeof *g || ftruncate(s->gangs_fd, sizeof *g) == 0))
    g = mmap(NULL, sizeof *g, PROT_READ | PROT_WRITE, MAP_SHARED, s->gangs_fd, 0);
  int own = -1;
  if (g != MAP_FAILED) {
    if (g->magic != MAGIC) memset(g, 0, sizeof *g);
    g->magic = MAGIC;
    for (int i = DEVICES_MAX - 1; i >= 0; i--)
      if (!g->device[i][0] || strcmp(g->device[i], s->dir) == 0) own = i;
    for (int i = 0; i < DEVICES_MAX; i++)
      if (strcmp(g->device[i], s->dir) == 0) own = i;
  }
  if (own >= 0) {
    snprintf(g->device[own], sizeof g->device[own], "%s", s->dir);
    for (int i = 0; i < GANGS_MAX; i++) { // of an arbiter before this one
      g->gang[i].devices &= ~(1ull << own);
      g->gang[i].holding &= ~(1ull << own);
    }
    s->gangs = g;
    s->gangs_index = own;
  }
  unlock(s);
  if (own < 0) {
    if (g != MAP_FAILED) munmap(g, sizeof *g);
    close(s->gangs_fd);
    close(s->gangs_source.fd);
  }
  return own >= 0;
}

static int find(const struct gangs *g, const char *name) {
  for (int i = 0; i < GANGS_MAX; i++)
    if (g->gang[i].devices && strcmp(g->gang[i].name, name) == 0) return i;
  return -1;
}

bool gangs_join(struct server *s, const char *name) {
  if (!open_board(s)) return false;
  lock(s);
  struct gangs *g = s->gangs;
  int place = find(g, name);
  for (int i = 0; place < 0 && i < GANGS_MAX; i++)
    if (!g->gang[i].devices) {
      place = i;
      snprintf(g->gang[i].name, sizeof g->gang[i].name, "%s", name);
      g->gang[i].until = g->gang[i].holding = 0;
    }
  if (place >= 0) g->gang[place].devices |= 1ull << s->gangs_index;
  unlock(s);
  return place >= 0;
}

void gangs_leave(struct server *s, const char *name) {
  if (!s->gangs) return;
  for (const struct slice *x = s->slices; x; x = x->next)
    if (!x->removed && strcmp(x->config.gang, name) == 0) return;
  lock(s);
  int place = find(s->gangs, name);
  if (place >= 0) {
    s->gangs->gang[place].devices &= ~(1ull << s->gangs_index);
    s->gangs->gang[place].holding &= ~(1ull << s->gangs_index);
  }
  unlock(s);
}

static bool rivals(const struct gangs *g, int place) {
  for (int i = 0; i < GANGS_MAX; i++)
    if (i != place && (g->gang[i].devices & g->gang[place].devices)) return true;
  return false;
}

static bool open_now(const struct gangs *g, int i, uint64_t now) {
  return g->gang[i].holding && g->gang[i].until > now + VGPU_GANG_REST_NS;
}

// Whether its turns are over or nearly so, and not all of them given back; not for longer than two turns. Where no other
// gang comes after it, its turns have no common end.
static bool closing(const struct server *s, int i, uint64_t now) {
  const struct gangs *g = s->gangs;
  return g->gang[i].holding && !open_now(g, i, now) && rivals(g, i) &&
         now < g->gang[i].until + 2 * s->schedule.settings.quantum_ns;
}

// Whether a gang that shares a device with this one has its time.
static bool barred(const struct server *s, int place, uint64_t now) {
  const struct gangs *g = s->gangs;
  for (int i = 0; i < GANGS_MAX; i++)
    if (i != place && (g->gang[i].devices & g->gang[place].devices) && (open_now(g, i, now) || closing(s, i, now)))
      return true;
  return false;
}

// When the member that has the turn here may have begun something last; or when it called for the others since.
static uint64_t last_begun(const struct server *s, const struct slice *x) {
  uint64_t end = s->schedule.recalled_at - VGPU_GANG_REST_NS, first = s->schedule.granted_at;
  uint64_t begun = end > first ? end : first;
  return x->gang_called_at > begun ? x->gang_called_at : begun;
}

// Says on the board whether the gang has the turn here (`holder`), and whether it waits for another member at its end.
static void tell(struct server *s, struct slice *x, int place, bool holder, uint64_t now) {
  bool holds = holder && s->schedule.holder->tenant == &x->tenant;
  uint64_t bit = 1ull << s->gangs_index, devices = 0;
  if (holder != ((s->gangs->gang[place].holding & bit) != 0)) {
    atomic_fetch_xor(&s->gangs->gang[place].holding, bit);
    for (int i = 0; i < GANGS_MAX; i++)
      if (s->gangs->gang[i].devices & s->gangs->gang[place].devices) devices |= s->gangs->gang[i].devices;
  }
  if (holds && s->schedule.recalled && now - last_begun(s, x) >= STUCK_NS) {
    x->gang_called_at = now;
    x->gang_heard = atomic_fetch_add(&s->gangs->gang[place].calls, 1) + 1;
    devices |= s->gangs->gang[place].devices;
  }
  wake(s, devices);
}

void gangs_look(struct server *s, uint64_t now) {
  if (!s->gangs) return;
  const struct vgpu_client *h = s->schedule.holder;
  const struct slice *held = h ? ((const struct process *)h)->slice : NULL;
  for (struct slice *x = s->slices; x; x = x->next) {
    struct vgpu_tenant *t = &x->tenant;
    int place = t->gang && !x->removed ? find(s->gangs, x->config.gang) : -1;
    t->rivals = t->up = t->barred = false;
    t->up_until = 0;
    if (place < 0) continue;
    tell(s, x, place, held && strcmp(held->config.gang, x->config.gang) == 0, now);
    bool closes = closing(s, place, now), called = s->gangs->gang[place].calls != x->gang_heard;
    if (!closes) x->gang_heard = s->gangs->gang[place].calls;
    t->rivals = rivals(s->gangs, place);
    t->up_until = s->gangs->gang[place].until;
    t->up = open_now(s->gangs, place, now) || (closes && called);
    t->barred = !t->up && (closes || barred(s, place, now));
  }
}

bool gangs_claim(struct server *s, struct slice *x, uint64_t now) {
  if (!s->gangs) return true;
  lock(s);
  int place = find(s->gangs, x->config.gang);
  bool good = place < 0 || (!closing(s, place, now) && !barred(s, place, now));
  if (place >= 0 && good) {
    s->gangs->gang[place].until = now + s->schedule.settings.quantum_ns;
    s->gangs->gang[place].holding |= 1ull << s->gangs_index;
    x->tenant.up = true;
    x->tenant.up_until = s->gangs->gang[place].until;
  }
  unlock(s);
  if (place >= 0 && good) wake(s, s->gangs->gang[place].devices);
  return good;
}

void gangs_granted(struct server *s, struct slice *x) {
  int place = s->gangs && x->tenant.gang ? find(s->gangs, x->config.gang) : -1;
  if (place >= 0) x->gang_heard = s->gangs->gang[place].calls; // one piece of work for each call
}

uint64_t gangs_due(const struct server *s, uint64_t now) {
  const struct vgpu_tenant *holder = s->schedule.holder ? s->schedule.holder->tenant : NULL;
  uint64_t due = VGPU_NEVER;
  for (const struct slice *x = s->slices; s->gangs && x; x = x->next) {
    const struct vgpu_tenant *t = &x->tenant;
    if (!t->gang || !t->wanting) continue;
    uint64_t at = now + (t == holder && s->schedule.recalled ? LOOK_RECALLED_NS : LOOK_NS);
    if (at < due) due = at;
  }
  return due;
}
