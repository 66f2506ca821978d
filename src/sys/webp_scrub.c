/* webp_scrub.c -- reads the container strictly, writes a new one from nothing.
 *
 * The new file holds one frame (VP8 or VP8L), before it its ALPH chunk if there is one, and a VP8X header of our
 * own only where ALPH needs it. So no flag, padding byte, reserved field or unknown chunk of the old one survives. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/webp_scrub.h"
#include "base/check.h"

#include <string.h>

enum { CHUNK_HEAD = 8, RIFF_HEAD = 12, VP8X_SIZE = 10, VP8X_ALPHA = 0x10 };

struct still {
    struct bytes extended, alpha, frame; /* payloads; p == NULL when absent */
    bool lossless;
};

static uint32_t le16(const unsigned char *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}
static uint32_t le24(const unsigned char *p)
{
    return le16(p) | (uint32_t)p[2] << 16;
}
static uint32_t le32(const unsigned char *p)
{
    return le24(p) | (uint32_t)p[3] << 24;
}

static bool is_fourcc(const unsigned char *p, const char *name)
{
    return memcmp(p, name, 4) == 0;
}

static bool take(struct bytes *slot, struct bytes payload)
{
    if (slot->p != NULL)
        return false;
    *slot = payload;
    return true;
}

/* Files one chunk; false when it has no place in a still image. Unknown chunks are passed over. */
static bool file_chunk(struct still *s, const unsigned char *name, struct bytes payload)
{
    if (is_fourcc(name, "ANIM") || is_fourcc(name, "ANMF"))
        return false;
    if (is_fourcc(name, "VP8X"))
        return s->frame.p == NULL && payload.n == VP8X_SIZE && take(&s->extended, payload);
    if (is_fourcc(name, "ALPH"))
        return s->extended.p != NULL && s->frame.p == NULL && payload.n > 1 &&
               take(&s->alpha, payload);
    if (is_fourcc(name, "VP8 "))
        return take(&s->frame, payload);
    if (is_fourcc(name, "VP8L")) {
        s->lossless = true;
        return s->alpha.p == NULL && take(&s->frame, payload);
    }
    return true;
}

static bool read_container(struct bytes in, struct still *s)
{
    if (in.n < RIFF_HEAD + CHUNK_HEAD || !is_fourcc(in.p, "RIFF") || !is_fourcc(in.p + 8, "WEBP"))
        return false;
    if ((size_t)le32(in.p + 4) + CHUNK_HEAD != in.n)
        return false;

    for (size_t at = RIFF_HEAD; at < in.n;) {
        size_t room = in.n - at, size, padded;

        if (room < CHUNK_HEAD)
            return false;
        size = le32(in.p + at + 4);
        padded = size + (size & 1);
        if (padded > room - CHUNK_HEAD)
            return false;
        if (!file_chunk(s, in.p + at, (struct bytes) { in.p + at + CHUNK_HEAD, size }))
            return false;
        at += CHUNK_HEAD + padded;
    }
    return s->frame.p != NULL;
}

/* RFC 6386, 9.1: a shown key frame, its start code, its first partition inside the chunk. */
static bool read_lossy(struct bytes frame, struct webp_facts *facts)
{
    uint32_t tag;

    if (frame.n < 10)
        return false;
    tag = le24(frame.p);
    if ((tag & 1) != 0 || (tag >> 1 & 7) > 3 || (tag >> 4 & 1) == 0 || (tag >> 5) > frame.n - 10)
        return false;
    if (memcmp(frame.p + 3, "\x9d\x01\x2a", 3) != 0)
        return false;
    facts->width = (int)(le16(frame.p + 6) & 0x3fff);
    facts->height = (int)(le16(frame.p + 8) & 0x3fff);
    return facts->width > 0 && facts->height > 0;
}

static bool read_lossless(struct bytes frame, struct webp_facts *facts)
{
    uint32_t bits;

    if (frame.n < 6 || frame.p[0] != 0x2f)
        return false;
    bits = le32(frame.p + 1);
    facts->width = (int)(bits & 0x3fff) + 1;
    facts->height = (int)(bits >> 14 & 0x3fff) + 1;
    facts->alpha = (bits >> 28 & 1) != 0;
    return bits >> 29 == 0;
}

static bool read_frame(const struct still *s, struct webp_facts *facts)
{
    if (!(s->lossless ? read_lossless(s->frame, facts) : read_lossy(s->frame, facts)))
        return false;
    if (s->alpha.p != NULL)
        facts->alpha = true;
    if (s->extended.p == NULL)
        return true;
    return le24(s->extended.p + 4) + 1 == (uint32_t)facts->width &&
           le24(s->extended.p + 7) + 1 == (uint32_t)facts->height;
}

static unsigned char *put32(unsigned char *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        *p++ = (unsigned char)(v >> 8 * i);
    return p;
}

static unsigned char *put_chunk(unsigned char *p, const char *name, struct bytes payload)
{
    memcpy(p, name, 4);
    p = put32(p + 4, payload.n);
    memcpy(p, payload.p, payload.n);
    p += payload.n;
    if (payload.n & 1)
        *p++ = 0;
    return p;
}

static struct bytes write_container(struct arena *a, const struct still *s,
                                    const struct webp_facts *facts)
{
    unsigned char head[VP8X_SIZE] = { VP8X_ALPHA };
    unsigned char *file, *end;

    file = arena_alloc(a, RIFF_HEAD + 3 * (CHUNK_HEAD + 1) + VP8X_SIZE + s->alpha.n + s->frame.n);
    memcpy(file, "RIFF", 4);
    memcpy(file + 8, "WEBP", 4);
    end = file + RIFF_HEAD;
    if (s->alpha.p != NULL) {
        /* The canvas: 24 bits a side, less one. */
        for (int i = 0; i < 3; i++) {
            head[4 + i] = (unsigned char)((uint32_t)(facts->width - 1) >> 8 * i);
            head[7 + i] = (unsigned char)((uint32_t)(facts->height - 1) >> 8 * i);
        }
        end = put_chunk(end, "VP8X", (struct bytes) { head, VP8X_SIZE });
        end = put_chunk(end, "ALPH", s->alpha);
    }
    end = put_chunk(end, s->lossless ? "VP8L" : "VP8 ", s->frame);
    put32(file + 4, (size_t)(end - file) - CHUNK_HEAD);
    return (struct bytes) { file, (size_t)(end - file) };
}

bool webp_scrub(struct arena *a, struct bytes in, struct bytes *clean, struct webp_facts *facts)
{
    struct still s = { 0 };
    struct webp_facts f = { 0 };

    if (in.n > ARENA_MAX / 2 || !read_container(in, &s) || !read_frame(&s, &f))
        return false;
    must(f.width > 0 && f.height > 0);
    *clean = write_container(a, &s, &f);
    *facts = f;
    return true;
}
