/* fuzz.c -- what all fuzz targets share, and the door that libFuzzer comes in by. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fuzz.h"
#include "base/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern struct fuzz_target *__start_fuzz_targets[], *__stop_fuzz_targets[];
extern struct fuzz_claim *__start_fuzz_claims[], *__stop_fuzz_claims[];

/* Targets carry no context, for they are written for many. */
static uint64_t taken;
static const struct fuzz_claim *broken;

size_t fuzz_targets(struct fuzz_target ***list)
{
    *list = __start_fuzz_targets;
    return (size_t)(__stop_fuzz_targets - __start_fuzz_targets);
}

size_t fuzz_claims(struct fuzz_claim ***list)
{
    *list = __start_fuzz_claims;
    return (size_t)(__stop_fuzz_claims - __start_fuzz_claims);
}

void fuzz_holds(struct fuzz_claim *claim, bool good)
{
    claim->asked++;
    if (good == (claim == broken))
        must_failed(claim->what, claim->file, claim->line);
}

void fuzz_break(const struct fuzz_claim *claim)
{
    broken = claim;
}

/* The control of the whole machinery (tools/fuzz --control): a claim that is false, and that only a search which learns
 * from what it sees can refute in a moment. */
void fuzz_taken(void)
{
    taken++;
    if (getenv("STAGEDOOR_FUZZ_NOTHING_IS_TAKEN") != NULL)
        must_failed("nothing is ever taken", __FILE__, __LINE__);
}

uint64_t fuzz_taken_so_far(void)
{
    return taken;
}

void fuzz_run(const struct fuzz_target *t, const void *p, size_t n)
{
    static bool begun;
    static struct arena a;

    if (!begun)
        must(crypto_init());
    begun = true;
    /* Not from the arena, which would put a NUL or padding behind it. */
    char *exact = malloc(n > 0 ? n : 1);
    must(exact != NULL);
    if (n > 0)
        memcpy(exact, p, n);
    t->run((struct str) { exact, n }, &a);
    free(exact);
    arena_reset(&a);
}

/* --- pieces of an input --------------------------------------------------------------------------------------------- */

struct str fuzz_exact(struct arena *a, struct str s)
{
    return s.p == NULL ? s : (struct str) { arena_copy(a, s.p, s.n), s.n };
}

struct str fuzz_line(struct str *rest, struct arena *a)
{
    struct str line;

    *rest = str_split(*rest, '\n', &line);
    return line.p == NULL ? STR("") : fuzz_exact(a, line);
}

int64_t fuzz_number(struct str *rest, int64_t min, int64_t max)
{
    struct str line;
    uint64_t n = 0, room = (uint64_t)max - (uint64_t)min;

    *rest = str_split(*rest, '\n', &line);
    bool minus = line.n > 0 && line.p[0] == '-';
    for (size_t i = minus; i < line.n; i++)
        n = n * 10 + (uint64_t)(line.p[i] - '0');
    n = (minus ? (uint64_t)0 - n : n) - (uint64_t)min;
    if (room != UINT64_MAX)
        n %= room + 1;
    return (int64_t)((uint64_t)min + n);
}

struct str fuzz_flipped(struct arena *a, struct str s, uint64_t pick)
{
    char *p = arena_copy(a, s.p, s.n);

    must(s.n > 0);
    p[pick % s.n] = (char)(p[pick % s.n] ^ (int)(1 + pick / s.n % 255));
    return (struct str) { p, s.n };
}

/* --- libFuzzer ------------------------------------------------------------------------------------------------------ */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct fuzz_target **list;

    (void)argc, (void)argv;
    must(fuzz_targets(&list) == 1); /* each program of MODE=fuzz has one */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct fuzz_target **list;

    fuzz_targets(&list);
    fuzz_run(list[0], p, n);
    return 0;
}
