/* image_kind_fuzz.c -- what a file is by its first bytes, beside a table of patterns read by hand from the formats' papers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image_kind.h"
#include "test/fuzz.h"

#include <string.h>

static bool at(struct str s, size_t from, const char *bytes, size_t n)
{
    return s.n >= from + n && memcmp(s.p + from, bytes, n) == 0;
}

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* ISO 14496-12: one brand that is a still picture's, as the major one; of "some HEIF" those that follow tell which. */
static enum image_kind naive_iso(struct str s)
{
    uint32_t size = be32(s.p);

    if (at(s, 8, "avif", 4))
        return KIND_AVIF;
    if (at(s, 8, "mif1", 4)) {
        for (size_t i = 16; i + 4 <= size && i + 4 <= s.n; i += 4)
            if (at(s, i, "avif", 4))
                return KIND_AVIF;
        return KIND_HEIC;
    }
    return at(s, 8, "heic", 4) || at(s, 8, "heix", 4) || at(s, 8, "heim", 4) || at(s, 8, "heis", 4)
               ? KIND_HEIC
               : KIND_VIDEO;
}

/* The kinds that are decoded; any other is KIND_OTHER here. */
static enum image_kind naive(struct str s)
{
    s.n = s.n > IMAGE_HEAD ? IMAGE_HEAD : s.n;
    if (at(s, 0, "\xff\xd8\xff", 3))
        return KIND_JPEG;
    if (at(s, 0, "\x89PNG\r\n\x1a\n", 8))
        return KIND_PNG;
    if (at(s, 0, "GIF87a", 6) || at(s, 0, "GIF89a", 6))
        return KIND_GIF;
    if (at(s, 0, "RIFF", 4) && at(s, 8, "WEBP", 4))
        return KIND_WEBP;
    if (at(s, 4, "ftyp", 4) && s.n >= 12)
        return naive_iso(s);
    return KIND_OTHER;
}

FUZZ(image_kind)
{
    struct bytes bytes = { (const unsigned char *)in.p, in.n };
    enum image_kind kind = image_kind_of(bytes), wanted = naive(in);
    unsigned char *longer = arena_alloc(a, in.n + 1000);

    if (kind < KIND_ACCEPTED)
        fuzz_taken();
    HOLDS((image_kind_type(kind) != NULL) == (kind < KIND_ACCEPTED));
    HOLDS(kind >= KIND_ACCEPTED || kind == wanted);
    /* What is something else as well is refused. */
    HOLDS(wanted >= KIND_ACCEPTED || kind == wanted || kind == KIND_VIDEO || kind == KIND_PDF);
    HOLDS((kind == KIND_EMPTY) == (in.n == 0));
    HOLDS(kind != KIND_TEXT || memchr(in.p, 0, in.n > IMAGE_HEAD ? IMAGE_HEAD : in.n) == NULL);
    /* What stands behind the head says nothing. */
    if (in.n > 0)
        memcpy(longer, in.p, in.n);
    if (in.n >= IMAGE_HEAD)
        HOLDS(image_kind_of((struct bytes) { longer, in.n + 1000 }) == kind);
    if (kind != KIND_HEIC && kind < KIND_ACCEPTED)
        HOLDS(image_kind_of((struct bytes) { longer, in.n + 1000 }) == kind);
}
