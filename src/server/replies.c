/* replies.c -- sixteen parts, each a hash table and a list from the freshest to the stalest, under one lock. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/replies.h"

#include <pthread.h>

enum {
    PARTS = 16,
    BUCKETS = 1024,
    KEEP_US = 60 * SECOND,
    SLOTS_MAX = 4096,
};

struct kept {
    struct kept *next; /* in the bucket */
    struct kept *fresher, *staler;
    uint64_t hash;
    struct reply_key key; /* target stands behind the slots */
    int64_t until_us;
    uint64_t since;
    struct when ends; /* business time; none: by change alone */
    struct shared *answer;
    size_t bytes, n;
    uint32_t slots[];
};

struct part {
    pthread_mutex_t lock;
    size_t bytes;
    struct kept *freshest, *stalest;
    struct kept *buckets[BUCKETS];
};

struct replies {
    const struct revisions *revisions;
    struct metrics *metrics;
    size_t part_max;
    uint64_t seed;
    struct part parts[PARTS];
};

struct replies *replies_open(const struct revisions *r, struct metrics *m, size_t bytes_max,
                             uint64_t seed)
{
    struct replies *c = calloc(1, sizeof(*c));

    must(c != NULL);
    c->revisions = r;
    c->metrics = m;
    c->part_max = bytes_max / PARTS;
    c->seed = seed | 1;
    for (size_t i = 0; i < PARTS; i++)
        pthread_mutex_init(&c->parts[i].lock, NULL);
    return c;
}

/* --- all that follows is called with the part's lock ------------------------------------------------------------ */

static void unlink_kept(struct part *p, struct kept *k)
{
    *(k->fresher == NULL ? &p->freshest : &k->fresher->staler) = k->staler;
    *(k->staler == NULL ? &p->stalest : &k->staler->fresher) = k->fresher;
    k->fresher = k->staler = NULL;
}

static void link_freshest(struct part *p, struct kept *k)
{
    k->staler = p->freshest;
    *(p->freshest == NULL ? &p->stalest : &p->freshest->fresher) = k;
    p->freshest = k;
}

static void forget(struct replies *c, struct part *p, struct kept *k)
{
    struct kept **at = &p->buckets[k->hash / PARTS % BUCKETS];

    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    unlink_kept(p, k);
    p->bytes -= k->bytes;
    metrics_add(c->metrics, METRIC_CACHE_BYTES, -(int64_t)k->bytes);
    shared_drop(k->answer);
    free(k);
}

static struct kept *find(struct part *p, uint64_t hash, const struct reply_key *key)
{
    struct kept *k = p->buckets[hash / PARTS % BUCKETS];

    while (k != NULL && !(k->hash == hash && id_is(k->key.session, key->session) &&
                          str_eq(k->key.target, key->target)))
        k = k->next;
    return k;
}

static bool still_good(const struct replies *c, const struct kept *k, const struct reply_key *key,
                       int64_t now_us)
{
    bool good = k->until_us > now_us && k->key.offset_us == key->offset_us &&
                (k->ends.us == 0 || k->ends.us > key->now.us);

    for (size_t i = 0; i < k->n && good; i++)
        good = revision_unchanged(c->revisions, k->slots[i], k->since);
    return good;
}

/* --- and what calls it ------------------------------------------------------------------------------------------ */

/* Seeded, so that nobody can choose addresses that share a bucket. */
static uint64_t hash_of(const struct replies *c, const struct reply_key *k)
{
    uint64_t h = c->seed ^ (uint64_t)k->session.v * UINT64_C(0x9E3779B97F4A7C15);

    for (size_t i = 0; i < k->target.n; i++) {
        h = (h ^ (unsigned char)k->target.p[i]) * UINT64_C(0xD6E8FEB86659FD93);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

struct shared *replies_find(struct replies *c, const struct reply_key *key, int64_t now_us)
{
    uint64_t hash = hash_of(c, key);
    struct part *p = &c->parts[hash % PARTS];
    struct shared *found = NULL;

    pthread_mutex_lock(&p->lock);
    struct kept *k = revisions_current(c->revisions, now_us) ? find(p, hash, key) : NULL;
    if (k != NULL && still_good(c, k, key, now_us)) {
        found = shared_hold(k->answer);
        unlink_kept(p, k);
        link_freshest(p, k);
    } else if (k != NULL) {
        forget(c, p, k);
    }
    pthread_mutex_unlock(&p->lock);
    metrics_add(c->metrics, found != NULL ? METRIC_CACHE_HITS : METRIC_CACHE_MISSES, 1);
    return found;
}

/* NULL: no memory. */
static struct kept *kept_new(const struct reply_key *key, const uint32_t *slots, size_t n)
{
    size_t slots_bytes = n * sizeof(*slots);
    struct kept *k = calloc(1, sizeof(*k) + slots_bytes + key->target.n);

    if (k == NULL)
        return NULL;
    k->key = *key;
    k->n = n;
    if (n > 0)
        memcpy(k->slots, slots, slots_bytes);
    char *target = (char *)k->slots + slots_bytes;
    memcpy(target, key->target.p, key->target.n);
    k->key.target.p = target;
    return k;
}

void replies_put(struct replies *c, const struct reply_key *key, int64_t now_us, uint64_t since,
                 const uint32_t *slots, size_t n, struct when ends, struct shared *answer)
{
    uint64_t hash = hash_of(c, key);
    struct part *p = &c->parts[hash % PARTS];
    size_t body = answer->is_file ? 0 : answer->body.n; /* a file's are counted once, for all */
    /* The bodies, and roughly what the library keeps of the headers, twice. */
    size_t bytes = sizeof(struct kept) + n * sizeof(*slots) + key->target.n + body + 4096;

    if (n > SLOTS_MAX || bytes > c->part_max / 4)
        return;
    struct kept *k = kept_new(key, slots, n);
    if (k == NULL)
        return; /* it is computed again next time */
    k->hash = hash;
    k->until_us = now_us + KEEP_US;
    k->since = since;
    k->ends = ends;
    k->bytes = bytes;
    k->answer = shared_hold(answer);
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < 4 && p->stalest != NULL && p->stalest->until_us <= now_us; i++)
        forget(c, p, p->stalest); /* nobody asks any more, and it may hold a file */
    struct kept *old = find(p, hash, key);
    if (old != NULL)
        forget(c, p, old);
    while (p->bytes + bytes > c->part_max)
        forget(c, p, p->stalest);
    k->next = p->buckets[hash / PARTS % BUCKETS];
    p->buckets[hash / PARTS % BUCKETS] = k;
    link_freshest(p, k);
    p->bytes += bytes;
    pthread_mutex_unlock(&p->lock);
    metrics_add(c->metrics, METRIC_CACHE_BYTES, (int64_t)bytes);
}

void replies_close(struct replies *c)
{
    for (size_t i = 0; i < PARTS; i++)
        while (c->parts[i].stalest != NULL)
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who is forgotten is no longer the stalest */
            forget(c, &c->parts[i], c->parts[i].stalest);
    free(c);
}
