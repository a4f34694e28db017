// links: limiter/paging.c
// What a process knows of its memory, and what it moves. Commands from standard input, one a line:
//   add <address> <bytes> [own]     remove <address>      room <bytes>     keep <bytes>      disturb
//   saw <word>…                     record <word>…        graph            opaque
//   in                              out                   idle
// `in` begins a turn, `out` ends it, `idle` lets go without one; they print what they move, and all three print
// `set=… resident=… moved=…` after it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../limiter/paging.h"

static struct vgpu_account account;
static struct vgpu_member member = {.account = &account, .slot = &account.slot[0]};

static bool move(void *self, uint64_t address, uint64_t bytes, bool to_host) {
  printf("%s %llu %llu\n", to_host ? "host" : "device", (unsigned long long)address, (unsigned long long)bytes);
  return self == NULL;
}

static void tell(uint64_t moved) {
  printf("set=%llu resident=%llu moved=%llu over=%d\n", (unsigned long long)member.slot->working_set,
         (unsigned long long)member.slot->resident, (unsigned long long)moved, vgpu_paging_over(&member));
}

int main(void) {
  char line[1024];
  struct vgpu_slot *slot = member.slot;
  vgpu_paging_start(&member);
  slot->keep = slot->room = UINT64_MAX;
  while (fgets(line, sizeof line, stdin)) {
    char *rest, *command = strtok_r(line, " \n", &rest), *word;
    uint64_t n[32];
    size_t count = 0;
    bool own = false, surely;
    while (command && count < 32 && (word = strtok_r(NULL, " \n", &rest))) {
      if (strcmp(word, "own") == 0) own = true;
      else n[count++] = strtoull(word, NULL, 10);
    }
    if (!command) continue;
    if (strcmp(command, "add") == 0) vgpu_paging_add(&member, (struct vgpu_span){.address = n[0], .bytes = n[1], .own = own});
    else if (strcmp(command, "remove") == 0) vgpu_paging_remove(&member, n[0]);
    else if (strcmp(command, "room") == 0) slot->room = n[0];
    else if (strcmp(command, "keep") == 0) slot->keep = n[0];
    else if (strcmp(command, "disturb") == 0) slot->disturbed++;
    else if (strcmp(command, "saw") == 0) vgpu_paging_saw(&member, n, count, false);
    else if (strcmp(command, "record") == 0) vgpu_paging_saw(&member, n, count, true);
    else if (strcmp(command, "graph") == 0) vgpu_paging_saw_graph(&member);
    else if (strcmp(command, "opaque") == 0) vgpu_paging_opaque(&member);
    else if (strcmp(command, "in") == 0) tell(vgpu_paging_in(&member, move, NULL, &surely));
    else if (strcmp(command, "out") == 0) tell(vgpu_paging_out(&member, true, move, NULL));
    else if (strcmp(command, "idle") == 0) tell(vgpu_paging_out(&member, false, move, NULL));
    else return 2;
  }
  return 0;
}
