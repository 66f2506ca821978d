/* header_fuzz.c -- single headers: If-None-Match (answer.c), Accept-Encoding (web.c), X-Forwarded-For and networks (guard.c).
 *
 * An input is a line each: tag, If-None-Match, Accept-Encoding, our proxies, the socket's peer, X-Forwarded-For. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/answer.h"
#include "server/guard.h"
#include "server/state.h"
#include "test/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

/* Without what an address, a tag or a coding has not: white space at the ends. */
static size_t parts_of(struct str list, struct arena *a, struct str **result)
{
    struct str *part = arena_array(a, struct str, list.n + 1);
    size_t n = 0;

    while (list.p != NULL) {
        list = str_split(list, ',', &part[n]);
        part[n] = str_trim(part[n]);
        n++;
    }
    *result = part;
    return n;
}

static void check_tags(struct str list, struct str tag, struct arena *a)
{
    struct str *part;
    size_t n = parts_of(list, a, &part);
    bool wanted = false;

    for (size_t i = 0; i < n; i++) {
        bool weak = part[i].n > 1 && part[i].p[0] == 'W' && part[i].p[1] == '/';
        struct str bare = weak ? str_cut(part[i], 2, part[i].n) : part[i];
        wanted |= str_is(bare, "*") || str_eq(bare, tag);
    }
    if (tag.n > 0)
        HOLDS(etag_listed(list, tag) == wanted);
    HOLDS(!etag_listed(list, STR_NONE));
    HOLDS(!etag_listed(STR_NONE, tag) && !etag_listed(STR(""), tag));
    if (wanted)
        fuzz_taken();
}

/* RFC 9110, 12.4.2: a weight is 0 or 1 with at most three decimals; q=0, with as many zeros as you like, is a no. */
static bool is_no(struct str parameter)
{
    return str_starts(parameter, "q=0") && strspn(parameter.p + 3, ".0") >= parameter.n - 3;
}

static enum encoding naive_encoding(struct str accept, struct arena *a)
{
    static const char *const names[] = { [GZIP] = "gzip", [BROTLI] = "br" };
    struct str *part;
    size_t n = parts_of(accept, a, &part);

    for (int e = BROTLI; e > IDENTITY; e--)
        for (size_t i = 0; i < n; i++) {
            struct str name, weight = str_split(part[i], ';', &name);
            weight = str_copy(a, str_trim(weight));
            if (str_is(str_trim(name), names[e]) && (weight.p == NULL || !is_no(weight)))
                return (enum encoding)e;
        }
    return IDENTITY;
}

/* From the socket backwards, as long as it is one of ours who speaks. */
static struct str naive_address(struct str proxies, struct str peer, struct str list,
                                struct arena *a)
{
    struct str *ours, *hops, at = peer;
    size_t ours_n = proxies.n == 0 ? 0 : parts_of(proxies, a, &ours);
    size_t n = list.n == 0 ? 0 : parts_of(list, a, &hops);

    for (size_t i = n; i > 0; i--) {
        bool is_ours = false;
        for (size_t k = 0; k < ours_n; k++)
            is_ours |= str_eq(ours[k], at);
        if (!is_ours || hops[i - 1].n == 0 || hops[i - 1].n > 45)
            break;
        at = hops[i - 1];
    }
    return at;
}

static void check_network(struct str address, struct arena *a)
{
    struct str network = guard_network(a, address);
    struct in6_addr six;
    bool is_six = memchr(address.p == NULL ? "" : address.p, 0, address.n) == NULL &&
                  inet_pton(AF_INET6, str_copy(a, address).p, &six) == 1;

    HOLDS(is_six ? network.n == (IN6_IS_ADDR_V4MAPPED(&six) ? 4 : 8) &&
                       memmem(&six, 16, network.p, network.n) != NULL
                 : str_eq(network, address));
}

/* request_line lets no others in. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\n') || s.p[i] == 0x7f)
            return false;
    return true;
}

FUZZ(header)
{
    struct str rest = in;

    if (!is_plain(in))
        return;
    struct str tag = fuzz_line(&rest, a), list = fuzz_line(&rest, a), accept = fuzz_line(&rest, a);
    struct server server = { .proxies = fuzz_line(&rest, a) };
    struct request *r = arena_new(a, struct request);

    check_tags(list, tag, a);
    HOLDS(encoding_wanted(accept) == naive_encoding(accept, a));
    r->server = &server;
    r->peer = fuzz_line(&rest, a);
    r->known[KNOWN_FORWARDED_FOR] = fuzz_line(&rest, a);
    if (r->peer.n == 0) /* a socket has one */
        return;
    struct str address = guard_address(r);
    HOLDS(
        str_eq(address, naive_address(server.proxies, r->peer, r->known[KNOWN_FORWARDED_FOR], a)));
    check_network(address, a);
}
