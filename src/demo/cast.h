/* cast.h -- who appears in the demo, and what they say. Invented people; nothing from outside. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_CAST_H
#define DEMO_CAST_H

#include "demo/picture.h"

#include <stddef.h>
#include <stdint.h>

enum { CREATORS = 12, SCENES_EACH = 3, FANS = 200, FIRST_NAMES = 40, LAST_NAMES = 25 };

struct tier_role {
    const char *name, *description;
    int64_t price; /* minor units a month */
};

struct creator_role {
    const char *handle, *name, *bio, *currency;
    unsigned palette;
    enum scene scenes[SCENES_EACH];
    struct tier_role tiers[2];
};

extern const struct creator_role creators[CREATORS];
extern const char *const first_names[FIRST_NAMES], *const last_names[LAST_NAMES];

/* Captions of a scene; ends with NULL. */
extern const char *const *const captions[SCENES];
extern const char *const notes[]; /* posts without pictures; ends with NULL */

#endif
