/* crowd.c -- a table of counters; addresses that fall on one counter share their limit, which is rare and does little. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/crowd.h"
#include "base/check.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 1 << 16 };

struct crowd {
    unsigned max;
    uint64_t seed;
    unsigned counters[COUNTERS]; /* atomic */
};

/* What tells clients apart. False: this machine. */
static bool client_of(const struct sockaddr *address, uint64_t *result)
{
    uint32_t four = 0;

    *result = 0;
    if (address->sa_family == AF_INET) {
        four = ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *six =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_LOOPBACK(six))
            return false;
        if (!IN6_IS_ADDR_V4MAPPED(six)) {
            memcpy(result, six, sizeof(*result));
            return true;
        }
        memcpy(&four, six->s6_addr + 12, sizeof(four));
    }
    *result = four;
    return ntohl(four) >> 24 != 127;
}

/* NULL: not counted. */
static unsigned *counter_of(struct crowd *c, const struct sockaddr *address)
{
    uint64_t h;

    if (c->max == 0 || !client_of(address, &h))
        return NULL;
    h = (h ^ c->seed) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (h >> 32)) * UINT64_C(0xD6E8FEB86659FD93);
    return &c->counters[h >> 48];
}

struct crowd *crowd_open(unsigned max, uint64_t seed)
{
    struct crowd *c = calloc(1, sizeof(*c));

    must(c != NULL);
    c->max = max;
    c->seed = seed;
    return c;
}

void crowd_close(struct crowd *c)
{
    free(c);
}

bool crowd_has_room(struct crowd *c, const struct sockaddr *address)
{
    unsigned *n = counter_of(c, address);

    return n == NULL || __atomic_load_n(n, __ATOMIC_RELAXED) < c->max;
}

void crowd_join(struct crowd *c, const struct sockaddr *address)
{
    unsigned *n = counter_of(c, address);

    if (n != NULL)
        __atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

void crowd_leave(struct crowd *c, const struct sockaddr *address)
{
    unsigned *n = counter_of(c, address);

    if (n != NULL)
        must(__atomic_fetch_sub(n, 1, __ATOMIC_RELAXED) > 0);
}
