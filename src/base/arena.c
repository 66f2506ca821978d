/* arena.c -- a list of chunks; each new one at least as large as asked.
 *
 * Under the address sanitizer what was not handed out is poisoned, with a strip behind each block: to read a byte too far
 * is found here as it would be behind malloc. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/check.h"

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
    _Alignas(ALIGN) char bytes[];
};

static void chunk_add(struct arena *a, size_t size)
{
    size_t want = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct arena_chunk *k = malloc(sizeof(*k) + want);

    must(k != NULL);
    k->size = want;
    k->next = a->chunk;
    a->chunk = k;
    a->used = 0;
    CLOSE(k->bytes, want);
}

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
        if (keep == NULL && a->chunk->size == CHUNK_BYTES)
            keep = a->chunk;
        else
            free(a->chunk);
        a->chunk = next;
    }
    if (keep != NULL) {
        keep->next = NULL;
        CLOSE(keep->bytes, keep->size);
    }
    a->chunk = keep;
    a->used = 0;
    a->total = 0;
}

void arena_done(struct arena *a)
{
    arena_reset(a);
    free(a->chunk);
    *a = (struct arena) { 0 };
}
