/* image_kind_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image_kind.h"
#include "test/unit.h"

#include <string.h>

struct sample {
    struct str head;
    enum image_kind kind;
};

#define S(literal)                                                                                 \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const struct sample samples[] = {
    { S(""), KIND_EMPTY },
    { S("\xff\xd8\xff\xe0"), KIND_JPEG },
    { S("\xff\xd8"), KIND_OTHER },
    { S("\x89PNG\r\n\x1a\n...."), KIND_PNG },
    { S("\x89PNG\n\x1a\n...."), KIND_OTHER }, /* mangled by a text-mode transfer */
    { S("RIFF\x10\0\0\0WEBPVP8 "), KIND_WEBP },
    { S("RIFF\x10\0\0\0WAVEfmt "), KIND_OTHER },
    { S("RIFF\x10\0\0\0AVI LIST"), KIND_VIDEO },
    { S("RIFF\x10\0\0"), KIND_OTHER },
    { S("GIF89a"), KIND_GIF },
    { S("GIF87a"), KIND_GIF },
    { S("GIF88a"), KIND_TEXT },
    { S("\0\0\0\x18"
        "ftypheic\0\0\0\0mif1heic"),
      KIND_HEIC },
    { S("\0\0\0\x18"
        "ftypmif1\0\0\0\0mif1heic"),
      KIND_HEIC },
    { S("\0\0\0\x18"
        "ftypmif1\0\0\0\0mif1avif"),
      KIND_AVIF },
    { S("\0\0\1\4"
        "ftypmif1\0\0\0\0mif1avif"),
      KIND_AVIF }, /* the length has four bytes */
    { S("\0\0\0\x14"
        "ftypmif1\0\0\0\0mif1avif"),
      KIND_HEIC }, /* past the end of its box */
    { S("\0\0\0\x18"
        "ftypavif\0\0\0\0mif1miaf"),
      KIND_AVIF },
    { S("\0\0\0\x18"
        "ftypavis\0\0\0\0avismsf1"),
      KIND_VIDEO },
    { S("\0\0\0\x18"
        "ftypmp42\0\0\0\0isommp42"),
      KIND_VIDEO },
    { S("\0\0\0\x14"
        "ftypqt  \0\0\0\0qt  "),
      KIND_VIDEO },
    { S("\0\0\0\x14"
        "ftyphei"),
      KIND_OTHER },
    { S("\x1a\x45\xdf\xa3\x01"), KIND_VIDEO },
    { S("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), KIND_VIDEO },
    { S("ffconcat version 1.0\nfile x"), KIND_VIDEO },
    { S("%PDF-1.7\n"), KIND_PDF },
    { S("<svg xmlns='http://www.w3.org/2000/svg'/>"), KIND_SVG },
    { S("\xef\xbb\xbf<?xml version='1.0'?><!-- x --><SVG>"), KIND_SVG },
    { S("<html><body>"), KIND_TEXT },
    { S("hello, this is not a photograph"), KIND_TEXT },
    { S("BM\x36\0\0\0"), KIND_OTHER },
    { S("II*\0\x08\0\0\0"), KIND_OTHER },
};

TEST(image_kind_goes_by_bytes)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes head = { (const unsigned char *)samples[i].head.p, samples[i].head.n };

        if (image_kind_of(head) != samples[i].kind)
            FAIL("sample %zu: kind %d, should be %d", i, image_kind_of(head), samples[i].kind);
    }
}

TEST(image_kind_only_accepted_ones_have_a_type)
{
    CHECK_STR(image_kind_type(KIND_JPEG), "image/jpeg");
    CHECK_STR(image_kind_type(KIND_AVIF), "image/avif");
    for (int k = KIND_ACCEPTED; k <= KIND_OTHER; k++)
        CHECK(image_kind_type((enum image_kind)k) == NULL);
}

/* Every prefix of every sample, in memory that ends there (ASan would see a byte too far). */
TEST(image_kind_never_reads_past_the_end)
{
    for (size_t i = 0; i < COUNT(samples); i++)
        for (size_t n = 0; n <= samples[i].head.n; n++) {
            unsigned char *exact = malloc(n + (n == 0));

            REQUIRE(exact != NULL);
            memcpy(exact, samples[i].head.p, n);
            CHECK(image_kind_of((struct bytes) { exact, n }) <= KIND_OTHER);
            free(exact);
        }
}
