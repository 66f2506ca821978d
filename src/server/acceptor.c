/* acceptor.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/acceptor.h"
#include "base/check.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FULL_MS = 10, STARVED_MS = 100 };

struct acceptor {
    struct MHD_Daemon *daemon;
    int64_t *open, max; /* open: atomic */
    int listener, stop;
    pthread_t thread;
};

/* How long to leave the listener alone: -1: until somebody comes. */
static int accept_one(struct acceptor *a)
{
    struct sockaddr_storage address;
    struct sockaddr *at = (struct sockaddr *)(void *)&address;
    socklen_t n = sizeof(address);

    if (__atomic_load_n(a->open, __ATOMIC_ACQUIRE) >= a->max)
        return FULL_MS;
    int fd = accept4(a->listener, at, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        __atomic_add_fetch(a->open, 1, __ATOMIC_ACQ_REL);
        if (MHD_add_connection(a->daemon, fd, at, n) != MHD_YES) /* it has closed it */
            __atomic_sub_fetch(a->open, 1, __ATOMIC_ACQ_REL);
        return 0;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return STARVED_MS;
    return errno == EAGAIN ? -1 : 0; /* others: that one went away before we came */
}

static void *accept_all(void *arg)
{
    struct acceptor *a = arg;
    int rest_ms = 0;

    for (;;) {
        struct pollfd p[] = { { .fd = a->stop, .events = POLLIN },
                              { .fd = rest_ms > 0 ? -1 : a->listener, .events = POLLIN } };
        poll(p, COUNT(p), rest_ms);
        if (p[0].revents != 0)
            return NULL;
        rest_ms = accept_one(a);
    }
}

struct acceptor *acceptor_start(struct MHD_Daemon *daemon, int64_t *open, int64_t max)
{
    struct acceptor *a = calloc(1, sizeof(*a));

    must(a != NULL);
    *a = (struct acceptor) { .daemon = daemon, .open = open, .max = max };
    a->stop = eventfd(0, EFD_CLOEXEC);
    a->listener = MHD_quiesce_daemon(daemon);
    must(a->stop >= 0 && a->listener >= 0);
    must(pthread_create(&a->thread, NULL, accept_all, a) == 0);
    return a;
}

void acceptor_stop(struct acceptor *a)
{
    if (a == NULL)
        return;
    eventfd_write(a->stop, 1);
    pthread_join(a->thread, NULL);
    close(a->listener);
    close(a->stop);
    free(a);
}
