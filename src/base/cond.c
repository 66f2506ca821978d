/* cond.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cond.h"
#include "base/when.h"

#include <time.h>

bool cond_wait_us(pthread_cond_t *c, pthread_mutex_t *held, int64_t for_us)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += for_us % SECOND * 1000;
    t.tv_sec += for_us / SECOND + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return pthread_cond_clockwait(c, held, CLOCK_MONOTONIC, &t) == 0;
}
