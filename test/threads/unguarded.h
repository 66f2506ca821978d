/* unguarded.h -- for the control of this test: the file that is compiled with it takes no locks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_THREADS_UNGUARDED_H
#define TEST_THREADS_UNGUARDED_H

#include <pthread.h>

static inline int unguarded(pthread_mutex_t *lock)
{
    (void)lock;
    return 0;
}
#define pthread_mutex_lock   unguarded
#define pthread_mutex_unlock unguarded

#endif
