/* shed_test.c -- who is turned away, over real sockets: the wait is the kernel's word. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/overload.h"
#include "test/line.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { QUEUE = 12 };

static int send_one(struct line_out *l, const char *method, const char *path, const char *body,
                    const char *more)
{
    int fd = line_dial(l);

    line_say(fd, str_printf(l->hall->arena,
                            "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                            "Authorization: Bearer %.*s\r\nContent-Type: application/json\r\n"
                            "%sContent-Length: %zu\r\n\r\n%s",
                            method, path, STR_FMT(l->hall->token), more, strlen(body), body));
    return fd;
}

static struct str answer_of(struct line_out *l, int fd)
{
    struct str reply = line_hear(l, fd, NULL);

    close(fd);
    return reply;
}

static void check_turned_away(struct str reply)
{
    CHECK_INT(reply_status(reply), 503);
    CHECK(strstr(reply.p, "\r\nRetry-After: ") != NULL);
    CHECK(strstr(reply.p, "application/problem+json") != NULL);
    CHECK(strstr(reply.p, "\"code\":\"busy\"") != NULL);
}

static const char *const asked[] = { "/v1/me", "/t/cached/2", "/t/cached/1", "/livez", "/t/page" };
enum { ME, NEW, KEPT, VITAL, PAGE, KINDS, CROWD = 12 };
_Static_assert(COUNT(asked) == KINDS, "one each");

struct crowd_told {
    struct str replies[CROWD][KINDS];
    int away[KINDS];
};

/* Each asks for another, because answers are kept. */
static int send_kind(struct line_out *l, int k, int i)
{
    const char *path = asked[k];

    if (k == NEW)
        path = str_printf(l->hall->arena, "%s%02d", path, i).p;
    return send_one(l, "GET", path, "", "");
}

/* A crowd asks while the only loop is held, for longer than the patience of the tests. */
static void hold_and_ask(struct line_out *l, struct crowd_told *told)
{
    char path[300];
    int held, fds[CROWD][KINDS];

    snprintf(path, sizeof(path), "%s/hold", unit_dir());
    must(mkfifo(path, 0600) == 0);
    for (int i = 0; i < 2; i++) /* the first time the session is noted as seen; then it is kept */
        answer_of(l, send_one(l, "GET", "/t/cached/1", "", ""));
    held = send_one(l, "GET", "/t/hold", "", "");
    int hold = open(path, O_WRONLY | O_CLOEXEC); /* waits until the loop is in it */
    for (int i = 0; i < CROWD; i++)
        for (int k = 0; k < KINDS; k++)
            fds[i][k] = send_kind(l, k, i);
    usleep(100000);
    close(hold);
    CHECK_INT(reply_status(answer_of(l, held)), 204);
    for (int i = 0; i < CROWD; i++)
        for (int k = 0; k < KINDS; k++) {
            told->replies[i][k] = answer_of(l, fds[i][k]);
            told->away[k] += reply_status(told->replies[i][k]) == 503;
        }
}

/* The first few are not yet a crowd, and are served. */
TEST(who_waited_too_long_is_turned_away_but_for_what_costs_nothing_or_must_be)
{
    struct line_out l = line_open("--http.threads=1 --http.patience_max_ms=20");
    struct crowd_told told = { .away = { 0 } };

    hold_and_ask(&l, &told);
    CHECK(told.away[ME] > 0);
    CHECK(told.away[NEW] > 0);
    CHECK_INT(told.away[KEPT], 0);
    CHECK_INT(told.away[VITAL], 0);
    CHECK(told.away[PAGE] > 0); /* for people, if this program has the app */
    for (int i = 0; i < CROWD; i++) {
        if (reply_status(told.replies[i][ME]) == 503)
            check_turned_away(told.replies[i][ME]);
        if (reply_status(told.replies[i][PAGE]) == 503)
            CHECK(strstr(told.replies[i][PAGE].p, "\r\nRetry-After: ") != NULL);
    }
    int away = told.away[ME] + told.away[NEW] + told.away[PAGE];
    CHECK(away <= 3 * CROWD - OVERLOAD_CROWD);
    struct str metrics = answer_of(&l, send_one(&l, "GET", "/metrics", "", ""));
    const char *line =
        str_printf(l.hall->arena, "http_server_turned_away_total{reason=\"waited\"} %d\n", away).p;
    CHECK(strstr(metrics.p, line) != NULL);
    line_close(&l);
}

/* The control: the same wait, and nobody is turned away. */
TEST(without_the_setting_all_are_served_late)
{
    struct line_out l = line_open("--http.threads=1 --http.patience_ms=0");
    struct crowd_told told = { .away = { 0 } };

    hold_and_ask(&l, &told);
    for (int k = 0; k < KINDS; k++)
        CHECK_INT(told.away[k], 0);
    line_close(&l);
}

/* The writer is held for 3 s by the first; a crowd stands behind it. */
TEST(behind_a_slow_line_writes_are_turned_away_and_vital_ones_wait)
{
    struct line_out l = line_open("--core.queue_ms=100");
    int slow = send_one(&l, "POST", "/t/slow", "", ""), fds[QUEUE];
    struct str reply;

    usleep(100000);
    for (size_t i = 0; i < QUEUE; i++)
        fds[i] = send_one(&l, "POST", "/t/touch/1", "", "");
    usleep(300000);
    int vital = send_one(&l, "POST", "/t/pay", "{\"text\":\"a\"}", "Idempotency-Key: k\r\n");
    check_turned_away(answer_of(&l, send_one(&l, "POST", "/t/touch/1", "", "")));
    CHECK_INT(reply_status(answer_of(&l, slow)), 204);
    reply = answer_of(&l, vital);
    CHECK_INT(reply_status(reply), 200);
    for (size_t i = 0; i < QUEUE; i++) /* nobody would have gained by turning these away too */
        CHECK_INT(reply_status(answer_of(&l, fds[i])), 204);
    line_close(&l);
}
