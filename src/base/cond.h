/* cond.h -- waiting for somebody, but not for ever. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_COND_H
#define BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Until it is signalled (or, as always with these, for no reason), or for_us have passed on the machine's monotonic clock, which
 * nobody can set back. False: the time has passed. */
bool cond_wait_us(pthread_cond_t *c, pthread_mutex_t *held, int64_t for_us);

#endif
