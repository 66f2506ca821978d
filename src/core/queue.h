/* queue.h -- calls that wait for a thread. First in, first out; bounded. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/call.h"

#include <pthread.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct call *head, *tail;
    size_t n, max;
    bool stopping;
};

void queue_init(struct queue *q, size_t max);
void queue_done(struct queue *q);
/* False when it is full or stopping. */
bool queue_push(struct queue *q, struct call *c);
/* Waits for one; then takes up to most, linked by ->next. NULL when stopping and empty. */
struct call *queue_pop(struct queue *q, size_t most);
/* Waits while calls keep coming, at most gap_us for each next one and all_us for all, until there are `more` than now. */
void queue_gather(struct queue *q, size_t more, long gap_us, long all_us);
void queue_stop(struct queue *q);
size_t queue_length(struct queue *q);

#endif
