/* http_test.c -- over real sockets: framing, limits, streams, stopping. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"
#include "test/line.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- framing ---------------------------------------------------------------------------------------------------- */

#define POST_ECHO "POST /t/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define NEXT      "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"

static struct str repeated(struct arena *a, const char *piece, size_t n)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < n; i++)
        buf_add(&b, str_of(piece));
    return buf_str(&b);
}

TEST(requests_behind_each_other_are_answered_in_order)
{
    static const struct str text = {
        POST_ECHO
        "Content-Length: 12\r\n\r\n{\"text\":\"a\"}" /* */
        POST_ECHO
        "Transfer-Encoding: chunked\r\n\r\n6\r\n{\"text\r\n6\r\n\":\"b\"}\r\n0\r\n\r\n" POST_ECHO
        "Content-Length: 2\r\n\r\n{}"            /* refused by its shape */
        "GET /v1/me HTTP/1.1\r\nHost: a\r\n\r\n" /* refused before */
        "POST /v1/nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" /* swallowed */
        "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        sizeof(POST_ECHO) * 3 - 3 + 277
    };
    struct line_out l = line_open(NULL);
    struct str reply = line_ask(&l, (struct str) { text.p, strlen(text.p) });
    const char *at = reply.p;
    static const char *const order[] = { "HTTP/1.1 201",     "{\"text\":\"a\"}", "HTTP/1.1 201",
                                         "{\"text\":\"b\"}", "HTTP/1.1 400",     "HTTP/1.1 401",
                                         "HTTP/1.1 404",     "HTTP/1.1 200",     "alive" };

    for (size_t i = 0; i < COUNT(order); i++) {
        at = strstr(at, order[i]);
        if (at == NULL) {
            FAIL("%s is missing in: %.*s", order[i], STR_FMT(reply));
            break;
        }
    }
    line_close(&l);
}

/* A head that comes byte by byte is as good as one in one piece. */
TEST(requests_may_come_in_crumbs)
{
    struct line_out l = line_open(NULL);
    struct str text =
        STR(POST_ECHO "Content-Length: 12\r\nConnection: close\r\n\r\n{\"text\":\"a\"}");
    int fd = line_dial(&l);

    for (size_t i = 0; i < text.n; i++)
        line_say(fd, str_cut(text, i, 1));
    CHECK_INT(reply_status(line_hear(&l, fd, NULL)), 201);
    close(fd);
    line_close(&l);
}

/* What is sent behind the last request is not read; the answer arrives all the same, and then the end. */
TEST(an_answer_survives_what_is_sent_behind_it)
{
    struct line_out l = line_open(NULL);
    struct str behind = repeated(l.hall->arena, NEXT, 5000);

    for (int i = 0; i < 50; i++) {
        int fd = line_dial(&l);
        line_say(fd, STR("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        line_say(fd, behind);
        struct str reply = line_hear(&l, fd, NULL); /* a reset would fail it */
        CHECK_INT(reply_count(reply, "alive"), 1);
        close(fd);
    }
    line_close(&l);
}

/* Half a body and the connection's end, which come while the loop is held: epoll tells of both at once, and once. */
TEST(an_end_that_comes_with_data_is_noticed)
{
    struct line_out l = line_open("--http.threads=1");
    char path[300];

    snprintf(path, sizeof(path), "%s/hold", unit_dir());
    must(mkfifo(path, 0600) == 0);
    int half = line_dial(&l), held = line_dial(&l);
    line_say(half, STR(NEXT));
    line_hear(&l, half, "alive"); /* the loop has it */
    line_say(held, STR("GET /t/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    int hold = open(path, O_WRONLY | O_CLOEXEC);
    line_say(half, STR(POST_ECHO "Content-Length: 12\r\n\r\n{\"te"));
    close(half);
    close(hold);
    CHECK_INT(reply_status(line_hear(&l, held, "204")), 204);
    line_close(
        &l); /* would wait for the rest of the body until its time is over, and give up before */
    close(held);
}

/* --- sizes ------------------------------------------------------------------------------------------------------ */

static int count_of(struct str text, const char *what)
{
    int n = 0;

    for (const char *at = text.p; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* Who has no more to say still waits for the answers. libmicrohttpd closed over those that were being made, when it had other
 * connections to look after. */
TEST(who_has_no_more_to_say_is_answered)
{
    struct str ready = STR("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    struct line_out l = line_open("--http.rates=false");
    const struct {
        struct str text;
        int answers;
    } asks[] = {
        { ready, 1 },
        { repeated(l.hall->arena, ready.p, 5), 5 },
        { str_printf(l.hall->arena, "%s%s", ready.p, POST_ECHO "Content-Length: 12\r\n\r\n{\"te"),
          1 },
    };
    int idle[8];

    for (size_t i = 0; i < COUNT(idle); i++)
        idle[i] = line_dial(&l);
    for (size_t i = 0; i < 60; i++) {
        int fd = line_dial(&l);
        line_say(fd, asks[i % COUNT(asks)].text);
        shutdown(fd, SHUT_WR);
        CHECK_INT(count_of(line_hear(&l, fd, NULL), "HTTP/1.1 200"), asks[i % COUNT(asks)].answers);
        close(fd);
    }
    for (size_t i = 0; i < COUNT(idle); i++)
        close(idle[i]);
    line_close(&l);
}

/* The library keeps each parameter and each cookie: of so many it gave an answer that was none, and another none at all. */
TEST(many_parameters_and_cookies_are_no_more_than_their_bytes)
{
    struct line_out l = line_open(NULL);
    struct arena *a = l.hall->arena;
    struct str heads[] = {
        str_printf(a, "GET /livez?%s HTTP/1.1\r\nHost: a\r\n", repeated(a, "&", 8000).p),
        str_printf(a, "GET /livez HTTP/1.1\r\nHost: a\r\n%s", repeated(a, "Accept: */*\r\n", 16).p),
        str_printf(a, "GET /livez??%s HTTP/1.1\r\nHost: a\r\n", repeated(a, "&", 8000).p),
        str_printf(a, "GET /livez HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n",
                   repeated(a, "a;", 16000).p),
    };

    for (size_t i = 0; i < COUNT(heads); i++) {
        struct str head = str_printf(a, "%.*sConnection: close\r\n\r\n", STR_FMT(heads[i]));
        CHECK_INT(reply_status(line_ask(&l, head)), 200);
    }
    line_close(&l);
}

/* RFC 9110, 9.3.2: not even when it is refused in the midst of what it sends. */
TEST(who_asks_for_a_head_gets_no_body)
{
    static const char asks[] =
        "HEAD /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n61a80\r\n";
    struct line_out l = line_open(NULL);
    struct arena *a = l.hall->arena;
    struct str text = str_printf(a, "%s%s", asks, repeated(a, "ten bytes.", 40000).p);
    struct str reply = line_ask(&l, text);
    struct str events = line_ask(&l, str_printf(a,
                                                "HEAD /v1/events HTTP/1.1\r\nHost: a\r\n"
                                                "Authorization: Bearer %.*s\r\n\r\n",
                                                STR_FMT(l.hall->token)));

    CHECK(reply_status(reply) >= 400 && str_ends(reply, "\r\n\r\n"));
    CHECK_INT(reply_status(events), 200);
    CHECK(str_ends(events, "\r\n\r\n") && strcasestr(events.p, "Content-Length") == NULL);
    /* ... and who asks for more after that gets it. */
    reply = line_ask(&l, STR("HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\n"));
    CHECK(count_of(reply, "HTTP/1.1 ") == 2 && count_of(reply, "\"status\":400") == 1);
    line_close(&l);
}

TEST(large_heads_are_refused_with_their_own_status)
{
    struct line_out l = line_open(NULL);
    struct arena *a = l.hall->arena;
    static const struct {
        const char *format, *piece;
        size_t n;
        int status;
    } rows[] = {
        { "GET /%.*s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "a", 9000, 414 },
        { "GET /%.*s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "a", 60000, 414 },
        { "GET /livez HTTP/1.1\r\nHost: a\r\nX: %.*s\r\n\r\n", "a", 33000, 431 },
        { "GET /livez HTTP/1.1\r\nHost: a\r\nX: %.*s\r\n\r\n", "a", 80000, 431 },
        { "GET /livez HTTP/1.1\r\nHost: a\r\n%.*s\r\n", "X: y\r\n", 100, 431 },
        { "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%.*s\r\n", "X: y\r\n", 98, 200 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str filling = repeated(a, rows[i].piece, rows[i].n);
        struct buf b = { .arena = a };
        const char *at = strstr(rows[i].format, "%.*s");
        buf_add(&b, (struct str) { rows[i].format, (size_t)(at - rows[i].format) });
        buf_add(&b, filling);
        buf_add(&b, str_of(at + 4));
        CHECK_INT(reply_status(line_ask(&l, buf_str(&b))), rows[i].status);
    }
    line_close(&l);
}

/* 413 arrives although the client goes on sending: without lingering the answer would be lost in a reset. */
TEST(large_bodies_are_refused_and_told)
{
    struct line_out l = line_open(NULL);
    struct arena *a = l.hall->arena;
    struct str much = repeated(a, "0123456789abcdef", 200000);
    struct buf declared = { .arena = a }, chunked = { .arena = a };

    buf_printf(&declared, POST_ECHO "Content-Length: 2147483648\r\n\r\n");
    buf_add(&declared, much);
    struct str reply = line_ask(&l, buf_str(&declared));
    CHECK_INT(reply_status(reply), 413);
    CHECK(strstr(reply.p, "\"code\":\"too_large\"") != NULL);
    CHECK_INT(reply_count(reply, "Date: "), 1);
    buf_printf(&chunked, POST_ECHO "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", much.n);
    buf_add(&chunked, much);
    reply = line_ask(&l, buf_str(&chunked));
    CHECK_INT(reply_status(reply), 413);
    CHECK(strstr(reply.p, "\"code\":\"too_large\"") != NULL);
    line_close(&l);
}

/* A little too large is not worth a connection. */
TEST(a_small_refused_body_leaves_the_connection_open)
{
    struct line_out l = line_open(NULL);
    struct str much = repeated(l.hall->arena, "0123456789abcdef", 14000);
    struct buf b = { .arena = l.hall->arena };

    buf_printf(&b, POST_ECHO "Content-Length: %zu\r\n\r\n%.*s", much.n, STR_FMT(much));
    buf_add(&b, STR("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    struct str reply = line_ask(&l, buf_str(&b));
    CHECK_INT(reply_status(reply), 413);
    CHECK_INT(reply_count(reply, "alive"), 1);
    line_close(&l);
}

/* --- streams ---------------------------------------------------------------------------------------------------- */

static void shout_out(struct hall *h, const char *text)
{
    const char *body = str_printf(h->arena, "{\"text\":\"%s\"}", text).p;

    CHECK_INT(hall_ask(h, h->token, "POST", "/t/shout", body, NULL), 204);
}

static int listen_in(struct line_out *l, const char *after)
{
    struct hall *h = l->hall;
    int fd = line_dial(l);

    line_say(fd, str_printf(h->arena,
                            "GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %.*s\r\n"
                            "Last-Event-ID: %s\r\n\r\n",
                            STR_FMT(h->token), after));
    return fd;
}

TEST(events_reach_their_stream_and_can_be_asked_for_again)
{
    struct line_out l = line_open(NULL);
    int fd = listen_in(&l, "");
    char id[30];

    struct str head = line_hear(&l, fd, "retry: 3000");
    shout_out(l.hall, "one");
    shout_out(l.hall, "two");
    CHECK_INT(reply_count(head, "Date: "), 1);
    struct str text = line_hear(&l, fd, "two");
    const char *first = strstr(text.p, "id: evt_");
    REQUIRE(first != NULL && strstr(text.p, "event: hall.shout\ndata: {\"text\":\"one\"}") != NULL);
    snprintf(id, sizeof(id), "%.17s", first + 4);
    close(fd);
    fd = listen_in(&l, id);
    text = line_hear(&l, fd, "two");
    CHECK_INT(reply_count(text, "data: "), 1);
    close(fd);
    line_close(&l);
}

TEST(a_stream_ends_with_its_session)
{
    struct line_out l = line_open(NULL);
    int fd = listen_in(&l, "");

    line_hear(&l, fd, "retry: 3000");
    CHECK_INT(hall_ask(l.hall, l.hall->token, "DELETE", "/v1/sessions/current", NULL, NULL), 204);
    line_hear(&l, fd, NULL); /* closed within 5 s */
    close(fd);
    line_close(&l);
}

/* Closing a socket that somebody else holds too does not take it out of an epoll. */
TEST(a_stream_that_ended_is_forgotten_though_another_process_holds_its_socket)
{
    struct line_out l = line_open(NULL);
    int fd = listen_in(&l, "");

    line_hear(&l, fd, "retry: 3000");
    pid_t holder = fork();
    must(holder >= 0);
    if (holder == 0) {
        close(fd);
        for (;;)
            pause();
    }
    shutdown(fd, SHUT_RDWR);
    close(fd);
    while (metrics_get(l.hall->house->env->metrics, METRIC_STREAMS) > 0)
        sleep_ms(5);
    int next = listen_in(&l, ""); /* the thread that looks after them lives */
    line_hear(&l, next, "retry: 3000");
    shout_out(l.hall, "one");
    line_hear(&l, next, "one");
    close(next);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    line_close(&l);
}

TEST(nobody_gets_no_stream)
{
    struct line_out l = line_open(NULL);

    CHECK_INT(reply_status(line_ask(
                  &l, STR("GET /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))),
              401);
    line_close(&l);
}

/* --- waiting and stopping --------------------------------------------------------------------------------------- */

/* The writer is held for 3 s; /readyz gives up after 2, and nothing is lost or freed twice when its probe ends after all. */
TEST(a_database_that_does_not_write_is_not_ready)
{
    struct line_out l = line_open(NULL);
    int slow = line_dial(&l);

    CHECK_INT(reply_status(line_ask(
                  &l, STR("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))),
              200);
    line_say(slow, STR("POST /t/slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    usleep(100000);
    struct str reply =
        line_ask(&l, STR("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    CHECK_INT(reply_status(reply), 503);
    CHECK_INT(reply_status(line_hear(&l, slow, NULL)), 204);
    close(slow);
    CHECK_INT(reply_status(line_ask(
                  &l, STR("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))),
              200);
    line_close(&l);
}

/* ... even when the program is stopped before it ends. */
TEST(what_was_given_up_is_waited_for_at_the_end)
{
    struct line_out l = line_open(NULL);
    int slow = line_dial(&l), late = line_dial(&l);

    line_say(slow, STR("POST /t/slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    usleep(50000);
    line_say(late, STR("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    CHECK_INT(reply_status(line_hear(&l, late, NULL)), 503);
    close(slow);
    close(late);
    line_close(&l);
}

static void *close_server(void *arg)
{
    struct line_out *l = arg;

    usleep(200000);
    hall_close(l->hall);
    return NULL;
}

/* What runs when the program is told to stop is still answered; idle connections and streams are closed. */
/* Two programs on one port would each get some of the requests. */
TEST(a_port_has_one_server)
{
    struct line_out l = line_open(NULL);
    char port[32];
    struct str why = STR_NONE;

    snprintf(port, sizeof(port), "--http.port=%d", server_port(l.hall->server));
    struct hall *second = hall_open("sqlite", port);
    CHECK(!server_listen(second->server, second->arena, &why));
    CHECK(why.p != NULL && strstr(str_copy(second->arena, why).p, "in use") != NULL);
    hall_close(second);
    line_close(&l);
}

TEST(stopping_lets_running_requests_end)
{
    struct line_out l = line_open(NULL);
    int slow = line_dial(&l), idle = line_dial(&l), stream = listen_in(&l, "");
    char text[400] = { 0 };
    pthread_t thread;

    line_hear(&l, stream, "retry: 3000");
    line_say(idle, STR(NEXT));
    line_hear(&l, idle, "alive");
    line_say(slow, STR("POST /t/slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    must(pthread_create(&thread, NULL, close_server, &l) == 0);
    CHECK(recv(slow, text, sizeof(text) - 1, 0) > 0);
    CHECK_INT(reply_status(str_of(text)), 204);
    pthread_join(thread, NULL);
    close(slow);
    close(idle);
    close(stream);
}

/* --- many at once ----------------------------------------------------------------------------------------------- */

static void *ask_often(void *arg)
{
    struct line_out *l = arg;
    char text[4000];
    int fd = line_dial(l);

    for (int i = 0; i < 200; i++) {
        size_t n = 0;
        line_say(fd, i % 3 == 0   ? STR(POST_ECHO "Content-Length: 12\r\n\r\n{\"text\":\"a\"}")
                     : i % 3 == 1 ? STR("GET /t/cached/3 HTTP/1.1\r\nHost: a\r\n\r\n")
                                  : STR("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"));
        const char *until = i % 3 == 0 ? "{\"text\":\"a\"}" : i % 3 == 1 ? "\"made\":" : "ready\n";
        do {
            ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
            if (got <= 0) {
                FAIL("the connection ended at request %d", i);
                close(fd);
                return NULL;
            }
            n += (size_t)got;
            text[n] = 0;
        } while (strstr(text, until) == NULL && n < sizeof(text) - 1);
    }
    close(fd);
    return NULL;
}

TEST_SECONDS(many_connections_at_once, 20)
{
    struct line_out l = line_open("--http.rates=false");
    pthread_t threads[16];

    for (size_t i = 0; i < COUNT(threads); i++)
        must(pthread_create(&threads[i], NULL, ask_often, &l) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    line_close(&l);
}
