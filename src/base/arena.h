/* arena.h -- memory that is freed all at once.
 *
 * Each call, job and connection has one; domain code allocates and never frees. Memory comes
 * zeroed, and is never refused: when the machine has none left, an arena takes from the reserve it
 * was given, and says so (starved). Whoever runs the call then ends it with E_NO_MEMORY, gives back
 * what it took, and nobody else needs to look. Only without a reserve, or when that is used up too,
 * the program ends. Every size a user controls is capped before it reaches here. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;
struct reserve;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    size_t used;               /* bytes used in the newest chunk */
    size_t total;              /* bytes handed out since the last reset */
    struct reserve *reserve;   /* NULL: none, exhaustion ends the program */
    bool starved;              /* it had to take from the reserve since the last reset */
};

/* Largest single allocation; more is a bug (caps stand at every door). */
#define ARENA_MAX ((size_t)256 << 20)

/* Zeroed, aligned to 16 bytes; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_copy(struct arena *a, const void *from, size_t size);
/* Forgets everything but keeps one ordinary chunk for reuse, and the reserve. */
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

#define arena_new(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* --- for the day when malloc says no ---------------------------------------------------------- */

/* Address space asked for at the start and not touched until then, so it costs no memory.
 * Thread-safe. NULL when there is none even now. */
struct reserve *reserve_open(size_t bytes);
void reserve_close(struct reserve *r); /* NULL is allowed */
/* More than half of it is taken: begin nothing new. */
bool reserve_is_low(struct reserve *r);

#endif
