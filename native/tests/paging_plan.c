// links: arbiter/paging.c
// What over-commitment makes of a situation.
//   paging_plan cost <sum> <working set> <capacity> <bytes a second>
//   paging_plan quantum <percent> <max ms> <latency ms> <cost ns> <ahead>
//   paging_plan keep <capacity> <process>…   process = working_set:resident:role, role h(olds), n(ext), w(aits), i(dle)
// Prints one number a line; `keep` one for each process, -1: all of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../arbiter/paging.h"

#define MAX 64
#define NUMBER(i) strtoull(argv[i], NULL, 10)

int main(int argc, char **argv) {
  if (argc == 6 && strcmp(argv[1], "cost") == 0) {
    printf("%llu\n", (unsigned long long)vgpu_paging_cost(NUMBER(2), NUMBER(3), NUMBER(4), NUMBER(5)));
    return 0;
  }
  if (argc == 7 && strcmp(argv[1], "quantum") == 0) {
    struct vgpu_paging_policy policy = {(uint32_t)NUMBER(2), NUMBER(3) * 1000000, NUMBER(4) * 1000000};
    printf("%llu\n", (unsigned long long)vgpu_paging_quantum(&policy, NUMBER(5), (uint32_t)NUMBER(6)));
    return 0;
  }
  if (argc < 3 || argc - 3 > MAX || strcmp(argv[1], "keep") != 0) return 2;
  struct vgpu_paging_demand demand[MAX] = {{0}};
  size_t n = (size_t)(argc - 3);
  for (size_t i = 0; i < n; i++) {
    unsigned long long set, resident;
    char role;
    if (sscanf(argv[i + 3], "%llu:%llu:%c", &set, &resident, &role) != 3) return 2;
    demand[i] = (struct vgpu_paging_demand){
        .working_set = set, .resident = resident, .holds = role == 'h', .heir = role == 'n', .waits = role == 'n' || role == 'w'};
  }
  vgpu_paging_plan(demand, n, NUMBER(2));
  for (size_t i = 0; i < n; i++) printf("%lld\n", demand[i].keep == VGPU_KEEP_ALL ? -1 : (long long)demand[i].keep);
  return 0;
}
