/* image_kind.h -- what a file is, by its first bytes alone.
 *
 * Names and Content-Type are claims; these bytes are what a decoder would act on. The answer chooses which one
 * decoder may run, so it is made by our own code before any library sees the file. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_IMAGE_KIND_H
#define SYS_IMAGE_KIND_H

#include "base/str.h"

enum image_kind {
    KIND_JPEG,
    KIND_PNG,
    KIND_WEBP,
    KIND_GIF,
    KIND_HEIC,
    KIND_AVIF,
    /* those above are; those below are known only to be refused with a helpful sentence */
    KIND_ACCEPTED,
    KIND_EMPTY = KIND_ACCEPTED,
    KIND_SVG,
    KIND_PDF,
    KIND_VIDEO,
    KIND_TEXT,
    KIND_OTHER,
};

/* As many bytes of the head as image_kind_of likes to see. */
enum { IMAGE_HEAD = 512 };

enum image_kind image_kind_of(struct bytes head);
/* "image/jpeg"; NULL for what is refused. */
const char *image_kind_type(enum image_kind kind);

#endif
