/* hot.c -- a table with one place for each name, and a hand that goes round it when room is needed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/hot.h"

#include "base/crypto.h"
#include "base/check.h"
#include "base/when.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 4096, AGAIN_US = 60 * SECOND, FULL_US = SECOND };

struct place {
    struct sha256 name; /* who was asked for last */
    int64_t asked_us;   /* 0: nobody yet */
    struct hot_file *file;
    bool wanted; /* since the hand was here */
};

struct hot {
    pthread_mutex_t lock;
    struct metrics *metrics;
    size_t bytes, bytes_max, hand;
    int64_t full_until_us; /* what is there is held, or wanted by all */
    struct place places[PLACES];
};

struct hot *hot_open(size_t bytes_max, struct metrics *m)
{
    struct hot *h = calloc(1, sizeof(*h));

    must(h != NULL);
    pthread_mutex_init(&h->lock, NULL);
    h->bytes_max = bytes_max;
    h->metrics = m;
    return h;
}

void hot_drop(struct hot_file *f)
{
    if (f != NULL && __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(f);
}

static struct hot_file *hold(struct hot_file *f)
{
    __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

/* --- with the lock ---------------------------------------------------------------------------------------------- */

/* Only here and with the lock does somebody get a reference, so one that is ours alone stays so. */
static bool is_held(const struct place *p)
{
    return p->file != NULL && __atomic_load_n(&p->file->refs, __ATOMIC_ACQUIRE) > 1;
}

static void count(struct hot *h, int64_t n)
{
    h->bytes += (size_t)n;
    metrics_add(h->metrics, METRIC_CACHE_BYTES, n);
}

static void empty(struct hot *h, struct place *p)
{
    if (p->file == NULL)
        return;
    count(h, -(int64_t)p->file->n);
    hot_drop(p->file);
    p->file = NULL;
}

static size_t held_bytes(const struct hot *h)
{
    size_t n = 0;

    for (size_t i = 0; i < PLACES; i++)
        n += is_held(&h->places[i]) ? h->places[i].file->n : 0;
    return n;
}

/* Who is wanted stays for a round, so two rounds find room where there is some; where there is none, nobody has to go, and a
 * while passes before it is tried again. */
static bool make_room(struct hot *h, size_t n, int64_t now_us)
{
    if (h->bytes + n > h->bytes_max && held_bytes(h) + n > h->bytes_max) {
        h->full_until_us = now_us + FULL_US;
        return false;
    }
    for (size_t i = 0; i < (size_t)2 * PLACES && h->bytes + n > h->bytes_max; i++) {
        struct place *p = &h->places[h->hand++ % PLACES];
        if (!p->wanted && !is_held(p))
            empty(h, p);
        p->wanted = false;
    }
    return h->bytes + n <= h->bytes_max;
}

/* The name's place; NULL: somebody else has it who is held, or is wanted and may keep it this time. */
static struct place *place_of(struct hot *h, const struct sha256 *name)
{
    struct place *p = &h->places[((size_t)name->b[0] << 8 | name->b[1]) % PLACES];

    if (memcmp(&p->name, name, sizeof(*name)) == 0)
        return p;
    if (p->file != NULL && (p->wanted || is_held(p))) {
        p->wanted = false;
        return NULL;
    }
    empty(h, p);
    *p = (struct place) { .name = *name };
    return p;
}

/* --- without ---------------------------------------------------------------------------------------------------- */

static struct hot_file *load(int fd, size_t n)
{
    struct hot_file *f = malloc(sizeof(*f) + n);

    if (f == NULL)
        return NULL;
    *f = (struct hot_file) { .refs = 1, .n = n };
    if (pread(fd, f->bytes, n, 0) == (ssize_t)n)
        return f;
    free(f);
    return NULL;
}

/* What was promised room is in, or it was in vain. */
static struct hot_file *take_in(struct hot *h, const struct sha256 *name, struct hot_file *f,
                                size_t n)
{
    pthread_mutex_lock(&h->lock);
    struct place *p = f == NULL ? NULL : place_of(h, name);
    bool in = p != NULL && p->file == NULL;
    if (in) {
        p->file = hold(f);
        p->wanted = true;
    } else {
        count(h, -(int64_t)n);
    }
    pthread_mutex_unlock(&h->lock);
    if (in)
        return f;
    hot_drop(f);
    return NULL;
}

/* With the lock: whether it should come in; its room is taken then. */
static bool asked_again(struct hot *h, struct place *p, size_t n, int64_t now_us)
{
    bool again = p->asked_us != 0 && now_us - p->asked_us < AGAIN_US;

    p->asked_us = now_us;
    if (!again || now_us < h->full_until_us || !make_room(h, n, now_us))
        return false;
    count(h, (int64_t)n);
    return true;
}

struct hot_file *hot_ask(struct hot *h, struct str name, int fd, int64_t size, int64_t now_us)
{
    struct sha256 key = sha256_of(name);
    struct hot_file *f = NULL;
    bool comes = false;

    if (size > HOT_FILE_MAX || (size_t)size > h->bytes_max)
        return NULL;
    pthread_mutex_lock(&h->lock);
    struct place *p = place_of(h, &key);
    if (p != NULL && p->file != NULL) {
        p->wanted = true;
        f = hold(p->file);
    } else if (p != NULL) {
        comes = asked_again(h, p, (size_t)size, now_us);
    }
    pthread_mutex_unlock(&h->lock);
    return comes ? take_in(h, &key, load(fd, (size_t)size), (size_t)size) : f;
}

void hot_close(struct hot *h)
{
    for (size_t i = 0; i < PLACES; i++)
        empty(h, &h->places[i]);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
