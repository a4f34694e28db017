// The arbiter's state: slices, their processes, and the ledger. One thread, one epoll set.
#ifndef VGPU_SERVER_H
#define VGPU_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "../common/protocol.h"
#include "../common/slice_config.h"
#include "paging.h"
#include "schedule.h"

enum source_kind { SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_CONTROL_LISTEN, SOURCE_CONTROL, SOURCE_SLICE_LISTEN, SOURCE_PROCESS, SOURCE_GANGS };

struct source { // what an epoll event points to
  enum source_kind kind;
  int fd;
};

struct control { // one connection to the control socket
  struct source source;
  size_t length;
  char line[2048];
};

struct slice {
  struct source source; // listens for its processes
  struct vgpu_tenant tenant;
  struct vgpu_slice_config config;
  struct vgpu_account *account; // shared with the slice's processes
  int account_fd;
  struct vgpu_ledger_row *row;
  bool removed;
  uint32_t processes;
  uint64_t fence; // what its row says: who holds its control group to its memory as well
  uint64_t requested_at; // when one of its processes last wanted a turn
  uint64_t turns, overruns, strips, handover_last, handover_max;
  uint64_t peak; // bytes, the most memory at once
  uint64_t past_held[10]; // device time at the last ten samples, 100 ms apart
  uint64_t gone_launches, gone_denied; // of processes that have ended
  // Under MPS: a slice with multiprocessors of its own takes turns with nobody, but for its own processes.
  bool spatial;
  uint32_t width; // milli of the multiprocessors that are its own
  struct vgpu_schedule own;
  uint64_t gone_in, gone_out, gone_moving;
  uint64_t timed_bytes, timed_ns, bandwidth; // moves between host and device, seen so far; bytes a second
  uint64_t gang_heard, gang_called_at; // calls for one more piece of work: answered so far; when it called itself
  struct slice *next;
};

struct process {
  struct vgpu_client client; // first: the schedule hands it back
  struct source source;
  struct slice *slice;
  struct process *next;
  pid_t pid;
  uint32_t slot, generation;
  bool greeted;
  uint32_t mps_milli; // multiprocessors it was told it may use; 0: not under MPS
  uint64_t overhead;             // bytes beyond what it accounts
  uint64_t known;                // bytes that it accounted before it was measured
  uint32_t flights;              // likewise
  bool quiet;                    // it was not allocating or freeing then
};

struct dead_slot { // to be reaped once the account's lock is free
  struct slice *slice;
  uint32_t slot;
  struct dead_slot *next;
};

struct server {
  int epoll, timer, signals, lock;
  struct source timer_source, signal_source, control_source, gangs_source;
  char dir[92];
  char device[VGPU_DEVICE_MAX];
  struct vgpu_schedule schedule;
  struct slice *slices;
  struct process *processes;
  struct dead_slot *dead;
  struct vgpu_ledger *ledger;
  const struct vgpu_ledger *earlier; // of the arbiter before, while its slices are loaded; or NULL
  uint64_t queue_ns, ahead_ns, idle_ns;
  uint64_t next_sample, next_audit, recalled_at;
  uint64_t samples;
  uint64_t context_estimate, device_memory;
  uint64_t host_memory; // bytes that may stand behind over-committed slices; 0: not known
  uint32_t overcommitted; // such slices
  struct vgpu_paging_policy paging;
  bool stop, loading;
  const char *gangs_path;  // --gangs; NULL: no gangs
  struct gangs *gangs;     // shared by the arbiters; NULL before the first gang
  int gangs_fd, gangs_index;
};

// server.c
bool server_open(struct server *s, const char *dir, const char *device, struct vgpu_settings settings);
int server_run(struct server *s); // until SIGTERM or SIGINT
void server_close(struct server *s);
bool server_watch(struct server *s, struct source *source);

// slices.c; results are codes of the control protocol, NULL for success
const char *slice_add(struct server *s, const struct vgpu_slice_config *config);
const char *slice_change(struct server *s, struct slice *slice, const struct vgpu_slice_config *config);
void slice_remove(struct server *s, struct slice *slice);
struct slice *slice_find(struct server *s, const char *id);
void slices_set_queues(struct server *s, uint64_t now); // how far each may work ahead of the device
void slices_load(struct server *s);  // from the files of an earlier arbiter
void slice_dispose(struct server *s, struct slice *slice); // removed and without processes
void slice_path(const struct server *s, const char *id, const char *file, char out[256]);

// processes.c
void process_accept(struct server *s, struct slice *slice);
void process_read(struct server *s, struct process *p);
void process_close(struct server *s, struct process *p);
void processes_reap(struct server *s); // slots of processes that ended inside the account's lock
extern const struct vgpu_actions process_actions;

// overcommit.c
uint64_t overcommit_host_memory(void); // the default bound: four fifths of the host's memory
// NULL, or the code of why memory for such a slice (instead of `changed`) is not to be had.
const char *overcommit_admits(const struct server *s, const struct slice *changed, const struct vgpu_slice_config *c);
uint64_t overcommit_physical_cap(const struct server *s, const struct vgpu_slice_config *c); // bytes; 0: none
void overcommit_update(struct server *s, uint64_t now); // who leaves how much on the device
void overcommit_granted(struct server *s, const struct process *holder);
void overcommit_set_quanta(struct server *s, uint64_t now);
void overcommit_report(struct server *s, struct slice *slice);

// control.c
void control_accept(struct server *s);
void control_read(struct server *s, struct control *c);

// measure.c: what NVML says that processes hold
bool measure_open(const char *library, const char *device); // false: not to be had
uint64_t measure_device_memory(void);
void measure_all(struct server *s, uint64_t now);
uint64_t measure_process(struct server *s, struct process *p); // bytes of its contexts and the like; UINT64_MAX: unknown

bool measure_limit(const char *cgroup, uint64_t bytes); // what a control group may hold; UINT64_MAX: no limit

// fence.c: the bound on memory that NVIDIA's driver or the kernel keeps beside the limiter's
void fence_set(struct server *s, struct slice *x);    // by its settings, which may have changed
void fence_move(struct server *s, struct slice *x, const char *before); // its control group is another one than before
void fence_remove(struct server *s, struct slice *x);
void fence_load(const struct server *s, struct vgpu_slice_config *config); // what an earlier arbiter was told

// spatial.c: who has which multiprocessors under MPS
const char *spatial_place(struct server *s, struct slice *x, uint64_t now); // a slice that is being added
void spatial_apply(struct server *s, struct slice *x);
void spatial_update(struct server *s);
uint32_t spatial_width(const struct server *s, const struct slice *x); // for a process that begins; 0: no MPS
struct vgpu_schedule *schedule_of(struct server *s, struct slice *x);

// gangs.c: slices on several devices whose turns come at the same time
bool gangs_join(struct server *s, const char *gang); // false: no --gangs, or no room
void gangs_leave(struct server *s, const char *gang); // the gang's last slice here is gone
void gangs_look(struct server *s, uint64_t now);      // whose time it is; call it before anything is decided
bool gangs_claim(struct server *s, struct slice *x, uint64_t now); // the slice's gang gets its time, if no other has it
void gangs_granted(struct server *s, struct slice *x);
uint64_t gangs_due(const struct server *s, uint64_t now); // when to look again
void gangs_read(struct server *s);                    // another arbiter said that something changed

// report.c: the ledger
bool report_open(struct server *s);
uint64_t report_earlier_peak(const struct server *s, const char *id); // of the slice's memory; 0: not known
void report_loaded(struct server *s);                     // the earlier ledger is done with
void report_peak(struct server *s, struct slice *slice);  // its overhead has changed
void report_row(struct server *s, struct slice *slice);
void report_sample(struct server *s, uint64_t now);

#endif
