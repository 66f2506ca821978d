/* image_plan.h -- which renditions a picture gets. The worker makes them; the parent holds it to them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_IMAGE_PLAN_H
#define SYS_IMAGE_PLAN_H

#include "sys/image.h"
#include "sys/image_kind.h"

/* Of an upload. Beyond them it is refused before anything is decoded. */
#define IMAGE_BYTES_MAX  ((int64_t)64 << 20)
#define IMAGE_PIXELS_MAX INT64_C(100000000)
enum { IMAGE_SIDE_MAX = 20000 };

struct image_step {
    const char *name;  /* thumb feed full teaser: the file is name.webp */
    int width, height; /* bounds; with a shape, the exact size of a source that is large enough */
    int quality;       /* of WebP, 0..100 */
    /* of WebP, 0..6; 2 where the file is large: a third of the time for a tenth more bytes */
    int effort;
    int blur; /* sigma, in pixels; 0: none */
};

struct image_plan {
    const char *purpose; /* "post" */
    bool shaped;         /* cropped to the ratio of the first step */
    bool by_interest;    /* the crop follows what catches the eye; else the middle */
    size_t n;
    struct image_step steps[IMAGE_RENDITIONS_MAX]; /* each is made from the one before it */
};

const struct image_plan *image_plan_of(enum image_purpose purpose);
const struct image_plan *image_plan_named(const char *purpose); /* NULL when there is none */

/* The size of a plan's first rendition for a source (after turning it upright): never larger than the source. */
void image_plan_size(const struct image_plan *p, int width, int height, int *w, int *h);

/* Why a kind is refused; not for accepted ones. */
enum image_refusal image_plan_refusal(enum image_kind kind);

#endif
