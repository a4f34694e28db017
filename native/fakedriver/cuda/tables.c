// The tables behind cuGetExportTable, as far as the CUDA runtime needs them to start and to register code. Nothing
// about them is documented by NVIDIA; ids, sizes and meanings are those that the ZLUDA project found out and published
// (github.com/vosen/ZLUDA, dark_api), and what libcudart 12.9 and 13.5 were seen to ask for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static int unknown(void) {
  if (getenv("VGPU_FAKE_TRACE")) fprintf(stderr, "fake driver: an unknown function of a table\n");
  return NOT_SUPPORTED;
}
#define U ((void *)unknown)

int cuModuleLoadData(void **module, const void *image);
int cuModuleLoadFatBinary(void **module, const void *image);

// Code that was registered: the wrapper around a fat binary.
static int module_of(void **module, const void *wrapper) { return cuModuleLoadFatBinary(module, wrapper); }
static int module_of_1(void **module, const void *wrapper, void *a, void *b, unsigned c) {
  return cuModuleLoadFatBinary(module, wrapper);
}
static int module_of_2(const void *binary, void **module, void *a, void *b, unsigned c) {
  return cuModuleLoadData(module, binary);
}
static int primary_of(struct context **out, int device) { return fake_primary(out, device); }
static int nothing(void) { return OK; }

static void *const runtime[13] = {(void *)sizeof runtime, (void *)module_of, (void *)primary_of, U, U, U, (void *)module_of_1,
                                  (void *)nothing, (void *)module_of_2, U, U, U, (void *)nothing};

// Room that tools write into.
static void room1(void **p, size_t *n) {
  static unsigned room[1024];
  *p = room, *n = 1024;
}
static void room2(void **p, size_t *n) {
  static unsigned room[14];
  *p = room, *n = 14;
}
static void *const tools[7] = {(void *)sizeof tools, U, (void *)room1, U, U, U, (void *)room2};
static void *const tools_local[4] = {(void *)sizeof tools_local, U, U, U};

// Values by context and key.
struct kept {
  void *context, *key, *value;
  struct kept *next;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kept *all;

static struct kept **find(void *context, void *key) {
  if (!context) context = fake_current();
  struct kept **k = &all;
  while (*k && ((*k)->context != context || (*k)->key != key)) k = &(*k)->next;
  return k;
}
static int put(void *context, void *key, void *value, void *destructor) {
  pthread_mutex_lock(&mutex);
  struct kept **k = find(context, key);
  if (!*k) *k = calloc(1, sizeof **k);
  (*k)->context = context ? context : fake_current();
  (*k)->key = key;
  (*k)->value = value;
  pthread_mutex_unlock(&mutex);
  return OK;
}
static int forget(void *context, void *key) {
  pthread_mutex_lock(&mutex);
  struct kept **k = find(context, key), *gone = *k;
  if (gone) *k = gone->next;
  pthread_mutex_unlock(&mutex);
  free(gone);
  return OK;
}
static int get(void **value, void *context, void *key) {
  pthread_mutex_lock(&mutex);
  struct kept *k = *find(context, key);
  if (k) *value = k->value;
  pthread_mutex_unlock(&mutex);
  return k ? OK : INVALID_HANDLE;
}
static void *const local_storage[4] = {(void *)put, (void *)forget, (void *)get, NULL};

static int check(void *context, unsigned *a, const void **b) { return *a = 0, OK; }
static void *const checks[4] = {(void *)sizeof checks, U, (void *)check, (void *)nothing};

int cuCtxCreate_v2(struct context **out, unsigned flags, int device);
static void *const creation[2] = {(void *)sizeof creation, (void *)cuCtxCreate_v2};

// The runtime asks the driver to prove that it is NVIDIA's (cudaErrorSoftwareValidityNotEstablished). This one is not,
// and does not pretend to be: libcudart 11.2 and later look everything up, then refuse to go on with it.
static void *const validity[3] = {(void *)sizeof validity, U, U};
static void *const unnamed[16] = {(void *)sizeof unnamed, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U};

static const struct {
  unsigned char id[16];
  const void *table;
} tables[] = {
    {{0x6b, 0xd5, 0xfb, 0x6c, 0x5b, 0xf4, 0xe7, 0x4a, 0x89, 0x87, 0xd9, 0x39, 0x12, 0xfd, 0x9d, 0xf9}, runtime},
    {{0xa0, 0x94, 0x79, 0x8c, 0x2e, 0x74, 0x2e, 0x74, 0x93, 0xf2, 0x08, 0x00, 0x20, 0x0c, 0x0a, 0x66}, tools},
    {{0x42, 0xd8, 0x5a, 0x81, 0x23, 0xf6, 0xcb, 0x47, 0x82, 0x98, 0xf6, 0xe7, 0x8a, 0x3a, 0xec, 0xdc}, tools_local},
    {{0xc6, 0x93, 0x33, 0x6e, 0x11, 0x21, 0xdf, 0x11, 0xa8, 0xc3, 0x68, 0xf3, 0x55, 0xd8, 0x95, 0x93}, local_storage},
    {{0x26, 0x3e, 0x88, 0x60, 0x7c, 0xd2, 0x61, 0x43, 0x92, 0xf6, 0xbb, 0xd5, 0x00, 0x6d, 0xfa, 0x7e}, checks},
    {{0x0c, 0xa5, 0x0b, 0x8c, 0x10, 0x04, 0x92, 0x9a, 0x89, 0xa7, 0xd0, 0xdf, 0x10, 0xe7, 0x72, 0x86}, creation},
    {{0xd4, 0x08, 0x20, 0x55, 0xbd, 0xe6, 0x70, 0x4b, 0x8d, 0x34, 0xba, 0x12, 0x3c, 0x66, 0xe1, 0xf2}, validity},
    {{0x21, 0x31, 0x8c, 0x60, 0x97, 0x14, 0x32, 0x48, 0x8c, 0xa6, 0x41, 0xff, 0x73, 0x24, 0xc8, 0xf2}, unnamed},
};

API cuGetExportTable(const void **table, const unsigned char *id) {
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (memcmp(tables[i].id, id, 16) == 0) return *table = tables[i].table, OK;
  if (getenv("VGPU_FAKE_TRACE")) fprintf(stderr, "fake driver: no table %02x%02x%02x%02x…\n", id[0], id[1], id[2], id[3]);
  return *table = NULL, INVALID_VALUE;
}
