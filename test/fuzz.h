/* fuzz.h -- fuzz targets: x_fuzz.c beside what it feeds with hostile bytes.
 *
 *   FUZZ(id)
 *   {
 *       struct id id;
 *
 *       if (!id_parse(in, "usr", &id))
 *           return;
 *       fuzz_taken();
 *       HOLDS(str_eq(id_again(a, id), in));
 *   }
 *
 * A target says what must be true whatever comes in; that nothing crashes is the least of it. `./dev fuzz id 10` lets libFuzzer
 * look for an input that breaks it. What it has found so far stands in test/corpus/id and is replayed by the ordinary tests
 * (corpus.c), which also see to it that the corpus reaches each HOLDS. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "base/check.h"
#include "base/str.h"

struct fuzz_target {
    const char *name, *file;
    int line;
    /* in: exactly its bytes, nothing behind them; a: empty again for each input */
    void (*run)(struct str in, struct arena *a);
};

/* A place that says HOLDS. */
struct fuzz_claim {
    const char *what, *file;
    int line;
    uint64_t asked; /* how often it was reached */
};

/* Both stand in sections of their own, which the linker makes into arrays. */
#define FUZZ_LISTED_(section_) __attribute__((used, section(section_)))

#define FUZZ(name)                                                                                 \
    static void fuzz_##name(struct str in, struct arena *a);                                       \
    static struct fuzz_target fuzz_target_##name = { #name, __FILE__, __LINE__, fuzz_##name };     \
    static struct fuzz_target *fuzz_listed_##name FUZZ_LISTED_("fuzz_targets") =                   \
        &fuzz_target_##name;                                                                       \
    static void fuzz_##name(struct str in, struct arena *a)

#define HOLDS(x)                                                                                   \
    do {                                                                                           \
        static struct fuzz_claim claim_ = { #x, __FILE__, __LINE__, 0 };                           \
        static struct fuzz_claim *listed_ FUZZ_LISTED_("fuzz_claims") = &claim_;                   \
        fuzz_holds(listed_, (x));                                                                  \
    } while (0)

/* Tells the claim and aborts when it does not hold. */
void fuzz_holds(struct fuzz_claim *claim, bool good);
/* The parser took this input. */
void fuzz_taken(void);

/* Text up to the next '\n' or '\0', out of *rest, in memory of exactly its size. */
struct str fuzz_line(struct str *rest, struct arena *a);
/* ... and as a number: whatever it says, between min and max. */
int64_t fuzz_number(struct str *rest, int64_t min, int64_t max);
/* A copy without a NUL behind it, so that the sanitizer sees who looks for one. */
struct str fuzz_exact(struct arena *a, struct str s);
/* The same text but for one byte, chosen by pick; never equal to s. s is not empty. */
struct str fuzz_flipped(struct arena *a, struct str s, uint64_t pick);

/* --- for those that run targets --------------------------------------------------------------- */

size_t fuzz_targets(struct fuzz_target ***list);
size_t fuzz_claims(struct fuzz_claim ***list);
void fuzz_run(const struct fuzz_target *t, const void *p, size_t n);
uint64_t fuzz_taken_so_far(void);
/* From now on this one is asked upside down: who does not notice is blind. */
void fuzz_break(const struct fuzz_claim *claim);

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
