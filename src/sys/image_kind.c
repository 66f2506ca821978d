/* image_kind.c -- magic numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image_kind.h"
#include "base/check.h"

#include <string.h>

struct magic {
    enum image_kind kind;
    size_t at;
    struct str bytes;
};

/* The first that fits wins. ISO media files (ftyp) are told apart by brand below. */
static const struct magic magics[] = {
    { KIND_JPEG, 0, { "\xff\xd8\xff", 3 } },
    { KIND_PNG, 0, { "\x89PNG\r\n\x1a\n", 8 } },
    { KIND_GIF, 0, { "GIF87a", 6 } },
    { KIND_GIF, 0, { "GIF89a", 6 } },
    { KIND_PDF, 0, { "%PDF-", 5 } },
    { KIND_PDF, 0, { "%!PS", 4 } },
    { KIND_VIDEO, 0, { "\x1a\x45\xdf\xa3", 4 } }, /* Matroska, WebM */
    { KIND_VIDEO, 0, { "\x00\x00\x01\xba", 4 } }, /* MPEG */
    { KIND_VIDEO, 0, { "OggS", 4 } },
    { KIND_VIDEO, 0, { "FLV\x01", 4 } },
    { KIND_VIDEO, 0, { "#EXTM3U", 7 } }, /* a playlist names other files: never opened */
    { KIND_VIDEO, 0, { "ffconcat", 8 } },
    { KIND_VIDEO, 4, { "moov", 4 } },
    { KIND_VIDEO, 4, { "mdat", 4 } },
};

struct brand {
    char name[5];
    enum image_kind kind;
};

/* Still pictures only: the sequence brands (hevc, msf1, avis) are films. */
static const struct brand brands[] = {
    { "heic", KIND_HEIC }, { "heix", KIND_HEIC }, { "heim", KIND_HEIC },
    { "heis", KIND_HEIC }, { "mif1", KIND_HEIC }, { "avif", KIND_AVIF },
};

static bool fits(struct bytes head, const struct magic *m)
{
    return head.n >= m->at + m->bytes.n && memcmp(head.p + m->at, m->bytes.p, m->bytes.n) == 0;
}

static enum image_kind kind_of_brand(const unsigned char *name)
{
    for (size_t i = 0; i < COUNT(brands); i++)
        if (memcmp(name, brands[i].name, 4) == 0)
            return brands[i].kind;
    return KIND_VIDEO;
}

/* An ISO media file: length, "ftyp", major brand, version, compatible brands. The major brand mif1 says only
 * "some HEIF"; then the others name the codec. */
static enum image_kind kind_of_iso(struct bytes head)
{
    size_t length =
        (size_t)head.p[0] << 24 | (size_t)head.p[1] << 16 | (size_t)head.p[2] << 8 | head.p[3];

    if (memcmp(head.p + 8, "mif1", 4) == 0)
        for (size_t at = 16; at + 4 <= head.n && at + 4 <= length; at += 4)
            if (memcmp(head.p + at, "avif", 4) == 0)
                return KIND_AVIF;
    return kind_of_brand(head.p + 8);
}

static enum image_kind kind_of_riff(const unsigned char *form)
{
    if (memcmp(form, "WEBP", 4) == 0)
        return KIND_WEBP;
    return memcmp(form, "AVI ", 4) == 0 ? KIND_VIDEO : KIND_OTHER;
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static bool contains(struct bytes head, struct str word)
{
    for (size_t at = 0; at + word.n <= head.n; at++) {
        size_t i = 0;

        while (i < word.n && lower(head.p[at + i]) == (unsigned char)word.p[i])
            i++;
        if (i == word.n)
            return true;
    }
    return false;
}

/* No control bytes but white space, and none that UTF-8 never has: text of some kind. */
static bool looks_like_text(struct bytes head)
{
    for (size_t i = 0; i < head.n; i++)
        if (head.p[i] < 9 || (head.p[i] > 13 && head.p[i] < 32) || head.p[i] == 127 ||
            head.p[i] > 0xf4)
            return false;
    return true;
}

enum image_kind image_kind_of(struct bytes head)
{
    if (head.n == 0)
        return KIND_EMPTY;
    if (head.n > IMAGE_HEAD)
        head.n = IMAGE_HEAD;
    for (size_t i = 0; i < COUNT(magics); i++)
        if (fits(head, &magics[i]))
            return magics[i].kind;
    if (head.n >= 12 && memcmp(head.p + 4, "ftyp", 4) == 0)
        return kind_of_iso(head);
    if (head.n >= 12 && memcmp(head.p, "RIFF", 4) == 0)
        return kind_of_riff(head.p + 8);
    if (!looks_like_text(head))
        return KIND_OTHER;
    return contains(head, STR("<svg")) ? KIND_SVG : KIND_TEXT;
}

const char *image_kind_type(enum image_kind kind)
{
    static const char *const types[] = {
        [KIND_JPEG] = "image/jpeg", [KIND_PNG] = "image/png",   [KIND_WEBP] = "image/webp",
        [KIND_GIF] = "image/gif",   [KIND_HEIC] = "image/heic", [KIND_AVIF] = "image/avif",
    };

    return kind < KIND_ACCEPTED ? types[kind] : NULL;
}
