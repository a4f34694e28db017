// vgpu-arbiter: shares one accelerator out to slices. See ../README.md for how it is run.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server.h"

static int usage(void) {
  fputs("usage: vgpu-arbiter --dir DIR [--device UUID] [--nvml LIBRARY|none] [--quantum-ms N] [--hang-ms N]\n"
        "                    [--queue-ms N] [--ahead-ms N] [--idle-us N] [--gangs FILE]\n"
        "                    [--paging-percent N] [--paging-max-ms N] [--paging-latency-ms N] [--host-memory-mib N]\n",
        stderr);
  return 2;
}

static bool milliseconds(const char *text, uint64_t unit, uint64_t *out) {
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  if (errno || *end || end == text || n == 0 || n > 3600000) return false;
  *out = n * unit;
  return true;
}

int main(int argc, char **argv) {
  static struct server server;
  const char *dir = NULL, *device = "", *nvml = "libnvidia-ml.so.1";
  struct vgpu_settings settings = {
      .quantum_ns = 10000000, .min_turn_ns = 2000000, .lag_ns = 50000000, .hang_ns = 10000000000ull};
  server.queue_ns = 2000000;
  server.ahead_ns = 50000000;
  server.idle_ns = 200000;
  server.paging = (struct vgpu_paging_policy){.percent = 10, .max_ns = 2000000000, .latency_ns = 200000000};
  server.host_memory = overcommit_host_memory();
  uint64_t percent = 0;
  for (int i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    bool good = value != NULL;
    if (good && strcmp(argv[i], "--dir") == 0) dir = value;
    else if (good && strcmp(argv[i], "--gangs") == 0) server.gangs_path = value;
    else if (good && strcmp(argv[i], "--device") == 0) device = value;
    else if (good && strcmp(argv[i], "--nvml") == 0) nvml = value;
    else if (good && strcmp(argv[i], "--quantum-ms") == 0) good = milliseconds(value, 1000000, &settings.quantum_ns);
    else if (good && strcmp(argv[i], "--hang-ms") == 0) good = milliseconds(value, 1000000, &settings.hang_ns);
    else if (good && strcmp(argv[i], "--queue-ms") == 0) good = milliseconds(value, 1000000, &server.queue_ns);
    else if (good && strcmp(argv[i], "--ahead-ms") == 0) good = milliseconds(value, 1000000, &server.ahead_ns);
    else if (good && strcmp(argv[i], "--idle-us") == 0) good = milliseconds(value, 1000, &server.idle_ns);
    else if (good && strcmp(argv[i], "--paging-percent") == 0) good = milliseconds(value, 1, &percent) && percent <= 100;
    else if (good && strcmp(argv[i], "--paging-max-ms") == 0) good = milliseconds(value, 1000000, &server.paging.max_ns);
    else if (good && strcmp(argv[i], "--paging-latency-ms") == 0)
      good = milliseconds(value, 1000000, &server.paging.latency_ns);
    else if (good && strcmp(argv[i], "--host-memory-mib") == 0) good = milliseconds(value, 1 << 20, &server.host_memory);
    else good = false;
    if (!good) return usage();
    if (percent) server.paging.percent = (uint32_t)percent;
  }
  if (!dir) return usage();
  if (strlen(dir) > 90) {
    fprintf(stderr, "vgpu-arbiter: --dir is longer than 90 bytes: %s\n", dir);
    return 2;
  }
  if (settings.min_turn_ns > settings.quantum_ns) settings.min_turn_ns = settings.quantum_ns;
  signal(SIGPIPE, SIG_IGN);
  setpriority(PRIO_PROCESS, 0, -10); // everybody waits for it; where that is not allowed it does without
  if (measure_open(nvml, device)) server.device_memory = measure_device_memory();
  if (!server_open(&server, dir, device, settings)) {
    bool taken = errno == EWOULDBLOCK;
    fprintf(stderr, "vgpu-arbiter: %s: %s\n", dir, taken ? "another arbiter serves it" : strerror(errno));
    return taken ? 3 : 1;
  }
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) { /* nobody listens: no reason to stop */ }
  int status = server_run(&server);
  server_close(&server);
  return status;
}
