/* map.h -- str to pointer, in an arena. Open addressing; nothing is removed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_slot {
    struct str key;
    void *value;
};

struct map {
    struct arena *arena;
    struct map_slot *slots;
    size_t n, size; /* size is a power of two */
};

void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* The key's bytes must live as long as the map. Replaces. */
void map_put(struct map *m, struct str key, void *value);

#endif
