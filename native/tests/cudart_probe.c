// What the CUDA runtime, NVIDIA's own library, makes of the driver that it finds: cudart_probe <libcudart.so>.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library) {
    fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "which library?");
    return 77;
  }
  int count = -1, driver = 0, runtime = 0;
  int r = ((int (*)(int *))dlsym(library, "cudaGetDeviceCount"))(&count);
  ((int (*)(int *))dlsym(library, "cudaDriverGetVersion"))(&driver);
  ((int (*)(int *))dlsym(library, "cudaRuntimeGetVersion"))(&runtime);
  printf("count=%d error=%d driver=%d runtime=%d\n", count, r, driver, runtime);
  return 0;
}
