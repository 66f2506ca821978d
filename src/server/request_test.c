/* request_test.c -- what is decided before and after a handler, without sockets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/env.h"
#include "core/db.h"
#include "core/exec.h"
#include "core/revisions.h"
#include "test/hall.h"

#include <pthread.h>

#define HEADERS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static const char hello[] = "{\"text\":\"hello\"}";

/* --- same site -------------------------------------------------------------------------------------------------- */

static const char *cookie_header(struct hall *h)
{
    return str_printf(h->arena, "Cookie: theme=dark; sid=%.*s", STR_FMT(h->token)).p;
}

TEST(cookie_requests_must_come_from_this_site)
{
    struct hall *h = hall_open("sqlite", NULL);
    const char *cookie = cookie_header(h);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/v1/me", NULL, HEADERS(cookie)), 200);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL, HEADERS(cookie)), 403);
    CHECK_STR(hall_member(h, "code"), "cross_site");
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                       HEADERS(cookie, "Sec-Fetch-Site: same-origin")),
              204);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                       HEADERS(cookie, "Origin: http://127.0.0.1:8080")),
              204);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                       HEADERS(cookie, "Origin: http://localhost")),
              204); /* server_call's Host */
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                       HEADERS(cookie, "Origin: https://evil.example")),
              403);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL, HEADERS(cookie, "Origin: null")),
              403);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                       HEADERS(cookie, "Sec-Fetch-Site: same-site")),
              403);
    CHECK_INT(
        hall_ask(h, STR_NONE, "POST", "/t/touch/1", NULL,
                 HEADERS(cookie, "Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1:8080")),
        403);
    hall_close(h);
}

/* Else a foreign page could sign its visitor in as somebody else. */
TEST(signing_in_from_another_site_is_refused)
{
    struct hall *h = hall_open("sqlite", NULL);
    const char *body =
        "{\"email\":\"ana@example.org\",\"password\":\"correct horse battery staple\"}";

    CHECK_INT(
        hall_ask(h, STR_NONE, "POST", "/v1/sessions", body, HEADERS("Sec-Fetch-Site: cross-site")),
        403);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/v1/sessions", body, NULL), 201);
    hall_close(h);
}

TEST(tokens_need_no_origin)
{
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, h->token, "POST", "/t/touch/1", NULL, NULL), 204);
    CHECK_INT(hall_ask(h, STR("wrong"), "POST", "/t/touch/1", NULL, NULL), 401);
    CHECK_STR(hall_header(h, "WWW-Authenticate"), "Bearer");
    CHECK_INT(hall_ask(h, STR("wrong"), "GET", "/t/file", NULL, NULL), 200);
    hall_close(h);
}

ENGINES(a_revoked_session_is_refused_at_once)
{
    struct hall *h = hall_open(engine, NULL);
    const char *path = str_printf(h->arena, "/v1/sessions/%.*s", STR_FMT(h->session)).p;

    for (int i = 0; i < 3; i++)
        CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, NULL), 200);
    CHECK_INT(hall_ask(h, h->token, "DELETE", path, NULL, NULL), 204);
    CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, NULL), 401);
    hall_close(h);
}

/* --- bodies and keys -------------------------------------------------------------------------------------------- */

TEST(bodies_are_json_of_bounded_size)
{
    struct hall *h = hall_open("sqlite", NULL);
    char *long_text = arena_alloc(h->arena, 200001 + 20);

    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/echo", hello, NULL), 201);
    CHECK_STR(h->call.reply, hello);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/echo", NULL, NULL), 400);
    CHECK_STR(hall_member(h, "field"), "text");
    memset(long_text, ' ', 200001);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/t/echo", long_text, NULL), 413);
    h->call = (struct http_call) { .method = "POST",
                                   .target = STR("/t/echo"),
                                   .type = STR("Application/JSON; charset=utf-8"),
                                   .body = str_of(hello) };
    server_call(h->server, h->arena, &h->call);
    CHECK_INT(h->call.status, 201);
    h->call.type = STR("text/plain");
    server_call(h->server, h->arena, &h->call);
    CHECK_INT(h->call.status, 415);
    hall_close(h);
}

ENGINES(a_key_stands_for_one_request)
{
    struct hall *h = hall_open(engine, NULL);

    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, NULL), 400);
    CHECK_STR(hall_member(h, "code"), "key_required");
    CHECK_STR(hall_member(h, "field"), "Idempotency-Key");
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, HEADERS("Idempotency-Key: a b")), 400);
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, HEADERS("Idempotency-Key: k1")), 200);
    CHECK(hall_header(h, "Idempotent-Replayed").p == NULL);
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, HEADERS("Idempotency-Key: k1")), 200);
    CHECK_STR(hall_header(h, "Idempotent-Replayed"), "true");
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", "{\"text\":\"other\"}",
                       HEADERS("Idempotency-Key: k1")),
              422);
    hall_close(h);
}

TEST(callers_over_their_rate_are_told_when_to_come_back)
{
    struct hall *h = hall_open("sqlite", NULL);

    for (int i = 0; i < 5; i++)
        CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, HEADERS("Idempotency-Key: k1")),
                  200);
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/pay", hello, HEADERS("Idempotency-Key: k1")), 429);
    CHECK_STR(hall_header(h, "Retry-After"), "1");
    CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, NULL), 200);
    hall_close(h);
}

/* What is no HTTP does not come so far: strict_test.c. */
TEST(methods_and_doubled_headers_are_refused)
{
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/t/file", NULL, HEADERS("Range: a", "Range: b")), 400);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/t/file", NULL, HEADERS("Content-Length: 1")), 400);
    CHECK_INT(hall_ask(h, STR_NONE, "BREW", "/t/file", NULL, NULL), 501);
    CHECK_INT(hall_ask(h, STR_NONE, "DELETE", "/t/file", NULL, NULL), 405);
    CHECK_STR(hall_header(h, "Allow"), "GET, HEAD, OPTIONS");
    CHECK_INT(hall_ask(h, STR_NONE, "OPTIONS", "/t/echo", NULL, NULL), 204);
    CHECK_STR(hall_header(h, "Allow"), "POST, OPTIONS");
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "http://elsewhere/t/file", NULL, NULL), 200);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "HTTP://elsewhere:80/t/file?a", NULL, NULL), 200);
    hall_close(h);
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

TEST(every_answer_is_guarded)
{
    static const char *const targets[] = { "/v1/me", "/t/file", "/t/cached/1", "/nowhere",
                                           "/livez" };
    static const char *const names[] = { "Content-Security-Policy", "X-Content-Type-Options",
                                         "Cross-Origin-Resource-Policy", "Referrer-Policy",
                                         "Cache-Control" };
    struct hall *h = hall_open("sqlite", NULL);

    for (size_t t = 0; t < COUNT(targets); t++) {
        hall_ask(h, h->token, "GET", targets[t], NULL, NULL);
        for (size_t i = 0; i < COUNT(names); i++)
            if (hall_header(h, names[i]).p == NULL)
                FAIL("GET %s has no %s", targets[t], names[i]);
        CHECK(strstr(str_copy(h->arena, hall_header(h, names[0])).p, "unsafe") == NULL);
    }
    hall_close(h);
}

TEST(a_tag_saves_the_body)
{
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, NULL), 200);
    struct str etag = hall_header(h, "ETag");
    REQUIRE(etag.n == 34);
    const char *have = str_printf(h->arena, "If-None-Match: \"x\", W/%.*s", STR_FMT(etag)).p;
    CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, HEADERS(have)), 304);
    CHECK(h->call.reply.n == 0);
    CHECK_INT(hall_ask(h, h->token, "GET", "/v1/me", NULL, HEADERS("If-None-Match: \"x\"")), 200);
    CHECK_INT(hall_ask(h, h->token, "HEAD", "/v1/me", NULL, NULL), 200);
    CHECK(h->call.reply.n == 0 && str_eq(hall_header(h, "ETag"), etag));
    hall_close(h);
}

TEST(files_are_sent_in_parts)
{
    static const struct {
        const char *range, *condition;
        int status;
        const char *body, *told;
    } rows[] = {
        { "X: y", "X: y", 200, "0123456789", NULL },
        { "Range: bytes=2-4", "X: y", 206, "234", "bytes 2-4/10" },
        { "Range: bytes=7-", "X: y", 206, "789", "bytes 7-9/10" },
        { "Range: bytes=-3", "X: y", 206, "789", "bytes 7-9/10" },
        { "Range: bytes=-30", "X: y", 206, "0123456789", "bytes 0-9/10" },
        { "Range: bytes=5-99", "X: y", 206, "56789", "bytes 5-9/10" },
        { "Range: bytes=10-", "X: y", 416, NULL, "bytes */10" },
        { "Range: bytes=4-2", "X: y", 200, "0123456789", NULL },
        { "Range: bytes=0-1,4-5", "X: y", 200, "0123456789", NULL },
        { "Range: lines=1-2", "X: y", 200, "0123456789", NULL },
        { "Range: bytes=-", "X: y", 200, "0123456789", NULL },
        { "Range: bytes=1-2", "If-Range: \"ten\"", 206, "12", "bytes 1-2/10" },
        { "Range: bytes=1-2", "If-Range: \"old\"", 200, "0123456789", NULL },
        { "Range: bytes=1-2", "If-None-Match: \"ten\"", 304, NULL, NULL },
        { "Range: bytes=1-2", "If-Match: \"old\", \"ten\"", 206, "12", "bytes 1-2/10" },
        { "X: y", "If-Match: *", 200, "0123456789", NULL },
        { "Range: bytes=1-2", "If-Match: \"old\"", 412, NULL, NULL },
        { "X: y", "If-Match: W/\"ten\"", 412, NULL, NULL },
        { "If-None-Match: \"ten\"", "If-None-Match: \"x\"", 304, NULL, NULL },
    };
    struct hall *h = hall_open("sqlite", NULL);

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const headers[] = { rows[i].range, rows[i].condition, NULL };
        CHECK_INT(hall_ask(h, STR_NONE, "GET", "/t/file", NULL, headers), rows[i].status);
        bool file = h->call.reply.n > 0 && rows[i].status < 400;
        CHECK_STR(file ? h->call.reply : STR_NONE, rows[i].body);
        CHECK_STR(hall_header(h, "Content-Range"), rows[i].told);
    }
    hall_close(h);
}

/* --- the reply cache -------------------------------------------------------------------------------------------- */

static int64_t made(struct hall *h, struct str token, const char *target)
{
    int64_t n = -1;

    CHECK_INT(hall_ask(h, token, "GET", target, NULL, NULL), 200);
    CHECK(str_int(hall_member(h, "made"), &n));
    return n;
}

/* One that is given twice. On PostgreSQL not at once: nothing is kept until the line to the other nodes stands, and other
 * tests, which are other nodes, may come between. */
static int64_t kept(struct hall *h, struct str token, const char *target)
{
    int64_t n = made(h, token, target), again;

    for (int i = 0; (again = made(h, token, target)) != n && i < 500; i++) {
        n = again;
        sleep_ms(10);
    }
    CHECK_INT(again, n);
    return n;
}

ENGINES(a_kept_answer_lasts_until_something_changes)
{
    struct hall *h = hall_open(engine, NULL);
    int64_t first = kept(h, h->token, "/t/cached/1"), other = kept(h, h->token, "/t/cached/2");

    CHECK(made(h, STR_NONE, "/t/cached/1") > other); /* somebody else's */
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/touch/1", NULL, NULL), 204);
    CHECK(made(h, h->token, "/t/cached/1") > first);
    if (strcmp(engine, "sqlite") == 0)
        CHECK_INT(made(h, h->token, "/t/cached/2"), other);
    other = kept(h, h->token, "/t/cached/2");
    __atomic_add_fetch(&h->house->env->clock.offset_us, DAY, __ATOMIC_ACQ_REL);
    CHECK(made(h, h->token, "/t/cached/2") > other);
    hall_close(h);
}

/* Which making of the file this was. */
static struct str making(struct hall *h, struct str token, const char *target)
{
    CHECK_INT(hall_ask(h, token, "GET", target, NULL, NULL), 200);
    CHECK_STR(h->call.reply, "0000000001");
    return hall_header(h, "Content-Type");
}

TEST(a_kept_file_lasts_until_something_changes)
{
    struct hall *h = hall_open("sqlite", NULL);
    struct str once = making(h, h->token, "/t/kept/1");
    struct str first = making(h, h->token, "/t/kept/1"), etag = hall_header(h, "ETag");
    const char *const same[] = { str_printf(h->arena, "If-None-Match: %.*s", STR_FMT(etag)).p,
                                 NULL };

    CHECK(!str_eq(once, first)); /* who asks once takes nobody's room */
    CHECK(str_eq(making(h, h->token, "/t/kept/1"), first));
    CHECK(str_eq(hall_header(h, "ETag"), etag));
    CHECK_INT(hall_ask(h, h->token, "GET", "/t/kept/1", NULL, same), 304);
    CHECK(str_eq(hall_header(h, "Content-Type"), first));
    CHECK(!str_eq(making(h, STR_NONE, "/t/kept/1"), first)); /* somebody else's */
    CHECK_INT(hall_ask(h, h->token, "GET", "/t/kept/1", NULL, HEADERS("Range: bytes=8-")), 206);
    CHECK_STR(h->call.reply, "01");
    CHECK(str_eq(making(h, h->token, "/t/kept/1"), first));
    CHECK_INT(hall_ask(h, h->token, "POST", "/t/touch/1", NULL, NULL), 204);
    CHECK(!str_eq(making(h, h->token, "/t/kept/1"), first));
    hall_close(h);
}

/* With other nodes, what was kept is believed only while those can be heard. */
TEST(a_node_that_hears_nothing_believes_nothing_that_it_kept)
{
    struct hall *h = hall_open("sqlite", NULL);
    struct revisions *r = h->house->env->revisions;
    int64_t first = kept(h, h->token, "/t/cached/1");

    r->others = true; /* and nothing was ever heard of them */
    CHECK(made(h, h->token, "/t/cached/1") > first);
    r->current_us = monotonic_us() - DEAF_US;
    first = made(h, h->token, "/t/cached/1");
    CHECK(made(h, h->token, "/t/cached/1") > first);
    r->current_us = monotonic_us() + MINUTE;
    first = made(h, h->token, "/t/cached/1");
    CHECK_INT(made(h, h->token, "/t/cached/1"), first);
    hall_close(h);
}

struct racer {
    struct hall *hall;
    bool stop; /* atomic */
};

static void *touch_on(void *arg)
{
    struct racer *r = arg;
    struct arena a = { 0 };

    while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
        struct http_call h = { .method = "POST",
                               .target = STR("/t/touch/5"),
                               .token = r->hall->token };
        server_call(r->hall->server, &a, &h);
        arena_reset(&a);
    }
    arena_done(&a);
    return NULL;
}

/* Whoever has been told that his change is done sees it, however many others change and read meanwhile. */
TEST(nobody_is_given_what_is_known_to_be_stale)
{
    struct hall *h = hall_open("sqlite", "--http.rates=false");
    struct racer racer = { .hall = h };
    pthread_t thread;

    must(pthread_create(&thread, NULL, touch_on, &racer) == 0);
    for (int i = 0; i < 300; i++) {
        int64_t before = made(h, h->token, "/t/cached/5");
        CHECK_INT(hall_ask(h, h->token, "POST", "/t/touch/5", NULL, NULL), 204);
        CHECK(made(h, h->token, "/t/cached/5") > before);
    }
    __atomic_store_n(&racer.stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    hall_close(h);
}

/* --- figures without a database --------------------------------------------------------------------------------- */

static enum err jobs_hidden(struct call *c)
{
    return db_run(c, "ALTER TABLE job RENAME TO job_hidden");
}

static enum err jobs_shown(struct call *c)
{
    return db_run(c, "ALTER TABLE job_hidden RENAME TO job");
}

static void behind_its_back(struct hall *h, handler *run)
{
    struct call c;

    call_begin(&c, h->house->env, h->arena);
    CHECK_OK(exec_transaction(h->house->env->exec, &c, WRITE, run));
}

/* Whoever looks why nothing works must see the figures. */
TEST(metrics_are_told_when_the_database_fails)
{
    static const char *const forwarded[] = { "X-Forwarded-For: 192.0.2.1", NULL };
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/metrics", NULL, NULL), 200);
    const char *all = str_copy(h->arena, h->call.reply).p;
    CHECK(strstr(all, "\ndatabase_up 1\n") != NULL && strstr(all, "\njobs{") != NULL);
    behind_its_back(h, jobs_hidden);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/metrics", NULL, NULL), 200);
    const char *some = str_copy(h->arena, h->call.reply).p;
    CHECK(strstr(some, "\ndatabase_up 0\n") != NULL && strstr(some, "\njobs{") == NULL);
    CHECK(strstr(some, "\nwriter_queue ") != NULL);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/metrics", NULL, forwarded), 404);
    behind_its_back(h, jobs_shown);
    hall_close(h);
}
