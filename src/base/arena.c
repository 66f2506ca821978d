/* arena.c -- a list of chunks; each new one at least as large as asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

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
}

void *arena_alloc(struct arena *a, size_t size)
{
    must(size <= ARENA_MAX);
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (a->chunk == NULL || a->chunk->size - a->used < size)
        chunk_add(a, size);
    void *p = a->chunk->bytes + a->used;
    a->used += size;
    a->total += size;
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
    if (keep != NULL)
        keep->next = NULL;
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
