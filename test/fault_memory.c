/* fault_memory.c -- the test program's malloc, which can say no. Behind it stands libc's, or the sanitizer's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fault_inside.h"

#include <errno.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#endif

#ifdef UNDER_TSAN

const bool fault_memory_possible = false;

int64_t fault_live(void)
{
    return 0;
}

#else

const bool fault_memory_possible = true;

#ifdef UNDER_ASAN
#define REAL(name) __interceptor_##name
#define PLAIN      __attribute__((no_sanitize("address", "undefined")))
#else
#define REAL(name) __libc_##name
#define PLAIN
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t n);
void *REAL(memalign)(size_t align, size_t n);
void REAL(free)(void *p);

static int64_t live; /* atomic */

int64_t fault_live(void)
{
    return __atomic_load_n(&live, __ATOMIC_RELAXED);
}

PLAIN static void *count(void *p)
{
    if (p != NULL)
        __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
    return p;
}

PLAIN static bool refused(void)
{
    if (!fault_now(FAULT_MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

/* The control: what its caller frees is another block than the one that was counted and lost. */
PLAIN static void leak_perhaps(void)
{
    if (fault_now(FAULT_LEAK)) {
        char *volatile lost = count(REAL(malloc)(40));
        lost = NULL;
        (void)lost;
    }
}

PLAIN void *malloc(size_t n)
{
    leak_perhaps();
    return refused() ? NULL : count(REAL(malloc)(n));
}

PLAIN void *calloc(size_t n, size_t size)
{
    return refused() ? NULL : count(REAL(calloc)(n, size));
}

PLAIN void *realloc(void *p, size_t n)
{
    if (n > 0 && refused())
        return NULL;
    void *more = REAL(realloc)(p, n);
    if (p == NULL)
        count(more);
    else if (n == 0)
        __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
    return more;
}

PLAIN void *memalign(size_t align, size_t n)
{
    return refused() ? NULL : count(REAL(memalign)(align, n));
}

PLAIN void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

PLAIN int posix_memalign(void **result, size_t align, size_t n)
{
    void *p = memalign(align, n);

    if (p != NULL)
        *result = p;
    return p == NULL ? ENOMEM : 0;
}

#ifdef UNDER_ASAN
/* It looks for its stack with this when a thread begins, and does not bear a refusal. */
PLAIN int pthread_getattr_np(pthread_t thread, pthread_attr_t *result)
{
    bool was = fault_spare(true);
    int (*real)(pthread_t, pthread_attr_t *) =
        (int (*)(pthread_t, pthread_attr_t *))dlsym(RTLD_NEXT, "pthread_getattr_np");
    int code = real(thread, result);

    fault_spare(was);
    return code;
}
#endif

PLAIN void free(void *p)
{
    if (p != NULL)
        __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
    REAL(free)(p);
}

#endif
