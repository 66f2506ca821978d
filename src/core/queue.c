/* queue.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue.h"
#include "base/cond.h"

void queue_init(struct queue *q, size_t max, int64_t patience_us)
{
    *q = (struct queue) { .max = max, .wanted = 1, .patience_us = patience_us };
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->some, NULL);
}

void queue_done(struct queue *q)
{
    must(q->n == 0);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->some);
}

static void line_add(struct queue_line *l, struct call *c)
{
    c->next = NULL;
    if (l->tail == NULL)
        l->head = c;
    else
        l->tail->next = c;
    l->tail = c;
}

static struct call *line_take(struct queue_line *l)
{
    struct call *c = l->head;

    if (c != NULL && (l->head = c->next) == NULL)
        l->tail = NULL;
    return c;
}

static bool is_slow(const struct queue *q, int64_t now_us)
{
    const struct call *first = q->usual.head;

    return q->patience_us > 0 && q->n >= QUEUE_CROWD && first != NULL &&
           now_us - first->queued_us > q->patience_us;
}

bool queue_push(struct queue *q, struct call *c, int64_t now_us)
{
    pthread_mutex_lock(&q->lock);
    bool full = q->n >= q->max, late = !full && !c->vital && is_slow(q, now_us);
    bool room = !full && !late && !q->stopping;
    if (room) {
        c->queued_us = now_us;
        line_add(c->vital ? &q->vital : &q->usual, c);
        if (++q->n >= q->wanted)
            pthread_cond_signal(&q->some);
    }
    pthread_mutex_unlock(&q->lock);
    __atomic_add_fetch(&q->full, full, __ATOMIC_RELAXED);
    __atomic_add_fetch(&q->late, late, __ATOMIC_RELAXED);
    return room;
}

struct call *queue_pop(struct queue *q, size_t most)
{
    struct queue_line taken = { NULL, NULL };
    struct call *c;

    pthread_mutex_lock(&q->lock);
    while (q->n == 0 && !q->stopping)
        pthread_cond_wait(&q->some, &q->lock);
    for (size_t i = 0; i < most && q->n > 0; i++) {
        c = line_take(&q->vital);
        line_add(&taken, c != NULL ? c : line_take(&q->usual));
        q->n--;
    }
    pthread_mutex_unlock(&q->lock);
    return taken.head;
}

bool queue_too_late(struct queue *q, const struct call *c, int64_t now_us)
{
    bool late = q->patience_us > 0 && !c->vital && now_us - c->queued_us > 3 * q->patience_us &&
                queue_length(q) >= QUEUE_CROWD;

    __atomic_add_fetch(&q->late, late, __ATOMIC_RELAXED);
    return late;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void queue_gather(struct queue *q, size_t more, size_t most, int64_t gap_us, int64_t all_us)
{
    int64_t left_us = all_us, end_us = monotonic_us() + all_us;
    size_t had = SIZE_MAX;

    pthread_mutex_lock(&q->lock);
    q->wanted = least(q->n + more, least(most, q->max));
    while (q->n != had && q->n < q->wanted && !q->stopping && left_us > 0) {
        had = q->n;
        while (q->n < q->wanted && !q->stopping &&
               cond_wait_us(&q->some, &q->lock, gap_us < left_us ? gap_us : left_us)) {
        }
        left_us = end_us - monotonic_us();
    }
    q->wanted = 1;
    pthread_mutex_unlock(&q->lock);
}

void queue_stop(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_broadcast(&q->some);
    pthread_mutex_unlock(&q->lock);
}

size_t queue_length(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}
