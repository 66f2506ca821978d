/* map.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/check.h"

static struct map_slot *find(const struct map *m, struct str key)
{
    size_t i = str_hash(key) & (m->size - 1);

    while (m->slots[i].key.p != NULL && !str_eq(m->slots[i].key, key))
        i = (i + 1) & (m->size - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, struct str key)
{
    return m->size == 0 ? NULL : find(m, key)->value;
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->size = old.size == 0 ? 16 : old.size * 2;
    m->slots = arena_array(m->arena, struct map_slot, m->size);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].key.p != NULL)
            *find(m, old.slots[i].key) = old.slots[i];
}

void map_put(struct map *m, struct str key, void *value)
{
    must(key.p != NULL && value != NULL);
    if (m->n * 2 >= m->size)
        grow(m);
    struct map_slot *slot = find(m, key);
    m->n += slot->key.p == NULL;
    *slot = (struct map_slot) { key, value };
}
