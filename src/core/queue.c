/* queue.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue.h"

#include <time.h>

void queue_init(struct queue *q, size_t max)
{
    *q = (struct queue) { .max = max };
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->some, NULL);
}

void queue_done(struct queue *q)
{
    must(q->head == NULL);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->some);
}

bool queue_push(struct queue *q, struct call *c)
{
    pthread_mutex_lock(&q->lock);
    bool room = q->n < q->max && !q->stopping;
    if (room) {
        c->next = NULL;
        if (q->tail == NULL)
            q->head = c;
        else
            q->tail->next = c;
        q->tail = c;
        q->n++;
        pthread_cond_signal(&q->some);
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

struct call *queue_pop(struct queue *q, size_t most)
{
    pthread_mutex_lock(&q->lock);
    while (q->head == NULL && !q->stopping)
        pthread_cond_wait(&q->some, &q->lock);
    struct call *first = q->head, *last = NULL;
    for (size_t i = 0; i < most && q->head != NULL; i++) {
        last = q->head;
        q->head = last->next;
        q->n--;
    }
    if (last != NULL)
        last->next = NULL;
    if (q->head == NULL)
        q->tail = NULL;
    pthread_mutex_unlock(&q->lock);
    return first;
}

static struct timespec soon(long us)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += us * 1000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

void queue_gather(struct queue *q, size_t more, long gap_us, long all_us)
{
    int64_t end_us = monotonic_us() + all_us;
    size_t had;

    pthread_mutex_lock(&q->lock);
    size_t want = q->n + more;
    do {
        struct timespec until = soon(gap_us);
        had = q->n;
        while (q->n == had && !q->stopping &&
               pthread_cond_timedwait(&q->some, &q->lock, &until) == 0) {
        }
    } while (q->n > had && q->n < want && !q->stopping && monotonic_us() < end_us);
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
