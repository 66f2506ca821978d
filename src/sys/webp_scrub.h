/* webp_scrub.h -- a still WebP reduced to the chunks that draw it.
 *
 * Debian's libvips leaks EXIF (GPS) and ICC text into WebP even when told to strip, so every rendition passes
 * through here: what is kept is named, all else is dropped. Pure; safe on hostile bytes; it reads containers
 * and frame headers only and decodes no pixel. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_WEBP_SCRUB_H
#define SYS_WEBP_SCRUB_H

#include "base/str.h"

struct webp_facts {
    int width, height; /* of the frame, 1..16384 */
    bool alpha;
};

/* The clean file in the arena, never longer than `in`. False when the file is malformed, animated, has bytes after its
 * end or headers that disagree; then the results are untouched. */
bool webp_scrub(struct arena *a, struct bytes in, struct bytes *clean, struct webp_facts *facts);

#endif
