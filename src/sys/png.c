/* png.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/png.h"
#include "base/check.h"

#include <string.h>
#include <zlib.h>

static void put_32(unsigned char *p, uint32_t n)
{
    p[0] = (unsigned char)(n >> 24);
    p[1] = (unsigned char)(n >> 16);
    p[2] = (unsigned char)(n >> 8);
    p[3] = (unsigned char)n;
}

static void chunk(struct buf *b, const char *type, const unsigned char *data, uint32_t n)
{
    unsigned char number[4];
    uLong crc = crc32(0, (const Bytef *)type, 4);

    put_32(number, n);
    buf_add(b, (struct str) { (const char *)number, 4 });
    buf_add(b, (struct str) { type, 4 });
    buf_add(b, (struct str) { (const char *)data, n });
    if (n > 0)
        crc = crc32(crc, data, n);
    put_32(number, (uint32_t)crc);
    buf_add(b, (struct str) { (const char *)number, 4 });
}

/* Each row is the difference to its left neighbour (filter 1), which suits soft gradients. */
static unsigned char *filtered(struct arena *a, const unsigned char *rgb, size_t stride,
                               size_t height)
{
    unsigned char *rows = arena_alloc(a, (stride + 1) * height);

    for (size_t y = 0; y < height; y++) {
        unsigned char *to = rows + y * (stride + 1);
        const unsigned char *from = rgb + y * stride;
        *to++ = 1;
        for (size_t x = 0; x < stride; x++)
            to[x] = (unsigned char)(from[x] - (x < 3 ? 0 : from[x - 3]));
    }
    return rows;
}

struct str png_write(struct arena *a, const unsigned char *rgb, uint32_t width, uint32_t height)
{
    size_t stride = (size_t)width * 3, raw = (stride + 1) * height;
    uLongf n = compressBound(raw);
    unsigned char *packed = arena_alloc(a, n), header[13] = { 0 };
    struct buf b = { .arena = a };

    must(width > 0 && height > 0 && width <= 8192 && height <= 8192);
    must(compress2(packed, &n, filtered(a, rgb, stride, height), raw, 1) == Z_OK);
    put_32(header, width);
    put_32(header + 4, height);
    header[8] = 8; /* bits */
    header[9] = 2; /* RGB */
    buf_add(&b, STR("\x89PNG\r\n\x1a\n"));
    chunk(&b, "IHDR", header, sizeof(header));
    chunk(&b, "IDAT", packed, (uint32_t)n);
    chunk(&b, "IEND", NULL, 0);
    return buf_str(&b);
}
