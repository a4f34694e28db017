// Gangs: a program that has slices of several devices, whose kernels wait for each other (collectives), needs its turns at
// the same time everywhere. Else each device would hold its kernel back for the one that is not let in elsewhere, and two
// such programs would stop each other for good. The arbiters, one for each device, keep a board in a file that they all
// map. The gang that is due on one device is up on all of its devices for one turn: there it goes first, and gangs that
// share a device with it wait. Slices without a gang fill the rest.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/futex.h"
#include "server.h"

#define GANGS_MAX 256
#define DEVICES_MAX 64
#define STUCK_NS 300000ull
#define MAGIC 0x31676e6167757067ull

struct gangs {
  uint64_t magic;
  char device[DEVICES_MAX][96]; // the arbiters' folders
  struct {
    char name[VGPU_ID_MAX];
    au64 devices; // a bit each; 0: the place is free
    au64 until;   // CLOCK_MONOTONIC
    au64 stuck;   // devices, likewise, on which a kernel goes on after its time: it waits for a peer
  } gang[GANGS_MAX];
};

// Changes are made under a lock on the file, which the kernel drops with its holder; what is read are single words.
static void lock(const struct server *s) { flock(s->gangs_fd, LOCK_EX); }
static void unlock(const struct server *s) { flock(s->gangs_fd, LOCK_UN); }

static bool open_board(struct server *s) {
  if (s->gangs) return true;
  if (!s->gangs_path) return false;
  s->gangs_fd = open(s->gangs_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (s->gangs_fd < 0) return false;
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
      g->gang[i].stuck &= ~(1ull << own);
    }
    s->gangs = g;
    s->gangs_index = own;
  }
  unlock(s);
  if (own < 0) {
    if (g != MAP_FAILED) munmap(g, sizeof *g);
    close(s->gangs_fd);
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
      g->gang[i].until = g->gang[i].stuck = 0;
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
  if (place >= 0) s->gangs->gang[place].devices &= ~(1ull << s->gangs_index);
  unlock(s);
}

// A gang's time is over when all of its kernels are: the members that others wait for are let in for one more piece of
// work each, for as long as two turns.
static bool is_up(const struct server *s, int i, uint64_t now) {
  uint64_t until = s->gangs->gang[i].until;
  return until > now || (s->gangs->gang[i].stuck && now < until + 2 * s->schedule.settings.quantum_ns);
}

// Whether a gang that shares a device with this one is up.
static bool barred(const struct server *s, int place, uint64_t now) {
  const struct gangs *g = s->gangs;
  for (int i = 0; i < GANGS_MAX; i++)
    if (i != place && (g->gang[i].devices & g->gang[place].devices) && is_up(s, i, now)) return true;
  return false;
}

static bool rivals(const struct gangs *g, int place) {
  for (int i = 0; i < GANGS_MAX; i++)
    if (i != place && (g->gang[i].devices & g->gang[place].devices)) return true;
  return false;
}

static void tell_stuck(struct server *s, const struct slice *x, int place, uint64_t now) {
  const struct vgpu_client *h = s->schedule.holder;
  bool stuck = h && h->tenant == &x->tenant && s->schedule.recalled && now - s->schedule.recalled_at >= STUCK_NS;
  uint64_t bit = 1ull << s->gangs_index;
  if (stuck && !(s->gangs->gang[place].stuck & bit)) s->gangs->gang[place].stuck |= bit;
  if (!stuck && (s->gangs->gang[place].stuck & bit)) s->gangs->gang[place].stuck &= ~bit;
}

void gangs_look(struct server *s, uint64_t now) {
  if (!s->gangs) return;
  for (struct slice *x = s->slices; x; x = x->next) {
    struct vgpu_tenant *t = &x->tenant;
    int place = t->gang ? find(s->gangs, x->config.gang) : -1;
    t->rivals = place >= 0 && rivals(s->gangs, place);
    if (place >= 0) tell_stuck(s, x, place, now);
    t->up_until = place < 0 ? 0 : s->gangs->gang[place].until;
    t->up = place >= 0 && is_up(s, place, now);
    t->barred = place >= 0 && !t->up && barred(s, place, now);
  }
}

void gangs_start(struct server *s, struct slice *x, uint64_t now) {
  if (!s->gangs || !x->tenant.gang || x->tenant.up) return;
  lock(s);
  int place = find(s->gangs, x->config.gang);
  // Two gangs may have become due on two devices at the same moment: the second one's turn is for nothing, this once.
  if (place >= 0 && !is_up(s, place, now) && !barred(s, place, now))
    s->gangs->gang[place].until = now + s->schedule.settings.quantum_ns;
  unlock(s);
  gangs_look(s, now);
}

bool gangs_waiting(const struct server *s) {
  for (const struct slice *x = s->slices; s->gangs && x; x = x->next)
    if (x->tenant.gang && x->tenant.wanting) return true;
  return false;
}
