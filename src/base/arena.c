/* arena.c -- a list of chunks; each new one at least as large as asked.
 *
 * Under the address sanitizer what was not handed out is poisoned, with a strip behind each block: to read a byte too far
 * is found here as it would be behind malloc.
 *
 * The reserve is one piece that is handed out from one end to the other, and begins anew when all of it has come back: those
 * who take from it are about to end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>
enum { STRIP = 16 };
#define CLOSE(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define OPEN(p, n)  ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
enum { STRIP = 0 };
#define CLOSE(p, n) ((void)(p))
#define OPEN(p, n)  ((void)(p))
#endif

enum { CHUNK_BYTES = 16384, ALIGN = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    bool reserved; /* belongs to the reserve */
    _Alignas(ALIGN) char bytes[];
};

struct reserve {
    pthread_mutex_t lock;
    size_t size, used;
    size_t out; /* chunks */
    _Alignas(ALIGN) char bytes[];
};

/* --- the reserve ------------------------------------------------------------------------------------------------ */

struct reserve *reserve_open(size_t bytes)
{
    struct reserve *r = calloc(1, sizeof(*r) + bytes);

    if (r == NULL)
        return NULL;
    r->size = bytes;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void reserve_close(struct reserve *r)
{
    if (r == NULL)
        return;
    must(r->out == 0);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

bool reserve_is_low(struct reserve *r)
{
    pthread_mutex_lock(&r->lock);
    bool low = r->used > r->size / 2;
    pthread_mutex_unlock(&r->lock);
    return low;
}

static struct arena_chunk *reserve_take(struct reserve *r, size_t bytes)
{
    struct arena_chunk *k = NULL;

    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    pthread_mutex_lock(&r->lock);
    if (r->size - r->used >= bytes) {
        k = (struct arena_chunk *)(void *)(r->bytes + r->used);
        r->used += bytes;
        r->out++;
    }
    pthread_mutex_unlock(&r->lock);
    if (k != NULL)
        k->reserved = true;
    return k;
}

static void reserve_give_back(struct reserve *r)
{
    pthread_mutex_lock(&r->lock);
    must(r->out > 0);
    if (--r->out == 0)
        r->used = 0;
    pthread_mutex_unlock(&r->lock);
}

/* --- chunks ----------------------------------------------------------------------------------------------------- */

static void chunk_add(struct arena *a, size_t size)
{
    size_t want = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct arena_chunk *k = malloc(sizeof(*k) + want);

    if (k != NULL)
        k->reserved = false;
    else if (a->reserve != NULL)
        k = reserve_take(a->reserve, sizeof(*k) + want);
    must(k != NULL); /* no memory, and no reserve left */
    a->starved |= k->reserved;
    k->size = want;
    k->next = a->chunk;
    a->chunk = k;
    a->used = 0;
    CLOSE(k->bytes, want);
}

static void chunk_drop(struct arena *a, struct arena_chunk *k)
{
    OPEN(k->bytes, k->size);
    if (k->reserved)
        reserve_give_back(a->reserve);
    else
        free(k);
}

/* --- arenas ----------------------------------------------------------------------------------------------------- */

void *arena_alloc(struct arena *a, size_t size)
{
    must(size <= ARENA_MAX);
    size_t room = ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + STRIP;
    if (a->chunk == NULL || a->chunk->size - a->used < room)
        chunk_add(a, room);
    void *p = a->chunk->bytes + a->used;
    a->used += room;
    a->total += room;
    OPEN(p, size);
    return memset(p, 0, size);
}

void *arena_copy(struct arena *a, const void *from, size_t size)
{
    void *p = arena_alloc(a, size ? size : 1);

    if (size > 0)
        memcpy(p, from, size);
    return p;
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = NULL;

    while (a->chunk != NULL) {
        struct arena_chunk *next = a->chunk->next;
        if (keep == NULL && a->chunk->size == CHUNK_BYTES && !a->chunk->reserved)
            keep = a->chunk;
        else
            chunk_drop(a, a->chunk);
        a->chunk = next;
    }
    if (keep != NULL) {
        keep->next = NULL;
        CLOSE(keep->bytes, keep->size);
    }
    *a = (struct arena) { .chunk = keep, .reserve = a->reserve };
}

void arena_done(struct arena *a)
{
    arena_reset(a);
    free(a->chunk);
    *a = (struct arena) { 0 };
}
