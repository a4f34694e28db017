// Included before everything else in what is preloaded (see the Makefile): binds functions that moved into libc.so.6
// in glibc 2.34 to their older versions, so that a build on a new system runs from glibc 2.28 on.
#ifndef VGPU_OLD_GLIBC_H
#define VGPU_OLD_GLIBC_H

#if defined(__x86_64__)
#define VGPU_OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5");
#elif defined(__aarch64__)
#define VGPU_OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.17");
#endif
VGPU_OLD(dlopen) VGPU_OLD(dlclose) VGPU_OLD(dladdr) VGPU_OLD(dlvsym)
VGPU_OLD(pthread_create) VGPU_OLD(pthread_once) VGPU_OLD(pthread_sigmask)
VGPU_OLD(pthread_attr_setstacksize) VGPU_OLD(pthread_key_create) VGPU_OLD(pthread_setspecific)
#if defined(__x86_64__)
__asm__(".symver pthread_condattr_setclock,pthread_condattr_setclock@GLIBC_2.3.3");
#else
VGPU_OLD(pthread_condattr_setclock)
#endif
#undef VGPU_OLD

#endif
