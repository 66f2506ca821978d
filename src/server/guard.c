/* guard.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/guard.h"
#include "server/state.h"

#include <arpa/inet.h>
#include <inttypes.h>

enum { TOKEN_BYTES = 200 }; /* ours have 43 */

static const struct rate usual = { .a_minute = 600, .burst = 120 };

/* --- who -------------------------------------------------------------------------------------------------------- */

static struct str cookie_of(struct str cookies, struct str name)
{
    struct str one;

    while (cookies.n > 0) {
        cookies = str_split(cookies, ';', &one);
        one = str_trim(one);
        if (one.n > name.n && str_eq(str_cut(one, 0, name.n), name))
            return str_cut(one, name.n, one.n);
    }
    return STR_NONE;
}

void guard_token(struct request *r)
{
    struct str authorization = r->known[KNOWN_AUTHORIZATION], token;

    if (authorization.n > 7 && strncasecmp(authorization.p, "Bearer ", 7) == 0) {
        r->by_bearer = true;
        token = str_trim(str_cut(authorization, 7, authorization.n));
    } else {
        token = cookie_of(r->known[KNOWN_COOKIE], r->server->cookie);
    }
    if (token.n == 0 || token.n > TOKEN_BYTES)
        return;
    r->token = str_copy(&r->arena, token);
    r->token_hash = sha256_of(token);
}

struct str guard_network(struct arena *a, struct str address)
{
    struct in6_addr six;

    if (memchr(address.p, ':', address.n) == NULL ||
        inet_pton(AF_INET6, str_copy(a, address).p, &six) != 1)
        return address;
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return str_cut(str_copy(a, (struct str) { (char *)&six, 16 }), 12, 4);
    return str_copy(a, (struct str) { (char *)&six, 8 });
}

static bool is_proxy(const struct request *r, struct str address)
{
    struct str list = r->server->proxies, one;

    while (list.n > 0) {
        list = str_split(list, ',', &one);
        if (str_eq(str_trim(one), address))
            return true;
    }
    return false;
}

/* Each proxy adds at the end who called it; so, from the end on, the first that is no proxy of ours is the client. */
struct str guard_address(const struct request *r)
{
    struct str address = r->peer, list = r->known[KNOWN_FORWARDED_FOR];

    while (list.n > 0 && is_proxy(r, address)) {
        size_t at = list.n;
        while (at > 0 && list.p[at - 1] != ',')
            at--;
        struct str last = str_trim(str_cut(list, at, list.n));
        list = str_cut(list, 0, at == 0 ? 0 : at - 1);
        if (last.n == 0 || last.n > 45)
            break;
        address = last;
    }
    return address;
}

/* --- may he? ---------------------------------------------------------------------------------------------------- */

static bool same_origin(const struct request *r, struct str origin)
{
    struct str host = r->known[KNOWN_HOST],
               scheme = r->server->https ? STR("https://") : STR("http://");

    if (str_eq(origin, r->server->env->public_url))
        return true;
    return origin.n == scheme.n + host.n && str_eq(str_cut(origin, 0, scheme.n), scheme) &&
           str_eq(str_cut(origin, scheme.n, host.n), host);
}

/* A browser tells where a request comes from; one that carries our cookie and does not say so is not believed. Other
 * clients use tokens, which no foreign page can send. */
static enum err check_site(struct request *r)
{
    struct str site = r->known[KNOWN_SEC_FETCH_SITE], origin = r->known[KNOWN_ORIGIN];
    bool good = site.p != NULL && (str_is(site, "same-origin") || str_is(site, "none"));

    if (r->method == GET || r->by_bearer || r->route->auth == SIGNED)
        return E_OK;
    if (site.p == NULL && origin.p != NULL)
        good = same_origin(r, origin);
    if (!good && (site.p != NULL || origin.p != NULL || r->call.actor.by_cookie))
        return fail_field(&r->call, E_CROSS_SITE, site.p != NULL ? "Sec-Fetch-Site" : "Origin",
                          "Send Origin: %.*s (browsers do so for the site's own pages), or use a "
                          "bearer token.",
                          STR_FMT(r->server->env->public_url));
    return E_OK;
}

static enum err check_auth(struct request *r)
{
    const struct actor *who = &r->call.actor;

    switch (r->route->auth) {
    case ANYONE:
    case SIGNED:
        return E_OK;
    case DEVELOPMENT:
        return r->server->env->development ? E_OK : E_NOT_FOUND;
    case FAN:
    case CREATOR:
    case MODERATOR:
    case ADMIN:
        break;
    case AUTH_UNSET:
        must_failed("a route has its auth", __FILE__, __LINE__);
    }
    if (!id_some(who->account))
        return E_SIGNED_OUT;
    if (r->route->auth == CREATOR && !who->creator)
        return E_NOT_CREATOR;
    if (r->route->auth == MODERATOR && who->role == ROLE_USER)
        return E_FORBIDDEN;
    if (r->route->auth == ADMIN && who->role != ROLE_ADMIN)
        return E_FORBIDDEN;
    return E_OK;
}

static enum err check_rate(struct request *r)
{
    struct rate rate = r->route->rate;
    bool own = rate.a_minute != 0;
    struct str who = id_some(r->call.who)
                         ? (struct str) { (const char *)&r->call.who, sizeof(r->call.who) }
                         : guard_network(&r->arena, guard_address(r));

    if (!r->server->limit_rates)
        return E_OK;
    int64_t wait = limiter_take(r->server->limiter, who, own ? r->match.pattern->number + 1 : 0,
                                own ? rate : usual, r->began_us);
    if (wait == 0)
        return E_OK;
    metrics_add(r->server->metrics, METRIC_RATE_LIMITED, 1);
    fail(&r->call, E_RATE_LIMITED, "Try again in %" PRId64 " seconds.", wait);
    r->call.problem.retry_after = wait;
    return E_RATE_LIMITED;
}

static enum err check_key(struct request *r)
{
    struct str key = r->known[KNOWN_IDEMPOTENCY_KEY];
    const char *name = "Idempotency-Key";

    if (r->method == GET)
        return E_OK;
    if (key.p == NULL)
        return r->route->idempotent
                   ? fail_field(
                         &r->call, E_KEY_REQUIRED, name,
                         "Send a header Idempotency-Key with a value of your own (a UUID, say), "
                         "the same when you try again.")
                   : E_OK;
    bool good = key.n >= 1 && key.n <= 255;
    for (size_t i = 0; i < key.n && good; i++)
        good = key.p[i] > ' ' && key.p[i] < 0x7f;
    if (!good)
        return fail_field(&r->call, E_INVALID, name, "must be 1 to 255 visible ASCII characters");
    if (r->route->tx == WRITE)
        r->call.idempotency_key = key;
    return E_OK;
}

/* The declared length; one that is not declared is watched while it comes (request_body). */
static enum err check_length(struct request *r)
{
    if (r->length <= r->body_max)
        return E_OK;
    return fail_field(&r->call, E_TOO_LARGE, "Content-Length",
                      "The body has %" PRId64 " bytes; this route takes at most %" PRId64 ".",
                      r->length, r->body_max);
}

static bool is_json(struct str type)
{
    struct str media;

    str_split(type, ';', &media);
    media = str_trim(media);
    return media.n == 16 && strncasecmp(media.p, "application/json", 16) == 0;
}

static enum err check_type(struct request *r)
{
    struct str type = r->known[KNOWN_CONTENT_TYPE], coding = r->known[KNOWN_CONTENT_ENCODING];

    bool plain = coding.n == 0 || (coding.n == 8 && strncasecmp(coding.p, "identity", 8) == 0);

    if (!plain && request_has_body(r))
        return fail_field(&r->call, E_UNSUPPORTED_TYPE, "Content-Encoding",
                          "Send the body as it is, not compressed.");
    if (r->route->wire != WIRE_JSON || r->method == GET || !request_has_body(r) || is_json(type))
        return E_OK;
    return fail_field(&r->call, E_UNSUPPORTED_TYPE, "Content-Type",
                      "Send the body as application/json.");
}

/* A change that hangs on the state it finds is not done in the hope that it fits. */
static enum err check_conditions(struct request *r)
{
    bool match = r->known[KNOWN_IF_MATCH].p != NULL;

    if (r->method == GET || (!match && r->known[KNOWN_IF_NONE_MATCH].p == NULL))
        return E_OK;
    return fail_field(&r->call, E_PRECONDITION_FAILED, match ? "If-Match" : "If-None-Match",
                      "Changes take no conditions here, and nothing was changed. Send it without.");
}

enum err guard(struct request *r)
{
    TRY(check_site(r));
    TRY(check_auth(r));
    TRY(check_rate(r));
    TRY(check_key(r));
    TRY(check_type(r));
    TRY(check_length(r));
    return check_conditions(r);
}
