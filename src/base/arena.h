/* arena.h -- memory that is freed all at once.
 *
 * Each call, job and connection has one; domain code allocates and never frees. Memory comes
 * zeroed. Exhaustion of the machine aborts; every size a user controls is capped before it reaches
 * here. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    size_t used;               /* bytes used in the newest chunk */
    size_t total;              /* bytes handed out since the last reset */
};

/* Largest single allocation; more is a bug (caps stand at every door). */
#define ARENA_MAX ((size_t)256 << 20)

/* Zeroed, aligned to 16 bytes; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_copy(struct arena *a, const void *from, size_t size);
/* Forgets everything but keeps one ordinary chunk for reuse. */
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

#define arena_new(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

#endif
