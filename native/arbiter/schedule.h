// Who has the accelerator next, and for how long. Pure: no clock, no I/O; the caller passes the time and carries out
// what is decided. Deficits are kept as virtual time, one clock per slice that advances by (time held / share).
#ifndef VGPU_SCHEDULE_H
#define VGPU_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/layout.h"

#define VGPU_NEVER UINT64_MAX
#define VGPU_ONE_PIECE_NS 500000ull // less than VGPU_GANG_REST_NS: no room for a second one

struct vgpu_settings {
  uint64_t quantum_ns;   // longest turn while somebody waits
  uint64_t min_turn_ns;  // a turn is not cut below this for a slice that is merely behind
  uint64_t lag_ns;       // how much unused claim a slice keeps while it wants nothing (device time)
  uint64_t hang_ns;      // a recalled holder loses its turn after this
};

struct vgpu_client; // one process

#define VGPU_ECHO_SLOTS 256
struct vgpu_echo { // kept by echo.c
  float behind[VGPU_ECHO_SLOTS]; // ns of the device, every 4 ms
  uint64_t slot;                 // the last one written
  double last;                   // what it was behind at `at`
  uint64_t at, since;            // it has competed since then
  double turn_ns;                // its turns while others wait
};

struct vgpu_tenant { // one slice
  char id[VGPU_ID_MAX];
  uint32_t share, limit; // milli
  enum vgpu_qos qos;
  bool critical;
  uint64_t quantum_ns;   // of its turns, which are then not cut short for who is merely behind; 0: as set for all
  // A gang's slices on other devices have their turns at the same time; whose time it is the caller says.
  bool gang, up, barred; // has one; it is up until `up_until`; another one is up, on some device of this one's
  bool rivals;           // there are gangs that share a device with it
  uint64_t up_until;
  // Kept by the schedule.
  double clock;          // virtual ns: time held * 1000 / weight
  double credit_ns;      // what the limit still lets it use; below 0: in debt
  uint64_t credit_at;    // when credit_ns was brought up to date
  uint64_t held_ns;      // device time charged so far
  uint64_t used_ns;      // time on the device, as a part of its multiprocessors
  uint64_t wait_ns;
  uint32_t wanting;      // clients that wait or hold
  uint32_t waiting;      // clients that wait
  struct vgpu_echo echo;
  struct vgpu_tenant *next;
};

// Under MPS several processes may hold the device at once, as far as they fit on it: one leads the turn and pays for it,
// as if it were alone; the others run beside it for nothing, on what it would have left idle. So nobody who has to wait
// waits longer for them, and shares hold as they do without.
enum vgpu_client_state { VGPU_IDLE = 0, VGPU_WAITING, VGPU_HOLDING, VGPU_STRIPPED, VGPU_BESIDE };

struct vgpu_client {
  struct vgpu_tenant *tenant;
  enum vgpu_client_state state;
  uint64_t since;      // when the state began
  uint64_t charged_to; // charged up to here (holding or stripped)
  uint64_t held_ns;    // of this client: its siblings' turn comes first
  uint32_t width;      // milli of the multiprocessors that its work occupies; 0: all
  struct vgpu_client *next;
};

// What the caller must do; called from within the functions below.
struct vgpu_actions {
  void (*grant)(void *self, struct vgpu_client *client, uint64_t quantum_ns); // from granted_at on; 0: no end
  void (*shorten)(void *self, struct vgpu_client *holder, uint64_t remaining_ns); // somebody waits now
  void (*recall)(void *self, struct vgpu_client *holder); // its turn is over
  void (*strip)(void *self, struct vgpu_client *holder);  // its turn is taken
  // Before a gang's turn while it is not up: makes it so. False: another one is; then it is barred. NULL: there are no gangs.
  bool (*claim)(void *self, struct vgpu_client *client, uint64_t now);
};

struct vgpu_schedule {
  struct vgpu_settings settings;
  const struct vgpu_actions *actions;
  void *self;
  struct vgpu_tenant *tenants;
  struct vgpu_client *clients;
  uint32_t capacity;  // milli that the holders of one turn may occupy together; 0: one holder at a time
  uint32_t whole;     // milli of the device that are held with the turn, whatever work occupies of them; 0: what it occupies
  struct vgpu_client *holder; // who leads the turn
  uint64_t granted_at;
  uint64_t deadline;  // of the holder's turn; VGPU_NEVER while nobody waits and no limit ends it
  bool recalled;
  uint64_t recalled_at;
  uint64_t busy_ns, idle_ns, accounted_at;
  double level, weights; // where the clocks of all that compete would stand if each had its share; their shares
  uint64_t handovers;
};

void vgpu_schedule_init(struct vgpu_schedule *s, struct vgpu_settings settings, const struct vgpu_actions *actions,
                        void *self, uint64_t now);
void vgpu_tenant_add(struct vgpu_schedule *s, struct vgpu_tenant *t, uint64_t now);
void vgpu_tenant_remove(struct vgpu_schedule *s, struct vgpu_tenant *t); // its clients are gone
void vgpu_client_add(struct vgpu_schedule *s, struct vgpu_client *c, struct vgpu_tenant *t, uint64_t now);
void vgpu_client_gone(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now);

// The client wants the accelerator.
void vgpu_client_request(struct vgpu_schedule *s, struct vgpu_client *c, uint64_t now);
// The client's work is finished and it gives its turn back; `again`: it wants another one.
void vgpu_client_release(struct vgpu_schedule *s, struct vgpu_client *c, bool again, uint64_t now);
// Takes the holder's turn. `works`: it is still busy on the device, and charged for that until it says otherwise.
void vgpu_holder_strip(struct vgpu_schedule *s, bool works, uint64_t now);
// Who has the turn next if the holder keeps it until its deadline: NULL: nobody, or the holder again.
struct vgpu_client *vgpu_schedule_heir(struct vgpu_schedule *s, uint64_t now);
// Something may be due. Call it at the time that vgpu_schedule_due returned, or at any other.
void vgpu_schedule_tick(struct vgpu_schedule *s, uint64_t now);
// When vgpu_schedule_tick must be called next; VGPU_NEVER: when something else happens.
uint64_t vgpu_schedule_due(struct vgpu_schedule *s, uint64_t now);
// Brings held_ns, wait_ns and the busy and idle totals up to date.
void vgpu_schedule_account(struct vgpu_schedule *s, uint64_t now);

#endif
