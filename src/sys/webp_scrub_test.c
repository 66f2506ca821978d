/* webp_scrub_test.c -- containers made by hand; those of real encoders are in image_test.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/webp_scrub.h"
#include "test/unit.h"

#include <string.h>

/* 1 x 1, lossless: made by cwebp. */
static const char lossless[] = "\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07";
/* The head of a shown 16 x 8 key frame, first partition of 2 bytes, then noise. */
static const char lossy[] = "\x50\0\0\x9d\x01\x2a\x10\0\x08\0abcdefg";
static const char secret[] = "GPSLatitude 48.8584";

struct chunk {
    const char *name;
    struct str payload;
};

#define PAYLOAD(array)                                                                             \
    {                                                                                              \
        array, sizeof(array) - 1                                                                   \
    }
#define EXTENDED(flags, w, h)                                                                      \
    {                                                                                              \
        "VP8X",                                                                                    \
        {                                                                                          \
            (char[]) { (flags), 0, 0, 0, (w)-1, 0, 0, (h)-1, 0, 0 }, 10                            \
        }                                                                                          \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL,                                                                                      \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }

static void put32(struct buf *b, size_t v)
{
    for (int i = 0; i < 4; i++)
        buf_char(b, (char)(v >> 8 * i));
}

/* claimed: added to the true length in the RIFF header. */
static struct bytes riff(struct arena *a, const struct chunk *chunks, int claimed)
{
    struct buf b = { .arena = a }, body = { .arena = a };

    buf_add(&body, STR("WEBP"));
    for (; chunks->name != NULL; chunks++) {
        buf_add(&body, (struct str) { chunks->name, 4 });
        put32(&body, chunks->payload.n);
        buf_add(&body, chunks->payload);
        if (chunks->payload.n & 1)
            buf_char(&body, 'P'); /* padding may carry a secret as well */
    }
    buf_add(&b, STR("RIFF"));
    put32(&b, (size_t)((int)body.n + claimed));
    buf_add(&b, buf_str(&body));
    return (struct bytes) { (unsigned char *)b.p, b.n };
}

static bool holds(struct bytes file, const char *what)
{
    return memmem(file.p, file.n, what, strlen(what)) != NULL;
}

TEST(webp_scrub_drops_all_but_the_picture)
{
    struct arena a = { 0 };
    struct bytes in = riff(&a,
                           (struct chunk[]) { EXTENDED(0x2c, 16, 8),
                                              { "ICCP", PAYLOAD(secret) },
                                              { "VP8 ", PAYLOAD(lossy) },
                                              { "EXIF", PAYLOAD(secret) },
                                              { "XMP ", PAYLOAD(secret) },
                                              { "note", PAYLOAD(secret) },
                                              END },
                           0);
    struct bytes want = riff(&a, (struct chunk[]) { { "VP8 ", PAYLOAD(lossy) }, END }, 0), out;
    struct webp_facts f;

    CHECK(holds(in, "48.8584"));
    REQUIRE(webp_scrub(&a, in, &out, &f));
    CHECK(!holds(out, "48.8584") && !holds(out, "GPS") && !holds(out, "VP8X"));
    CHECK_INT(out.n, want.n);
    CHECK(out.p[out.n - 1] == 0 || !(sizeof lossy & 1)); /* padding is ours */
    CHECK(memcmp(out.p, want.p, out.n - 1) == 0);
    CHECK_INT(f.width, 16);
    CHECK_INT(f.height, 8);
    CHECK(!f.alpha);
    arena_done(&a);
}

TEST(webp_scrub_keeps_alpha_under_a_head_of_its_own)
{
    struct arena a = { 0 };
    struct bytes in = riff(&a,
                           (struct chunk[]) { EXTENDED(0x7f, 16, 8),
                                              { "ALPH", PAYLOAD("\0alpha plane") },
                                              { "VP8 ", PAYLOAD(lossy) },
                                              { "EXIF", PAYLOAD(secret) },
                                              END },
                           0);
    struct bytes out, again;
    struct webp_facts f;

    REQUIRE(webp_scrub(&a, in, &out, &f));
    CHECK(f.alpha);
    CHECK(holds(out, "alpha plane") && !holds(out, "GPS"));
    CHECK_INT(out.p[20], 0x10); /* flags: alpha alone */
    REQUIRE(webp_scrub(&a, out, &again, &f));
    CHECK(again.n == out.n && memcmp(again.p, out.p, out.n) == 0);
    arena_done(&a);
}

TEST(webp_scrub_reads_lossless)
{
    struct arena a = { 0 };
    struct bytes in = riff(&a, (struct chunk[]) { { "VP8L", PAYLOAD(lossless) }, END }, 0), out;
    struct webp_facts f;

    REQUIRE(webp_scrub(&a, in, &out, &f));
    CHECK_INT(f.width, 1);
    CHECK_INT(f.height, 1);
    CHECK(f.alpha);
    arena_done(&a);
}

TEST(webp_scrub_refuses_what_is_malformed)
{
    static const char other_frame[] = "\x51\0\0\x9d\x01\x2a\x10\0\x08\0abcdefg"; /* no key frame */
    static const char hidden[] = "\x40\0\0\x9d\x01\x2a\x10\0\x08\0abcdefg";
    static const char no_code[] = "\x50\0\0\x9d\x01\x2b\x10\0\x08\0abcdefg";
    static const char no_width[] = "\x50\0\0\x9d\x01\x2a\0\0\x08\0abcdefg";
    static const char long_partition[] = "\x50\xff\0\x9d\x01\x2a\x10\0\x08\0abcdefg";
    struct arena a = { 0 };
    const struct chunk *const bad[] = {
        (struct chunk[]) { END },
        (struct chunk[]) { EXTENDED(0, 16, 8), END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(other_frame) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(hidden) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(no_code) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(no_width) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(long_partition) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD("\x50\0\0\x9d\x01\x2a") }, END },
        (struct chunk[]) { { "VP8L", PAYLOAD("\x2f\0\0") }, END },
        (struct chunk[]) { { "VP8L", PAYLOAD("\x2f\0\0\0\xf0\x07") }, END }, /* version 7 */
        (struct chunk[]) { { "VP8 ", PAYLOAD(lossy) }, { "VP8 ", PAYLOAD(lossy) }, END },
        (struct chunk[]) { EXTENDED(0, 17, 8), { "VP8 ", PAYLOAD(lossy) }, END },
        (struct chunk[]) { { "VP8 ", PAYLOAD(lossy) }, EXTENDED(0, 16, 8), END },
        (struct chunk[]) { { "VP8X", PAYLOAD("short") }, { "VP8 ", PAYLOAD(lossy) }, END },
        (struct chunk[]) { { "ALPH", PAYLOAD("\0x") }, { "VP8 ", PAYLOAD(lossy) }, END },
        (struct chunk[]) { EXTENDED(2, 16, 8), { "ANIM", PAYLOAD("123456") }, END },
        (struct chunk[]) { EXTENDED(2, 16, 8), { "ANMF", PAYLOAD(lossy) }, END },
    };
    struct bytes out = { NULL, 7 };
    struct webp_facts f = { 0 };

    for (size_t i = 0; i < COUNT(bad); i++)
        if (webp_scrub(&a, riff(&a, bad[i], 0), &out, &f))
            FAIL("case %zu was taken", i);
    CHECK_INT(out.n, 7);
    CHECK_INT(f.width, 0);
    arena_done(&a);
}

TEST(webp_scrub_wants_the_true_length)
{
    struct arena a = { 0 };
    struct chunk good[] = { { "VP8 ", PAYLOAD(lossy) }, END };
    struct bytes in, out;
    struct webp_facts f;

    CHECK(webp_scrub(&a, riff(&a, good, 0), &out, &f));
    CHECK(!webp_scrub(&a, riff(&a, good, -1), &out, &f));
    CHECK(!webp_scrub(&a, riff(&a, good, 1), &out, &f));
    CHECK(!webp_scrub(&a, riff(&a, good, INT32_MAX / 2), &out, &f));
    in = riff(&a, good, 0);
    CHECK(!webp_scrub(&a, (struct bytes) { in.p, 0 }, &out, &f));
    arena_done(&a);
}

/* Each byte changed to each of a few values, and each prefix: it may say yes or no, but reads nothing beyond (ASan) and
 * what it gives is clean by its own measure and holds no secret. */
TEST(webp_scrub_stands_any_change)
{
    static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
    struct arena a = { 0 };
    struct bytes in = riff(&a,
                           (struct chunk[]) { EXTENDED(0x3c, 16, 8),
                                              { "ICCP", PAYLOAD(secret) },
                                              { "ALPH", PAYLOAD("\0alpha plane") },
                                              { "VP8 ", PAYLOAD(lossy) },
                                              { "EXIF", PAYLOAD(secret) },
                                              END },
                           0);
    struct arena b = { 0 };

    for (size_t i = 0; i < in.n * (COUNT(values) + 1); i++) {
        size_t at = i / (COUNT(values) + 1), which = i % (COUNT(values) + 1);
        size_t n = which == COUNT(values) ? at : in.n;
        unsigned char *exact = malloc(n + 1);
        struct bytes out, again;
        struct webp_facts f;

        REQUIRE(exact != NULL);
        exact = realloc(exact, n + (n == 0));
        memcpy(exact, in.p, n);
        if (which < COUNT(values))
            exact[at] = values[which];
        if (webp_scrub(&b, (struct bytes) { exact, n }, &out, &f)) {
            CHECK(out.n <= n);
            CHECK(webp_scrub(&b, out, &again, &f) && again.n == out.n);
        }
        free(exact);
        arena_reset(&b);
    }
    arena_done(&b);
    arena_done(&a);
}
