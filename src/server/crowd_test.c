/* crowd_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/crowd.h"
#include "test/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct somebody {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } at;
};

static struct somebody at(const char *text)
{
    struct somebody s = { .at.four = { .sin_family = AF_INET } };

    if (inet_pton(AF_INET, text, &s.at.four.sin_addr) == 1)
        return s;
    s.at.six = (struct sockaddr_in6) { .sin6_family = AF_INET6 };
    inet_pton(AF_INET6, text, &s.at.six.sin6_addr);
    return s;
}

/* How many of that address are let in, of ten. */
static int let_in(struct crowd *c, const char *text)
{
    struct somebody s = at(text);
    int n = 0;

    for (int i = 0; i < 10; i++)
        if (crowd_has_room(c, &s.at.any)) {
            crowd_join(c, &s.at.any);
            n++;
        }
    return n;
}

TEST(one_address_has_so_many_connections)
{
    struct crowd *c = crowd_open(3, 7);
    struct somebody a = at("192.0.2.1");

    CHECK_INT(let_in(c, "192.0.2.1"), 3);
    CHECK_INT(let_in(c, "::ffff:192.0.2.1"), 0);
    CHECK_INT(let_in(c, "192.0.2.2"), 3);
    CHECK_INT(let_in(c, "2001:db8::1"), 3);
    CHECK_INT(let_in(c, "2001:db8::2"), 0); /* of the same /64 */
    CHECK_INT(let_in(c, "2001:db8:0:1::1"), 3);
    crowd_leave(c, &a.at.any);
    CHECK_INT(let_in(c, "192.0.2.1"), 1);
    crowd_close(c);
}

TEST(this_machine_is_not_limited)
{
    static const char *const own[] = { "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1" };
    struct crowd *c = crowd_open(3, 7);

    for (size_t i = 0; i < COUNT(own); i++)
        CHECK_INT(let_in(c, own[i]), 10);
    crowd_close(c);
    c = crowd_open(0, 7);
    CHECK_INT(let_in(c, "192.0.2.1"), 10);
    crowd_close(c);
}
