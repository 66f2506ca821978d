/* sessions.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sessions.h"

#include <pthread.h>

enum { SETS = 2048, WAYS = 8, LOCKS = 64 };

struct entry {
    struct sha256 token;
    int64_t until_us; /* monotonic; 0: free */
    uint64_t since;
    struct actor actor;
};

struct sessions {
    const struct revisions *revisions;
    pthread_mutex_t locks[LOCKS];
    struct entry sets[SETS][WAYS];
};

struct sessions *sessions_open(const struct revisions *r)
{
    struct sessions *s = calloc(1, sizeof(*s));

    must(s != NULL);
    s->revisions = r;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&s->locks[i], NULL);
    return s;
}

void sessions_close(struct sessions *s)
{
    free(s);
}

/* The hash of a secret is as good as random. */
static size_t set_of(const struct sha256 *token)
{
    return ((size_t)token->b[0] << 8 | token->b[1]) % SETS;
}

bool sessions_unchanged(const struct sessions *s, const struct actor *actor, uint64_t since)
{
    return revision_unchanged(s->revisions, revision_slot(actor->session), since) &&
           revision_unchanged(s->revisions, revision_actor_slot(actor->account), since);
}

bool sessions_find(struct sessions *s, const struct sha256 *token, int64_t now_us,
                   struct actor *result)
{
    size_t set = set_of(token);
    bool found = false;

    if (!revisions_current(s->revisions, now_us))
        return false;
    pthread_mutex_lock(&s->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        struct entry *e = &s->sets[set][i];
        if (e->until_us <= now_us || memcmp(&e->token, token, sizeof(*token)) != 0)
            continue;
        if (sessions_unchanged(s, &e->actor, e->since)) {
            *result = e->actor;
            found = true;
        } else {
            e->until_us = 0;
        }
    }
    pthread_mutex_unlock(&s->locks[set % LOCKS]);
    return found;
}

void sessions_put(struct sessions *s, const struct sha256 *token, int64_t now_us, uint64_t since,
                  const struct actor *actor)
{
    size_t set = set_of(token);

    pthread_mutex_lock(&s->locks[set % LOCKS]);
    struct entry *at = &s->sets[set][0];
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *e = &s->sets[set][i];
        if (memcmp(&e->token, token, sizeof(*token)) == 0) {
            at = e;
            break;
        }
        if (e->until_us < at->until_us)
            at = e;
    }
    *at = (struct entry) { *token, now_us + MINUTE, since, *actor };
    pthread_mutex_unlock(&s->locks[set % LOCKS]);
}
