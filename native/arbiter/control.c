#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

static bool answer(struct control *c, const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (n < 0 || (size_t)n >= sizeof line) n = (int)sizeof line - 1;
  return send(c->source.fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n;
}

static bool fail(struct control *c, const char *code, const char *message, const char *detail) {
  return answer(c, "error code=%s message=%s%s%s\n", code, message, detail[0] ? ": " : "", detail);
}

static bool list(struct server *s, struct control *c) {
  int n = 0;
  for (struct slice *x = s->slices; x; x = x->next) n += !x->removed;
  bool good = answer(c, "ok n=%d\n", n);
  for (struct slice *x = s->slices; x && good; x = x->next) {
    if (x->removed) continue;
    report_row(s, x);
    good = answer(c, "id=%s processes=%u memory_used=%llu device_ns=%llu\n", x->config.id, x->processes,
                  (unsigned long long)x->row->memory_used, (unsigned long long)x->tenant.used_ns);
  }
  return good;
}

static const char *explain(const char *code) {
  if (strcmp(code, "exists") == 0) return "a slice of this id exists";
  if (strcmp(code, "uncapped") == 0) return "an over-committed slice needs a bound on its memory";
  if (strcmp(code, "overcommitted") == 0) return "with it the slices would have more memory than the device hands out";
  if (strcmp(code, "host_memory") == 0) return "the host has too little memory for what does not fit on the device";
  if (strcmp(code, "gangs") == 0) return "a gang needs an arbiter that was started with --gangs, and room on its board";
  if (strcmp(code, "full") == 0) return "no room for another slice";
  if (strcmp(code, "io") == 0) return "its folder or socket could not be made";
  if (strcmp(code, "mixed") == 0) return "slices under MPS and slices without it cannot share an accelerator";
  return code;
}

static bool execute(struct server *s, struct control *c, char *line) {
  char *rest = strchr(line, ' ');
  if (rest) *rest++ = 0;
  else rest = line + strlen(line);
  if (strcmp(line, "ping") == 0) return answer(c, "ok version=1\n");
  if (strcmp(line, "list") == 0) return list(s, c);
  bool add = strcmp(line, "add") == 0, change = strcmp(line, "set") == 0;
  if (!add && !change && strcmp(line, "remove") != 0) return fail(c, "bad_request", "unknown request", "");
  char bad[64];
  struct vgpu_slice_config config = {.qos = VGPU_QOS_BURSTABLE};
  enum vgpu_config_result r = vgpu_slice_config_apply(&config, rest, strlen(rest), bad);
  if (r) return fail(c, "bad_request", vgpu_config_message(r), bad);
  if (add) {
    if ((r = vgpu_slice_config_finish(&config, bad))) return fail(c, "bad_request", vgpu_config_message(r), bad);
    const char *code = overcommit_admits(s, NULL, &config);
    if (!code) code = slice_add(s, &config);
    if (code) return fail(c, code, explain(code), config.id);
    return answer(c, "ok dir=%s/slices/%s\n", s->dir, config.id);
  }
  if (!config.id[0]) return fail(c, "bad_request", "missing", "id");
  struct slice *slice = slice_find(s, config.id);
  if (!slice) return fail(c, "not_found", "no slice of this id", config.id);
  if (change) {
    struct vgpu_slice_config changed = slice->config;
    if ((r = vgpu_slice_config_apply(&changed, rest, strlen(rest), bad)) || (r = vgpu_slice_config_finish(&changed, bad)))
      return fail(c, "bad_request", vgpu_config_message(r), bad);
    const char *code = overcommit_admits(s, slice, &changed);
    if (!code) code = slice_change(s, slice, &changed);
    if (code) return fail(c, code, explain(code), config.id);
  } else {
    slice_remove(s, slice);
  }
  return answer(c, "ok\n");
}

void control_accept(struct server *s) {
  int fd = accept4(s->control_source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct control *c = calloc(1, sizeof *c);
  if (c) c->source = (struct source){SOURCE_CONTROL, fd};
  if (!c || !server_watch(s, &c->source)) {
    free(c);
    close(fd);
  }
}

void control_read(struct server *s, struct control *c) {
  ssize_t n = recv(c->source.fd, c->line + c->length, sizeof c->line - 1 - c->length, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  bool good = n > 0;
  if (good) {
    c->length += (size_t)n;
    c->line[c->length] = 0;
    char *end;
    while (good && (end = memchr(c->line, '\n', c->length))) {
      *end = 0;
      good = execute(s, c, c->line);
      size_t used = (size_t)(end - c->line) + 1;
      memmove(c->line, c->line + used, c->length - used);
      c->length -= used;
    }
    if (c->length == sizeof c->line - 1) good = false; // no line is this long
  }
  if (good) return;
  close(c->source.fd);
  free(c);
}
