/* parts.h -- what the files of the post service share with each other, and nobody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_POST_PARTS_H
#define SERVICES_POST_PARTS_H

#include "services/access/access.h"
#include "services/post/post.h"

struct ids {
    struct id *v;
    size_t n;
};

/* --- feed.c ----------------------------------------------------------------------------------------------------- */

/* The positions of the newest posts below `before` of all whom c->who follows or subscribes to, at most so many, and the
 * viewer, who knows all whom he follows. */
enum err feed_places(struct call *c, struct access_viewer *v, int64_t before, size_t most,
                     struct ids *result);
/* The newest position of a creator's posts below `before`; 0: there is none. */
enum err feed_next(struct call *c, struct id creator, int64_t before, int64_t *result);

#endif
