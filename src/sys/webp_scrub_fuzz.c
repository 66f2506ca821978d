/* webp_scrub_fuzz.c -- what comes out of the scrub holds the picture's chunks alone, byte by byte those of before, and nothing
 * is left to scrub. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/webp_scrub.h"
#include "test/fuzz.h"

#include <string.h>

static size_t le32(const unsigned char *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static bool is_one_of(const unsigned char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (memcmp(name, *names, 4) == 0)
            return true;
    return false;
}

/* VP8X, ALPH, VP8 or VP8L alone; each but our own VP8X is found in the file that came. */
static void check_chunks(struct bytes clean, struct bytes in, const struct webp_facts *f)
{
    static const char *const known[] = { "VP8X", "ALPH", "VP8 ", "VP8L", NULL };
    size_t frames = 0, at = 12;

    HOLDS(clean.n >= 20 && memcmp(clean.p, "RIFF", 4) == 0 && memcmp(clean.p + 8, "WEBP", 4) == 0);
    HOLDS(le32(clean.p + 4) == clean.n - 8);
    while (at < clean.n) {
        HOLDS(clean.n - at >= 8 && is_one_of(clean.p + at, known));
        size_t size = le32(clean.p + at + 4), padded = size + size % 2;
        HOLDS(padded <= clean.n - at - 8);
        HOLDS(size % 2 == 0 || clean.p[at + 8 + size] == 0);
        frames += memcmp(clean.p + at, "VP8 ", 4) == 0 || memcmp(clean.p + at, "VP8L", 4) == 0;
        if (memcmp(clean.p + at, "VP8X", 4) == 0)
            HOLDS(size == 10 && memcmp(clean.p + at + 8, "\x10\0\0\0", 4) == 0 && f->alpha);
        else
            HOLDS(memmem(in.p, in.n, clean.p + at, 8 + size) != NULL);
        at += 8 + padded;
    }
    HOLDS(at == clean.n && frames == 1);
}

FUZZ(webp_scrub)
{
    struct bytes bytes = { (const unsigned char *)in.p, in.n }, clean = { NULL, 7 }, again,
                 no = clean;
    struct webp_facts f = { .width = -1 }, second, none = f;
    unsigned char *longer = arena_alloc(a, in.n + 1);

    if (!webp_scrub(a, bytes, &clean, &f)) {
        HOLDS(clean.p == NULL && clean.n == 7 && f.width == -1);
        return;
    }
    fuzz_taken();
    HOLDS(clean.n <= in.n && f.width >= 1 && f.width <= 16384 && f.height >= 1 &&
          f.height <= 16384);
    check_chunks(clean, bytes, &f);
    HOLDS(webp_scrub(a, clean, &again, &second));
    HOLDS(again.n == clean.n && memcmp(again.p, clean.p, clean.n) == 0);
    HOLDS(second.width == f.width && second.height == f.height && second.alpha == f.alpha);
    /* Nothing may stand behind the end, and nothing be missing. */
    memcpy(longer, in.p, in.n);
    HOLDS(!webp_scrub(a, (struct bytes) { longer, in.n + 1 }, &no, &none));
    HOLDS(!webp_scrub(a, (struct bytes) { longer, in.n - 1 }, &no, &none));
}
