/* image.h -- an uploaded picture to WebP renditions, made in a jailed child.
 *
 * The child is not believed: its answer is parsed against the plan, its files are opened without following links,
 * bounded, checked to be still WebP of the announced size, and written anew without metadata (webp_scrub). What comes
 * back is safe to serve. Source: research on libvips 8.14, whose WebP keeps GPS when told to strip. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_IMAGE_H
#define SYS_IMAGE_H

#include "base/str.h"

enum image_purpose { IMAGE_POST, IMAGE_AVATAR, IMAGE_BANNER };
enum { IMAGE_RENDITIONS_MAX = 4 };

struct image_request {
    int input; /* the upload, open for reading; a regular file; its position is moved */
    enum image_purpose purpose;
    /* a folder of ours: a private one is made in it and removed; sweep "image-*" at start, for
     * those that a crash of ours left behind */
    const char *scratch;
    const char *program; /* the one with the image-worker command; NULL: this very program */

    /* 0..100, rising; called on the caller's thread. May be NULL. */
    void (*progress)(void *context, int percent);
    void *context;
};

struct image_rendition {
    const char *name; /* full, feed, thumb, teaser (post); full, thumb (avatar, banner) */
    int width, height;
    struct bytes webp;
};

/* Why a file was not taken. Trying it again is of no use. */
enum image_refusal {
    IMAGE_EMPTY,
    IMAGE_IS_TEXT,
    IMAGE_IS_SVG,
    IMAGE_IS_PDF,
    IMAGE_IS_VIDEO,
    IMAGE_UNKNOWN,
    IMAGE_TOO_LARGE,
    IMAGE_TOO_MANY_PIXELS,
    IMAGE_DAMAGED,
    IMAGE_TOO_HEAVY, /* more time or memory than any honest picture takes */
    IMAGE_REFUSALS,
};

enum image_result {
    IMAGE_DONE,
    IMAGE_REFUSED, /* their fault: refusal says why */
    IMAGE_FAILED, /* ours: no worker, no memory, no disk; trying again may help; detail says what */
};

struct image_outcome {
    const char *type;  /* "image/heic": what the upload is, by its bytes */
    int width, height; /* of the upload, upright */
    size_t n;
    struct image_rendition renditions[IMAGE_RENDITIONS_MAX];

    enum image_refusal refusal;
    struct str detail; /* for the log, printable ASCII, at most 200 characters; never for people */

    int64_t wall_us, cpu_us, resident_bytes; /* of the worker */
};

/* Results live in the arena. Takes a second at most for a photograph; a minute for the worst. */
enum image_result image_process(struct arena *a, const struct image_request *r,
                                struct image_outcome *outcome);

/* "too_many_pixels" */
const char *image_refusal_code(enum image_refusal refusal);
/* One sentence for people that says what to do. */
const char *image_refusal_text(enum image_refusal refusal);

#endif
