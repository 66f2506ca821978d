/* limiter.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limiter.h"

#include <pthread.h>
#include <stdlib.h>

enum { SETS = 8192, WAYS = 8, LOCKS = 64 };

struct bucket {
    uint64_t key;
    int64_t full_us; /* when it will be full again; in the past: it is */
};

struct limiter {
    uint64_t seed;
    pthread_mutex_t locks[LOCKS];
    struct bucket sets[SETS][WAYS];
};

struct limiter *limiter_open(uint64_t seed)
{
    struct limiter *l = calloc(1, sizeof(*l));

    must(l != NULL);
    l->seed = seed | 1;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&l->locks[i], NULL);
    return l;
}

void limiter_close(struct limiter *l)
{
    free(l);
}

/* Seeded, so that nobody can choose keys that share a set. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 m =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD1B54A32D192ED03));

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t key_of(const struct limiter *l, struct str who, uint64_t what)
{
    uint64_t h = mix(l->seed, what);

    for (size_t i = 0; i < who.n; i++)
        h = mix(h ^ (unsigned char)who.p[i], l->seed);
    return h | 1; /* 0 is a free place */
}

static struct bucket *bucket_of(struct bucket set[WAYS], uint64_t key)
{
    struct bucket *oldest = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].full_us < oldest->full_us)
            oldest = &set[i];
    }
    *oldest = (struct bucket) { .key = key };
    return oldest;
}

int64_t limiter_take(struct limiter *l, struct str who, uint64_t what, struct rate rate,
                     int64_t now_us)
{
    must(rate.a_minute > 0 && rate.burst > 0);
    uint64_t key = key_of(l, who, what);
    size_t set = (size_t)(key >> 40) % SETS;
    int64_t cost = MINUTE / rate.a_minute, wait = 0;

    pthread_mutex_lock(&l->locks[set % LOCKS]);
    struct bucket *b = bucket_of(l->sets[set], key);
    int64_t full_us = (b->full_us > now_us ? b->full_us : now_us) + cost;
    int64_t late = full_us - now_us - cost * rate.burst;
    if (late > 0)
        wait = (late + SECOND - 1) / SECOND;
    else
        b->full_us = full_us;
    pthread_mutex_unlock(&l->locks[set % LOCKS]);
    return wait;
}
