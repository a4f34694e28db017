#include "slice_config.h"

#include <stdio.h>
#include <string.h>

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Decodes %XX; false for a bad escape, a control character or one too many.
static bool decode(const char *from, size_t length, char *to, size_t size) {
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    int c = (unsigned char)from[i];
    if (c == '%') {
      if (length - i < 3) return false;
      int high = hex(from[i + 1]), low = hex(from[i + 2]);
      if (high < 0 || low < 0) return false;
      c = high * 16 + low;
      i += 2;
    }
    if (c < 32 || c == 127 || n + 1 >= size) return false;
    to[n++] = (char)c;
  }
  to[n] = 0;
  return true;
}

static bool number(const char *text, size_t length, uint64_t most, uint64_t *out) {
  if (length == 0 || length > 20) return false;
  uint64_t n = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    uint64_t digit = (uint64_t)(text[i] - '0');
    if (n > (UINT64_MAX - digit) / 10) return false;
    n = n * 10 + digit;
  }
  if (n > most) return false;
  *out = n;
  return true;
}

static bool is(const char *text, size_t length, const char *word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool valid_id(const char *id) {
  size_t n = strlen(id);
  if (n == 0 || n > 40 || id[0] == '.') return false;
  for (const char *p = id; *p; p++)
    if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '.' || *p == '_' ||
          *p == '-'))
      return false;
  return true;
}

static enum vgpu_config_result set(struct vgpu_slice_config *c, const char *key, size_t k, const char *value, size_t v) {
  uint64_t n = 0;
  bool good = true;
  if (is(key, k, "id")) good = decode(value, v, c->id, sizeof c->id) && valid_id(c->id);
  else if (is(key, k, "device")) good = decode(value, v, c->device, sizeof c->device);
  else if (is(key, k, "mps")) good = decode(value, v, c->mps, sizeof c->mps) && (!c->mps[0] || c->mps[0] == '/');
  else if (is(key, k, "cgroup")) good = decode(value, v, c->cgroup, sizeof c->cgroup) && (!c->cgroup[0] || c->cgroup[0] == '/');
  else if (is(key, k, "gang")) good = decode(value, v, c->gang, sizeof c->gang) && (!c->gang[0] || valid_id(c->gang));
  else if (is(key, k, "memory")) good = number(value, v, UINT64_MAX / 2, &c->memory);
  else if (is(key, k, "scaling")) {
    if ((good = number(value, v, 100000, &n) && n >= 1000)) c->scaling = (uint32_t)n, c->overcommit |= n > 1000;
  } else if (is(key, k, "share")) {
    if ((good = number(value, v, 1000, &n))) c->share = (uint32_t)n;
  } else if (is(key, k, "limit")) {
    if ((good = number(value, v, 1000, &n) && n > 0)) c->limit = (uint32_t)n, c->has_limit = true;
  } else if (is(key, k, "overcommit")) {
    if ((good = number(value, v, 1, &n))) c->overcommit = n != 0;
  } else if (is(key, k, "spatial")) {
    if ((good = number(value, v, 1, &n))) c->spatial = n != 0;
  } else if (is(key, k, "qos")) {
    if (is(value, v, "guaranteed")) c->qos = VGPU_QOS_GUARANTEED;
    else if (is(value, v, "burstable")) c->qos = VGPU_QOS_BURSTABLE;
    else if (is(value, v, "best-effort")) c->qos = VGPU_QOS_BEST_EFFORT;
    else good = false;
  } else if (is(key, k, "latency")) {
    if (is(value, v, "critical")) c->critical = true;
    else if (is(value, v, "normal")) c->critical = false;
    else good = false;
  } else if (!is(key, k, "version")) {
    return VGPU_CONFIG_KEY;
  }
  return good ? VGPU_CONFIG_OK : VGPU_CONFIG_VALUE;
}

enum vgpu_config_result vgpu_slice_config_apply(struct vgpu_slice_config *out, const char *text, size_t length, char *bad) {
  size_t i = 0;
  while (i < length) {
    while (i < length && blank(text[i])) i++;
    size_t start = i;
    while (i < length && !blank(text[i])) i++;
    if (i == start) break;
    const char *equals = memchr(text + start, '=', i - start);
    enum vgpu_config_result r = VGPU_CONFIG_SYNTAX;
    if (equals && equals != text + start)
      r = set(out, text + start, (size_t)(equals - text) - start, equals + 1, i - (size_t)(equals - text) - 1);
    if (r != VGPU_CONFIG_OK) {
      size_t n = i - start < 60 ? i - start : 60;
      for (size_t k = 0; k < n; k++) bad[k] = text[start + k] > 32 && text[start + k] < 127 ? text[start + k] : '?';
      bad[n] = 0;
      return r;
    }
  }
  return VGPU_CONFIG_OK;
}

enum vgpu_config_result vgpu_slice_config_finish(struct vgpu_slice_config *c, char *bad) {
  strcpy(bad, "id");
  if (!c->id[0]) return VGPU_CONFIG_MISSING;
  strcpy(bad, "share");
  if (c->qos == VGPU_QOS_BEST_EFFORT) c->share = 0;
  else if (c->share == 0) return VGPU_CONFIG_MISSING;
  if (!c->has_limit) c->limit = c->qos == VGPU_QOS_GUARANTEED ? c->share : 1000;
  strcpy(bad, "limit");
  if (c->limit < c->share) return VGPU_CONFIG_VALUE;
  return VGPU_CONFIG_OK;
}

static void encode(const char *from, char *to) {
  for (; *from; from++) {
    if (*from > 32 && *from < 127 && *from != '%') *to++ = *from;
    else to += sprintf(to, "%%%02X", (unsigned char)*from);
  }
  *to = 0;
}

size_t vgpu_slice_config_print(const struct vgpu_slice_config *c, char *out, size_t size) {
  char device[VGPU_DEVICE_MAX * 3 + 1], mps[VGPU_MPS_MAX * 3 + 1];
  encode(c->device, device);
  encode(c->mps, mps);
  int length = snprintf(out, size,
                        "version=1\nid=%s\ndevice=%s\nmemory=%llu\nshare=%u\nlimit=%u\nqos=%s\nlatency=%s\novercommit=%d\n",
                        c->id, device, (unsigned long long)c->memory, c->share, c->limit, vgpu_qos_name(c->qos),
                        c->critical ? "critical" : "normal", c->overcommit);
  if (length > 0 && c->mps[0] && (size_t)length < size)
    length += snprintf(out + length, size - (size_t)length, "mps=%s\nspatial=%d\n", mps, c->spatial);
  // Only where it is said: an older library refuses settings that it does not know.
  if (c->gang[0] && length > 0 && (size_t)length < size)
    length += snprintf(out + length, size - (size_t)length, "gang=%s\n", c->gang);
  if (c->scaling && length > 0 && (size_t)length < size)
    length += snprintf(out + length, size - (size_t)length, "scaling=%u\n", c->scaling);
  return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

const char *vgpu_qos_name(enum vgpu_qos qos) {
  switch (qos) {
    case VGPU_QOS_GUARANTEED: return "guaranteed";
    case VGPU_QOS_BURSTABLE: return "burstable";
    case VGPU_QOS_BEST_EFFORT: return "best-effort";
  }
  return "?";
}

const char *vgpu_config_message(enum vgpu_config_result result) {
  switch (result) {
    case VGPU_CONFIG_OK: return "ok";
    case VGPU_CONFIG_SYNTAX: return "not of the form key=value";
    case VGPU_CONFIG_KEY: return "unknown key";
    case VGPU_CONFIG_VALUE: return "value out of range";
    case VGPU_CONFIG_MISSING: return "missing";
  }
  return "?";
}
