/* contract_test.c -- what no other test has a reason to bring about, so that each promise of the API's document is seen kept:
 * answers that wait too long, errors of storms, parts of files, dead jobs, event streams. test/contract judges the answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "core/jobs.h"
#include "test/fault.h"
#include "test/record.h"
#include "test/stage.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a stage with ana, who has a page and a tier, and a fan ------------------------------------------------------- */

struct play {
    struct stage *stage;
    struct arena *arena;
    struct str ana, fan, tier;
    int keys;
};

static struct str tier_of(struct play *p, const char *name)
{
    struct str body = str_printf(
        p->arena, "{\"name\":\"%s\",\"description\":\"\",\"price\":500,\"currency\":\"EUR\"}",
        name);

    return stage_member(
        p->stage, stage_must(p->stage, p->ana, "POST", "/v1/creators/me/tiers", body.p, 201), "id");
}

static struct play play_open(const char *engine, bool bank)
{
    struct play p = { .stage = stage_open(engine) };

    p.arena = p.stage->arena;
    if (bank)
        stage_bank(p.stage);
    p.ana = stage_sign_up(p.stage, "ana");
    p.fan = stage_sign_up(p.stage, "fan");
    stage_must(p.stage, p.ana, "POST", "/v1/creators",
               "{\"handle\":\"ana\",\"name\":\"Ana\",\"bio\":\"\"}", 201);
    p.tier = tier_of(&p, "One");
    return p;
}

/* The last one signed up is made the admin. */
static struct str admin_of(struct play *p)
{
    struct str token = stage_sign_up(p->stage, "admin");
    struct str link = mailed_token(p->stage->house);

    stage_must(p->stage, STR_NONE, "POST", "/v1/email-verifications/confirm",
               str_printf(p->arena, "{\"token\":\"%.*s\"}", STR_FMT(link)).p, 204);
    return token;
}

/* Nothing that is due runs before, beside or after it. */
static struct http_call ask_alone(struct play *p, struct str token, const char *method,
                                  const char *target, struct str body)
{
    struct http_call h = {
        .method = method, .target = str_of(target), .token = token, .body = body
    };

    if (strcmp(method, "GET") != 0)
        h.headers[h.headers_n++] =
            (struct header) { "Idempotency-Key", str_printf(p->arena, "alone-%d", ++p->keys) };
    server_call(p->stage->server, p->arena, &h);
    return h;
}

static void expect(struct play *p, struct http_call h, int status, const char *code)
{
    struct str got = h.status < 400 ? STR_NONE : stage_member(p->stage, h.reply, "code");

    if (h.status != status || (code != NULL && !str_is(got, code)))
        FAIL("%s %.*s answered %d, should be %d %s: %.*s", h.method, STR_FMT(h.target), h.status,
             status, code == NULL ? "" : code, STR_FMT(str_cut(h.reply, 0, 300)));
}

static void behind_its_back(struct play *p, handler *run)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, p->stage->house->env, &a);
    CHECK_OK(exec_transaction(p->stage->house->env->exec, &c, WRITE, run));
    arena_done(&a);
}

/* --- what waits for a job that does not come ---------------------------------------------------------------------- */

/* One who asks from a thread of his own. */
struct asker {
    struct stage *stage;
    struct arena arena;
    struct http_call call;
    pthread_t thread;
    bool answered; /* atomic */
};

static void *ask_it(void *arg)
{
    struct asker *a = arg;

    server_call(a->stage->server, &a->arena, &a->call);
    __atomic_store_n(&a->answered, true, __ATOMIC_RELEASE);
    return NULL;
}

static void asker_start(struct asker *a, struct play *p, struct http_call call)
{
    *a = (struct asker) { .stage = p->stage, .call = call };
    must(pthread_create(&a->thread, NULL, ask_it, a) == 0);
}

static void asker_end(struct asker *a, struct play *p, int status, const char *code)
{
    pthread_join(a->thread, NULL);
    expect(p, a->call, status, code);
    arena_done(&a->arena);
}

static struct http_call upload_of(struct play *p, const char *purpose, const char *file)
{
    struct http_call h = { .method = "POST", .token = p->ana, .type = STR("image/jpeg") };

    h.target = str_printf(p->arena, "/v1/media?purpose=%s&filename=x.jpg", purpose);
    h.body = fixture_read(p->arena, file);
    return h;
}

static struct http_call subscription_of(struct play *p, const char *key)
{
    struct http_call h = { .method = "POST", .target = STR("/v1/subscriptions"), .token = p->fan };

    h.body = str_printf(p->arena, "{\"tier\":\"%.*s\"}", STR_FMT(p->tier));
    h.headers[h.headers_n++] = (struct header) { "Idempotency-Key", str_of(key) };
    return h;
}

/* The id of the item whose member is this; waits until it is there. */
static struct str item_of(struct play *p, struct str token, const char *list, const char *name,
                          const char *value)
{
    for (;;) {
        struct http_call h = ask_alone(p, token, "GET", list, STR(""));
        for (int i = 0; i < 3; i++) {
            struct str at =
                stage_member(p->stage, h.reply, str_printf(p->arena, "items.%d.%s", i, name).p);
            if (str_is(at, value))
                return stage_member(p->stage, h.reply, str_printf(p->arena, "items.%d.id", i).p);
        }
        nanosleep(&(struct timespec) { 0, 5000000 }, NULL);
    }
}

static struct str asset_of(struct play *p, const char *purpose)
{
    return item_of(p, p->ana, "/v1/media", "purpose", purpose);
}

static void not_ready(struct play *p)
{
    struct str media = str_printf(p->arena, "\"media\":[\"%.*s\"]", STR_FMT(asset_of(p, "post")));
    struct str post = stage_member(
        p->stage,
        ask_alone(p, p->ana, "POST", "/v1/posts", STR("{\"text\":\"x\",\"access\":\"public\"}"))
            .reply,
        "id");

    expect(p,
           ask_alone(p, p->ana, "PUT", "/v1/creators/me/avatar",
                     str_printf(p->arena, "{\"asset\":\"%.*s\"}", STR_FMT(asset_of(p, "avatar")))),
           409, "not_ready");
    expect(p,
           ask_alone(p, p->ana, "PUT", "/v1/creators/me/banner",
                     str_printf(p->arena, "{\"asset\":\"%.*s\"}", STR_FMT(asset_of(p, "banner")))),
           409, "not_ready");
    expect(p,
           ask_alone(
               p, p->ana, "POST", "/v1/posts",
               str_printf(p->arena, "{\"text\":\"x\",\"access\":\"public\",%.*s}", STR_FMT(media))),
           409, "not_ready");
    expect(p,
           ask_alone(p, p->ana, "PATCH", str_printf(p->arena, "/v1/posts/%.*s", STR_FMT(post)).p,
                     str_printf(p->arena, "{%.*s}", STR_FMT(media))),
           409, "not_ready");
}

static int connect_to(struct play *p)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)server_port(p->stage->server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { 20, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* Until `word` has come, or the other side has closed. */
static struct str hear(struct play *p, int fd, const char *word)
{
    struct buf b = { .arena = p->arena };
    ssize_t n;

    do {
        n = recv(fd, buf_room(&b, 4096), 4096, 0);
        b.n += n > 0 ? (size_t)n : 0;
    } while (n > 0 && (word == NULL || strstr(buf_str(&b).p, word) == NULL));
    if (n < 0)
        FAIL("\"%s\" did not come: %.*s", word, STR_FMT(buf_str(&b)));
    return buf_str(&b);
}

/* The jobs stand still: after ten seconds those who wait for one are told that it takes longer, and he who has not said his
 * headers that he is too slow. Meanwhile pictures are not ready, and a key is in use. */
TEST_SLOW(what_takes_longer_is_said_after_ten_seconds, 40)
{
    static const char *const purposes[] = { "post", "avatar", "banner" };
    struct asker uploads[COUNT(purposes)], pays;
    struct play p;
    char word[100];

    fixtures_make();
    p = play_open("sqlite", true);
    int slow = connect_to(&p);
    struct str half = STR("GET /livez HTTP/1.1\r\nHost: a\r\nX");
    must(send(slow, half.p, half.n, MSG_NOSIGNAL) == (ssize_t)half.n);
    for (size_t i = 0; i < COUNT(purposes); i++)
        asker_start(&uploads[i], &p, upload_of(&p, purposes[i], FIXTURES "/turned.jpg"));
    asker_start(&pays, &p, subscription_of(&p, "pays"));
    not_ready(&p);
    struct http_call again = subscription_of(&p, "pays");
    item_of(&p, p.fan, "/v1/subscriptions", "state", "incomplete");
    server_call(p.stage->server, p.arena, &again);
    expect(&p, again, 409, "key_in_use");
    for (size_t i = 0; i < COUNT(purposes); i++)
        asker_end(&uploads[i], &p, 202, NULL);
    asker_end(&pays, &p, 202, NULL);
    struct str said = hear(&p, slow, NULL);
    CHECK(str_starts(said, "HTTP/1.1 408 "));
    close(slow);
    stage_jobs(p.stage);
    snprintf(word, sizeof(word), "/v1/media/%s", str_copy(p.arena, asset_of(&p, "post")).p);
    CHECK_STR(stage_member(p.stage, stage_must(p.stage, p.ana, "GET", word, NULL, 200), "state"),
              "ready");
    stage_close(p.stage);
}

/* --- payments ----------------------------------------------------------------------------------------------------- */

/* Its real time goes on while somebody waits, so that tries follow each other. */
TEST_SLOW(a_provider_that_is_away_is_told_of, 40)
{
    struct play p = play_open("sqlite", true);
    struct asker pays;

    bank_fault(p.stage->bank, p.arena, "fault=limit&times=1000");
    asker_start(&pays, &p, subscription_of(&p, "k1"));
    for (int i = 0; i < 40 && !__atomic_load_n(&pays.answered, __ATOMIC_ACQUIRE); i++) {
        house_pass(p.stage->house, 30 * SECOND);
        usleep(20000);
    }
    asker_end(&pays, &p, 502, "provider_unavailable");
    stage_close(p.stage);
}

static enum err make_cheap(struct call *c)
{
    return db_run(c, "UPDATE tier SET price = 1");
}

/* A least amount was raised after the tier was made. */
TEST(a_tier_that_has_become_too_cheap_is_not_sold)
{
    struct play p = play_open("sqlite", true);

    behind_its_back(&p, make_cheap);
    struct http_call h = subscription_of(&p, "k1");
    stage_call_waiting(p.stage, &h);
    expect(&p, h, 400, "below_minimum");
    stage_close(p.stage);
}

TEST(twenty_tiers_are_the_most)
{
    struct play p = play_open("sqlite", false);

    for (int i = 1; i < 20; i++)
        tier_of(&p, "More");
    stage_must(p.stage, p.ana, "POST", "/v1/creators/me/tiers",
               "{\"name\":\"Last\",\"description\":\"\",\"price\":500,\"currency\":\"EUR\"}", 409);
    stage_close(p.stage);
}

/* --- jobs that died ----------------------------------------------------------------------------------------------- */

static enum err mail_is_away(struct mailer *m, struct arena *a, const struct mail *mail)
{
    (void)m, (void)a, (void)mail;
    return E_INTERNAL;
}

struct days {
    int64_t days;
};

static enum err second_sweep(struct call *c)
{
    struct days in = { 7 };

    TRY(db_hit(
        c,
        "UPDATE job SET state = 'dead', error = 'a test', finished = due WHERE name = 'core.sweep'"
        " AND state = 'waiting'"));
    return job_add_named(c, "core.sweep", STR("core.sweep"), when_after(c->now, DAY), &in);
}

static struct str dead_path(struct play *p, struct str admin)
{
    struct str list = stage_must(p->stage, admin, "GET", "/v1/admin/jobs/dead", NULL, 200);

    return str_printf(p->arena, "/v1/admin/jobs/%.*s/run",
                      STR_FMT(stage_member(p->stage, list, "items.0.id")));
}

TEST(a_dead_job_is_run_again_unless_another_waits_in_its_name)
{
    struct play p = play_open("sqlite", false);
    struct mailer *mailer = p.stage->house->env->mailer;
    enum err (*good)(struct mailer *, struct arena *, const struct mail *) = mailer->send;

    mailer->send = mail_is_away;
    stage_sign_up(p.stage, "late");
    for (int i = 0; i < 10;
         i++) /* the waits between ten tries, within the hour that the link works */
        house_pass(p.stage->house, (i < 8 ? 200 : i < 9 ? 390 : 770) * SECOND);
    mailer->send = good;
    struct str admin = admin_of(&p), path = dead_path(&p, admin);
    size_t mails = p.stage->house->mails_n;
    stage_must(p.stage, admin, "POST", path.p, NULL, 204);
    CHECK_INT(p.stage->house->mails_n, mails + 1);
    behind_its_back(&p, second_sweep);
    stage_must(p.stage, admin, "POST", dead_path(&p, admin).p, NULL, 409);
    stage_close(p.stage);
}

/* --- a machine that fails ----------------------------------------------------------------------------------------- */

/* Files may not grow beyond this: what a full disk is to a process. */
TEST(an_upload_that_has_no_room_is_told_so)
{
    struct play p = play_open("sqlite", false);
    struct rlimit old, small = { 64 * 1024, RLIM_INFINITY };

    fixtures_make();
    struct http_call h = upload_of(&p, "post", FIXTURES "/picture.png");
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    small.rlim_max = old.rlim_max;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    server_call(p.stage->server, p.arena, &h);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
    expect(&p, h, 507, "storage_full");
    stage_close(p.stage);
}

static enum err lose_follows(struct call *c)
{
    return db_run(c, "DROP TABLE follow");
}

TEST(our_own_mistake_is_an_answer_too)
{
    struct play p = play_open("sqlite", false);

    behind_its_back(&p, lose_follows);
    expect(&p, ask_alone(&p, p.fan, "GET", "/v1/follows", STR("")), 500, "internal");
    stage_close(p.stage);
}

/* Torture tries every place; here one is enough, and its answer is kept. */
TEST(a_call_without_memory_is_told_so)
{
    struct arena room = { 0 };
    bool told = false;

    if (!fault_possible(FAULT_MEMORY))
        SKIP("malloc is the sanitizer's");
    struct play p = play_open("sqlite", false);
    arena_alloc(&room, 1 << 18);
    for (int64_t n = 1; n <= 20 && !told; n++) {
        struct http_call h = { .method = "GET", .target = STR("/v1/creators"), .token = p.fan };
        room.used = room.total = 0; /* its one chunk again: this arena has no reserve */
        fault_arm(FAULT_MEMORY, n, false);
        server_call(p.stage->server, &room, &h);
        fault_disarm(NULL);
        told = h.status == 503 && str_is(stage_member(p.stage, h.reply, "code"), "no_memory");
    }
    CHECK(told);
    arena_done(&room);
    stage_close(p.stage);
}

static enum err no_connection(struct engine *e, bool write, struct db **result)
{
    (void)e, (void)write, (void)result;
    return E_UNAVAILABLE;
}

/* A thread that has no connection yet gets none. */
TEST(a_database_that_is_away_is_an_answer_too)
{
    struct play p = play_open("sqlite", false);
    struct engine *e = p.stage->house->env->engine;
    const struct engine_ops *good = e->ops;
    struct engine_ops away = *good;
    struct asker asker;

    away.open = no_connection;
    e->ops = &away;
    asker_start(&asker, &p,
                (struct http_call) { .method = "GET", .target = STR("/v1/feed"), .token = p.fan });
    asker_end(&asker, &p, 503, "unavailable");
    e->ops = good;
    stage_close(p.stage);
}

TEST(events_are_refused_where_there_is_no_socket)
{
    struct play p = play_open("sqlite", false);

    expect(&p, ask_alone(&p, p.fan, "GET", "/v1/events", STR("")), 503, "busy");
    stage_close(p.stage);
}

/* --- parts of files ----------------------------------------------------------------------------------------------- */

static void ask_parts(struct play *p, struct str path)
{
    static const struct {
        const char *header, *value;
        int status;
    } rows[] = {
        { "Range", "bytes=0-9", 206 },
        { "Range", "bytes=99999999-", 416 },
        { "If-None-Match", "*", 304 },
        { "If-Match", "\"another\"", 412 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_call h = { .method = "GET", .target = path, .token = p->ana };
        h.headers[h.headers_n++] = (struct header) { rows[i].header, str_of(rows[i].value) };
        server_call(p->stage->server, p->arena, &h);
        expect(p, h, rows[i].status, NULL);
    }
}

TEST(files_are_given_in_parts)
{
    struct play p;

    fixtures_make();
    p = play_open("sqlite", false);
    struct http_call post = stage_upload(p.stage, p.ana, "post", "grey.jpg"),
                     avatar = stage_upload(p.stage, p.ana, "avatar", "grey.jpg");
    ask_parts(&p, stage_member(p.stage, post.reply, "full_url"));
    ask_parts(&p, stage_member(p.stage, avatar.reply, "full_url"));
    /* The clock of development has a tag as every read has. */
    struct http_call h = { .method = "GET", .target = STR("/v1/development/clock") };
    h.headers[h.headers_n++] = (struct header) { "If-None-Match", STR("*") };
    server_call(p.stage->server, p.arena, &h);
    expect(&p, h, 304, NULL);
    stage_close(p.stage);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static int listen_as(struct play *p, struct str token)
{
    int fd = connect_to(p);
    struct str request = str_printf(p->arena,
                                    "GET /v1/events HTTP/1.1\r\nHost: a\r\n"
                                    "Authorization: Bearer %.*s\r\n\r\n",
                                    STR_FMT(token));

    must(send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n);
    hear(p, fd, "retry: ");
    return fd;
}

static void expect_event(struct play *p, int fd, const char *event)
{
    record_stream(hear(p, fd, str_printf(p->arena, "event: %s\n", event).p));
}

TEST_SECONDS(streams_tell_each_event_as_it_is_described, 40)
{
    struct play p;
    struct str to;

    fixtures_make();
    p = play_open("sqlite", true);
    int ana = listen_as(&p, p.ana), fan = listen_as(&p, p.fan);
    CHECK_INT(stage_upload(p.stage, p.ana, "post", "grey.jpg").status, 201);
    expect_event(&p, ana, "media.ready"); /* media.progress is before it */
    CHECK_INT(stage_upload(p.stage, p.ana, "post", "truncated.jpg").status, 415);
    expect_event(&p, ana, "media.failed");
    stage_must(p.stage, p.ana, "POST", "/v1/posts",
               "{\"text\":\"x\",\"access\":\"public\",\"publish\":true}", 201);
    expect_event(&p, ana, "post.published");
    struct http_call h = subscription_of(&p, "k1");
    stage_call_waiting(p.stage, &h);
    CHECK_INT(bank_pay(p.stage->bank, p.arena, stage_member(p.stage, h.reply, "checkout_url"),
                       STR("4242424242424242"), &to),
              303);
    stage_jobs(p.stage);
    expect_event(&p, fan, "subscription.changed");
    close(ana);
    close(fan);
    stage_close(p.stage);
}
