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

enum { PLACES = 4096, AGAIN_US = 60 * SECOND };

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

static void empty(struct hot *h, struct place *p)
{
    if (p->file == NULL)
        return;
    h->bytes -= p->file->n;
    metrics_add(h->metrics, METRIC_CACHE_BYTES, -(int64_t)p->file->n);
    hot_drop(p->file);
    p->file = NULL;
}

/* Who is wanted stays for a round, so two rounds find room wherever there is some. */
static bool make_room(struct hot *h, size_t n)
{
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

/* f, or NULL: there is no room for it, and it is gone. */
static struct hot_file *take_in(struct hot *h, const struct sha256 *name, struct hot_file *f)
{
    pthread_mutex_lock(&h->lock);
    struct place *p = place_of(h, name);
    bool in = p != NULL && p->file == NULL && make_room(h, f->n);
    if (in) {
        p->file = hold(f);
        p->wanted = true;
        h->bytes += f->n;
        metrics_add(h->metrics, METRIC_CACHE_BYTES, (int64_t)f->n);
    }
    pthread_mutex_unlock(&h->lock);
    if (in)
        return f;
    hot_drop(f);
    return NULL;
}

struct hot_file *hot_ask(struct hot *h, struct str name, int fd, int64_t size, int64_t now_us)
{
    struct sha256 key = sha256_of(name);
    struct hot_file *f = NULL;
    bool again = false;

    if (size > HOT_FILE_MAX || (size_t)size > h->bytes_max)
        return NULL;
    pthread_mutex_lock(&h->lock);
    struct place *p = place_of(h, &key);
    if (p != NULL) {
        again = p->asked_us != 0 && now_us - p->asked_us < AGAIN_US;
        p->asked_us = now_us;
        p->wanted = p->file != NULL;
        f = p->file == NULL ? NULL : hold(p->file);
    }
    pthread_mutex_unlock(&h->lock);
    if (f == NULL && again && (f = load(fd, (size_t)size)) != NULL)
        f = take_in(h, &key, f);
    return f;
}

void hot_close(struct hot *h)
{
    for (size_t i = 0; i < PLACES; i++)
        empty(h, &h->places[i]);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
