/* images.h -- makes renditions of an untrusted picture in a jailed child. Driver:
 * sys/images_jailed.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_IMAGES_H
#define CORE_IMAGES_H

#include "core/err.h"

struct images;

enum { RENDITIONS_MAX = 6 };

struct rendition {
    struct str name; /* "thumb", "feed", "full", "teaser" */
    struct str path; /* a temporary file, the caller's to keep or remove */
    int64_t width, height, bytes;
};

struct image_made {
    struct str type;       /* "image/jpeg": what the source is by its content */
    int64_t width, height; /* upright */
    size_t n;
    struct rendition renditions[RENDITIONS_MAX];
    struct str refused; /* a sentence for people when the picture was refused */
};

struct images {
    /* purpose: "post", "avatar", "banner". E_OK; E_UNSUPPORTED_IMAGE with .refused; E_BUSY when the
     * child could not run (try again). progress may be NULL: percent, on the calling thread. */
    enum err (*make)(struct images *m, struct arena *a, struct str source_path, const char *purpose,
                     void (*progress)(void *context, int percent), void *context,
                     struct image_made *result);
    void (*close)(struct images *m);
};

#endif
