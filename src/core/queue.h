/* queue.h -- calls that wait for a thread. Bounded by number, and by time: when the first in line has waited for long, the
 * next would wait as long, and is better told so at once. A few in line are no crowd: if they wait, the thread is held up (by
 * a slow disk, say), and will serve them all as soon as it goes on.
 *
 * Vital calls (route.vital, jobs, events) stand in front of the others, and only the number bounds them. Each of the two lines
 * is first in, first out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/call.h"

#include <pthread.h>

enum { QUEUE_CROWD = 10 };

struct queue_line {
    struct call *head, *tail;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct queue_line vital, usual;
    size_t n, max;
    size_t wanted;       /* so many wake a thread that waits */
    int64_t patience_us; /* 0: no bound by time */
    bool stopping;
    uint64_t full, late; /* calls that were turned away; atomic */
};

void queue_init(struct queue *q, size_t max, int64_t patience_us);
void queue_done(struct queue *q);
/* False when it is full or stopping, or when there is a crowd whose first has waited longer than patience_us. now_us: monotonic. */
bool queue_push(struct queue *q, struct call *c, int64_t now_us);
/* Waits for one; then takes up to most, linked by ->next. NULL when stopping and empty. */
struct call *queue_pop(struct queue *q, size_t most);
/* A call that was taken out: has it waited three times as long as it should have, and is there a crowd behind it still? Then
 * it is counted, and should be told to come again. */
bool queue_too_late(struct queue *q, const struct call *c, int64_t now_us);
/* Waits while calls keep coming, until there are `more` than now or `most`: looks every gap_us whether there was one, for all_us at most.
 * Nobody is woken for each of them. The only thread that waits here. */
void queue_gather(struct queue *q, size_t more, size_t most, int64_t gap_us, int64_t all_us);
void queue_stop(struct queue *q);
size_t queue_length(struct queue *q);

#endif
