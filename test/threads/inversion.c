/* inversion.c -- for the control of this test: two threads take two locks, one after the other, in different orders. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stddef.h>

struct pair {
    pthread_mutex_t *first, *second;
};

static void *take(void *arg)
{
    struct pair *p = arg;

    pthread_mutex_lock(p->first);
    pthread_mutex_lock(p->second);
    pthread_mutex_unlock(p->second);
    pthread_mutex_unlock(p->first);
    return NULL;
}

int main(void)
{
    pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
    struct pair pairs[] = { { &a, &b }, { &b, &a } };

    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, take, &pairs[i]);
        pthread_join(thread, NULL);
    }
    return 0;
}
