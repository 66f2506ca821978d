/* account_test.c -- what needs a clock, mails or a look behind the answers; the rest are scenarios. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/account.h"
#include "services/account/parts.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/exec.h"
#include "core/start.h"
#include "sys/jail_walls.h"
#include "test/house.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct module *const modules[] = { &core_module, &audit_module, &account_module,
                                                &session_module, &recovery_module };
static const struct str nobody;

#define ANA   "{\"email\":\"Ana@Example.org\",\"password\":\"violet-ferry-24\",\"name\":\" Ana \"}"
#define LOGIN "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\"}"
#define WRONG "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-25\"}"
#define BEARER                                                                                     \
    "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"kind\":\"bearer\"}"
#define UNKNOWN "{\"email\":\"eve@example.org\",\"password\":\"violet-ferry-25\"}"

static struct house *open_house(const char *engine)
{
    return house_open(engine, modules, COUNT(modules), "--account.quick_hash=true",
                      "--account.admin_email=Root@example.org");
}

/* Signed up; the cookie's token. */
static struct str ana(struct house *h)
{
    CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL, ANA));
    REQUIRE(h->cookie.p != NULL);
    return h->cookie;
}

static enum err login_as(struct house *h, const char *json)
{
    return ask(h, nobody, POST, "/v1/sessions", NULL, json);
}

static int64_t number(struct house *h, const char *what)
{
    int64_t n = -1;
    struct call *c = &h->bed->call;

    CHECK_OK(c->db->ops->begin(c->db, false));
    if (str_is(str_of(what), "sessions"))
        CHECK_OK(db_int(c, &n, "SELECT count(*) FROM session"));
    else if (str_is(str_of(what), "seen"))
        CHECK_OK(db_int(c, &n, "SELECT max(seen) FROM session"));
    else if (str_is(str_of(what), "attempts"))
        CHECK_OK(db_int(c, &n, "SELECT count(*) FROM login_attempt"));
    else
        CHECK_OK(db_int(c, &n, "SELECT count(*) FROM audit WHERE action = $1", str_of(what)));
    c->db->ops->rollback(c->db);
    return n;
}

ENGINES(account_sign_up_logs_in)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    CHECK_STR(answer(h, "email"), "ana@example.org");
    CHECK_STR(answer(h, "name"), "Ana");
    CHECK_STR(answer(h, "email_verified"), "false");
    CHECK_INT(token.n, 43);
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "role"), "user");
    CHECK_INT(ask(h, nobody, POST, "/v1/accounts", NULL, ANA), E_TAKEN);
    CHECK_STR(blamed(h), "email");
    CHECK_INT(number(h, "sessions"), 1);
    CHECK_INT(number(h, "account.signed_up"), 1);
    house_close(h);
}

ENGINES(account_bad_sign_ups_store_nothing)
{
    static const struct {
        const char *json;
        enum err e;
        const char *field;
    } cases[] = {
        { "{\"email\":\"ana@example.org\",\"password\":\"Password1!\",\"name\":\"Ana\"}",
          E_WEAK_PASSWORD, "password" },
        { "{\"email\":\"ana@example.org\",\"password\":\"short\",\"name\":\"Ana\"}",
          E_WEAK_PASSWORD, "password" },
        { "{\"email\":\"quentin@example.org\",\"password\":\"Quentin99\",\"name\":\"Ana\"}",
          E_WEAK_PASSWORD, "password" },
        { "{\"email\":\"ana@example.org\",\"password\":\"Stagedoor2026\",\"name\":\"Ana\"}",
          E_WEAK_PASSWORD, "password" },
        { "{\"email\":\"nowhere\",\"password\":\"violet-ferry-24\",\"name\":\"Ana\"}", E_INVALID,
          "email" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"  \"}",
          E_INVALID, "name" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"a\\nb\"}",
          E_INVALID, "name" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"a\\u202eb\"}",
          E_INVALID, "name" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"name\":"
          "\"\\u3000\\u200d\"}",
          E_INVALID, "name" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\"}", E_INVALID, "name" },
        { "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"A\",\"role\":"
          "\"admin\"}",
          E_UNKNOWN_MEMBER, "role" },
        { "{\"email\":\"ana@example.org\",\"password\":12345678,\"name\":\"Ana\"}", E_INVALID,
          "password" },
    };
    struct house *h = open_house(engine);

    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err e = ask(h, nobody, POST, "/v1/accounts", NULL, cases[i].json);
        if (e != cases[i].e || !str_is(blamed(h), cases[i].field))
            FAIL("case %zu: %d, %.*s", i, (int)e, STR_FMT(blamed(h)));
    }
    CHECK_INT(number(h, "sessions"), 0);
    CHECK_INT(number(h, "account.signed_up"), 0);
    CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL, ANA));
    house_close(h);
}

/* A stranger cannot tell an address with an account from one without: same answers, same waiting. */
ENGINES(login_failures_look_alike_and_slow_down)
{
    struct house *h = open_house(engine);

    ana(h);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(login_as(h, WRONG), E_WRONG_PASSWORD);
        CHECK_INT(login_as(h, UNKNOWN), E_WRONG_PASSWORD);
    }
    CHECK_INT(login_as(h, WRONG), E_RATE_LIMITED);
    CHECK_INT(h->call.problem.retry_after, 30);
    CHECK_INT(login_as(h, UNKNOWN), E_RATE_LIMITED);
    CHECK_INT(h->call.problem.retry_after, 30);
    CHECK_INT(login_as(h, LOGIN), E_RATE_LIMITED);
    house_pass(h, 31 * SECOND);
    CHECK_INT(login_as(h, WRONG), E_WRONG_PASSWORD);
    CHECK_INT(login_as(h, LOGIN), E_RATE_LIMITED);
    CHECK_INT(h->call.problem.retry_after, 60);
    house_pass(h, MINUTE + SECOND);
    CHECK_OK(login_as(h, LOGIN));
    CHECK_INT(login_as(h, WRONG), E_WRONG_PASSWORD); /* counted from the start again */
    CHECK_OK(login_as(h, LOGIN));
    CHECK_INT(number(h, "account.login_failed"), 12);
    house_close(h);
}

static rlim_t addresses_in_use(void)
{
    char text[64] = "";
    FILE *f = fopen("/proc/self/statm", "re");

    REQUIRE(f != NULL && fgets(text, sizeof(text), f) != NULL);
    fclose(f);
    return (rlim_t)strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Nor by the time it takes. What the work wants is counted instead: 64 MiB, which either are there or are not. And one
 * who has carried the setting of a test machine to a real one has not weakened it. */
ENGINES(login_works_as_hard_for_an_address_without_an_account)
{
    static const struct {
        int spare_mib;
        enum err e;
    } cases[] = { { 56, E_NO_MEMORY }, { 96, E_WRONG_PASSWORD } };
    struct rlimit was, is;

    if (SANITIZED)
        SKIP("a sanitizer's memory cannot be bounded");
    struct house *h = open_house(engine);
    h->env->development = false;
    ana(h);
    CHECK_INT(login_as(h, WRONG), E_WRONG_PASSWORD); /* all threads are there */
    REQUIRE(getrlimit(RLIMIT_AS, &was) == 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        is = was;
        is.rlim_cur = addresses_in_use() + ((rlim_t)cases[i].spare_mib << 20);
        REQUIRE(setrlimit(RLIMIT_AS, &is) == 0);
        enum err known = login_as(h, WRONG), unknown = login_as(h, UNKNOWN);
        REQUIRE(setrlimit(RLIMIT_AS, &was) == 0);
        CHECK_INT(known, cases[i].e);
        CHECK_INT(unknown, cases[i].e);
    }
    house_close(h);
}

ENGINES(login_waits_at_most_an_hour)
{
    struct house *h = open_house(engine);

    for (int i = 0; i < 20; i++) {
        CHECK_INT(login_as(h, UNKNOWN), E_WRONG_PASSWORD);
        house_pass(h, HOUR + SECOND);
    }
    CHECK_INT(login_as(h, UNKNOWN), E_WRONG_PASSWORD);
    house_pass(h, 2 * DAY);
    CHECK_INT(number(h, "attempts"), 0); /* swept */
    house_close(h);
}

ENGINES(sessions_end_when_idle_and_when_old)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    for (int day = 0; day < 89; day++) {
        house_pass(h, DAY);
        if (ask(h, token, GET, "/v1/me", NULL, NULL) != E_OK)
            FAIL("ended after %d days in spite of use", day);
    }
    house_pass(h, DAY + HOUR);
    CHECK_INT(ask(h, token, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_OK(login_as(h, LOGIN));
    token = h->cookie;
    house_pass(h, 13 * DAY);
    CHECK_OK(ask(h, token, GET, "/v1/sessions", NULL, NULL));
    CHECK_STR(answer(h, "items"), "1 items"); /* the old one is over and not shown */
    house_pass(h, 14 * DAY + HOUR);
    CHECK_INT(ask(h, token, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    house_pass(h, 40 * DAY);
    CHECK_INT(number(h, "sessions"), 0);
    house_close(h);
}

static enum err become_creator(struct call *c)
{
    return account_set_creator(c, *(const struct id *)c->prepared);
}

static enum err become_moderator(struct call *c)
{
    return account_set_role(c, *(const struct id *)c->prepared, ROLE_MODERATOR);
}

static enum err become_admin(struct call *c)
{
    return account_set_role(c, *(const struct id *)c->prepared, ROLE_ADMIN);
}

static void become(struct house *h, handler *what)
{
    struct call c;
    struct id id;

    REQUIRE(id_parse(answer(h, "id"), "usr", &id));
    call_begin(&c, h->env, h->arena);
    c.prepared = &id;
    CHECK_OK(exec_transaction(h->env->exec, &c, WRITE, what));
}

static struct str logged_in(struct house *h)
{
    CHECK_OK(login_as(h, LOGIN));
    return h->cookie;
}

static enum err look(struct house *h, struct str token)
{
    return ask(h, token, GET, "/v1/me", NULL, NULL);
}

/* Nobody waits for the note of when a session was seen; a test that moves the clock by weeks has to. */
static void seen_is_noted(struct house *h)
{
    for (int i = 0; i < 2000 && number(h, "seen") < env_real_now(h->env).us - MINUTE; i++)
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
}

/* To the minute before its end and at its end. Jobs do not run: it is the rule that ends a session, not the sweep. */
ENGINES_SECONDS(sessions_end_at_their_moment, 60)
{
    static const struct {
        const char *who;
        handler *become;
        int64_t idle_us, most_us;
    } kinds[] = {
        { "a fan", NULL, 14 * DAY, 90 * DAY },
        { "a creator", become_creator, 7 * DAY, 30 * DAY },
        { "a moderator", become_moderator, HOUR, 12 * HOUR },
        { "an admin", become_admin, HOUR, 12 * HOUR },
    };

    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct house *h = open_house(engine);
        ana(h);
        if (kinds[i].become != NULL)
            become(h, kinds[i].become);
        struct str used = logged_in(h), idle = logged_in(h);
        int64_t at = kinds[i].idle_us - MINUTE;
        house_shift(at);
        if (look(h, used) != E_OK)
            FAIL("%s: ended before it was idle for so long", kinds[i].who);
        seen_is_noted(h);
        house_shift(MINUTE);
        if (look(h, idle) != E_SIGNED_OUT)
            FAIL("%s: idle for so long, and not ended", kinds[i].who);
        for (at += MINUTE; at + kinds[i].idle_us / 2 < kinds[i].most_us - MINUTE;) {
            at += kinds[i].idle_us / 2;
            house_shift(kinds[i].idle_us / 2);
            if (look(h, used) != E_OK)
                FAIL("%s: ended %" PRId64 " s old, in spite of use", kinds[i].who, at / SECOND);
            seen_is_noted(h);
        }
        house_shift(kinds[i].most_us - MINUTE - at);
        if (look(h, used) != E_OK)
            FAIL("%s: ended before it was so old", kinds[i].who);
        house_shift(MINUTE);
        if (look(h, used) != E_SIGNED_OUT)
            FAIL("%s: so old, and not ended", kinds[i].who);
        house_close(h);
        unit_dir_clear();
    }
}

ENGINES(moving_the_business_clock_ends_no_session)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    __atomic_store_n(&h->env->clock.offset_us, 400 * DAY, __ATOMIC_RELEASE);
    house_jobs(h);
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    house_close(h);
}

static struct str cookie_line(struct house *h)
{
    for (size_t i = 0; i < h->call.reply.headers_n; i++)
        if (strcmp(h->call.reply.headers[i].name, "Set-Cookie") == 0)
            return h->call.reply.headers[i].value;
    return STR_NONE;
}

/* No script reads it and no other site's form sends it; over https no other host sets it, and it never goes out bare. */
ENGINES(session_cookies_to_the_letter)
{
    static const struct {
        const char *url, *name, *in, *out;
    } cases[] = {
        { "http://127.0.0.1:8080", "sid=", "; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000",
          "sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0" },
        { "https://stage.example",
          "__Host-sid=", "; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000; Secure",
          "__Host-sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct house *h = open_house(engine);
        h->env->public_url = str_of(cases[i].url);
        struct str token = ana(h);
        CHECK_STR(cookie_line(h),
                  str_printf(h->arena, "%s%.*s%s", cases[i].name, STR_FMT(token), cases[i].in));
        token = logged_in(h);
        CHECK_STR(cookie_line(h),
                  str_printf(h->arena, "%s%.*s%s", cases[i].name, STR_FMT(token), cases[i].in));
        CHECK_OK(ask(h, token, DELETE, "/v1/sessions/current", NULL, NULL));
        CHECK_STR(cookie_line(h), cases[i].out);
        house_close(h);
        unit_dir_clear();
    }
}

ENGINES(session_tokens_that_are_not_ours)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);
    const struct str others[] = {
        STR(""),
        STR("x"),
        str_cut(token, 0, 42),
        str_printf(h->arena, "%.*sA", STR_FMT(token)),
        STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        str_lower(h->arena, token),
    };

    for (size_t i = 0; i < COUNT(others); i++)
        CHECK_INT(ask(h, others[i], GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    house_close(h);
}

ENGINES(sessions_are_listed_and_revoked)
{
    struct house *h = open_house(engine);
    struct str first = ana(h);

    CHECK_OK(login_as(h, BEARER));
    struct str bearer = answer(h, "token"), id = answer(h, "id");
    CHECK(h->cookie.p == NULL);
    CHECK_OK(login_as(h, LOGIN));
    CHECK(answer(h, "token").p == NULL);
    struct str third = h->cookie;

    CHECK_OK(ask(h, bearer, GET, "/v1/sessions", NULL, NULL));
    CHECK_STR(answer(h, "items"), "3 items");
    CHECK_STR(answer(h, "items.1.id"), id);
    CHECK_STR(answer(h, "items.1.current"), "true");
    CHECK_STR(answer(h, "items.0.current"), "false");
    CHECK_STR(answer(h, "items.0.agent"), "house?/? 1.0");
    CHECK_STR(answer(h, "items.0.address"), "192.0.2.7");
    CHECK(answer(h, "items.0.token").p == NULL);

    CHECK_OK(ask(h, first, DELETE, "/v1/sessions/{session}", id.p, NULL));
    CHECK_INT(ask(h, bearer, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_INT(ask(h, first, DELETE, "/v1/sessions/{session}", id.p, NULL), E_NOT_FOUND);
    CHECK_OK(ask(h, first, DELETE, "/v1/sessions", NULL, NULL));
    CHECK_INT(ask(h, third, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_OK(ask(h, first, DELETE, "/v1/sessions/current", NULL, NULL));
    CHECK_STR(h->cookie, "");
    CHECK_INT(ask(h, first, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    house_close(h);
}

ENGINES(sessions_of_others_are_not_found)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    CHECK_OK(ask(h, token, GET, "/v1/sessions", NULL, NULL));
    struct str id = answer(h, "items.0.id");
    CHECK_OK(
        ask(h, nobody, POST, "/v1/accounts", NULL,
            "{\"email\":\"bo@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"Bo\"}"));
    struct str bo = h->cookie;
    CHECK_INT(ask(h, bo, DELETE, "/v1/sessions/{session}", id.p, NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, bo, DELETE, "/v1/sessions/{session}", "ses_0000000000001", NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, bo, DELETE, "/v1/sessions/{session}", "usr_0000000000001", NULL), E_NOT_FOUND);
    CHECK_OK(ask(h, bo, DELETE, "/v1/sessions", NULL, NULL));
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    house_close(h);
}

ENGINES(only_fifty_sessions_are_kept)
{
    struct house *h = open_house(engine);
    struct str first = ana(h);

    for (int i = 0; i < 50; i++)
        CHECK_OK(login_as(h, BEARER));
    struct str last = answer(h, "token");
    CHECK_INT(ask(h, first, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_INT(number(h, "sessions"), 50);
    CHECK_OK(ask(h, last, GET, "/v1/sessions", NULL, "?limit=30"));
    CHECK_STR(answer(h, "items"), "30 items");
    house_close(h);
}

ENGINES(address_is_confirmed_once)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    house_jobs(h);
    CHECK_INT(h->mails_n, 1);
    CHECK_STR(h->mails[0].to, "ana@example.org");
    struct str link = mailed_token(h);
    CHECK_INT(link.n, 43);
    struct str json = str_printf(h->arena, "{\"token\":\"%.*s\"}", STR_FMT(link));
    CHECK_INT(ask(h, nobody, POST, "/v1/password-resets/confirm", NULL,
                  str_printf(h->arena, "{\"token\":\"%.*s\",\"password\":\"violet-ferry-26\"}",
                             STR_FMT(link))
                      .p),
              E_TOKEN_SPENT); /* of another purpose */
    CHECK_OK(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL, json.p));
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "email_verified"), "true");
    CHECK_INT(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL, json.p), E_TOKEN_SPENT);
    CHECK_STR(blamed(h), "token");
    CHECK_OK(ask(h, token, POST, "/v1/email-verifications", NULL, NULL));
    house_jobs(h);
    CHECK_INT(h->mails_n, 1); /* nothing left to confirm */
    house_close(h);
}

ENGINES(mails_carry_no_text_of_strangers)
{
    struct house *h = open_house(engine);

    CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL,
                 "{\"email\":\"victim@example.org\",\"password\":\"violet-ferry-24\","
                 "\"name\":\"Win at https://evil.example\"}"));
    house_jobs(h);
    CHECK_INT(h->mails_n, 1);
    CHECK(strstr(h->mails[0].text.p, "evil") == NULL);
    CHECK(strstr(h->mails[0].subject.p, "evil") == NULL);
    house_close(h);
}

ENGINES(confirming_again_replaces_the_link)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    house_jobs(h);
    struct str old = mailed_token(h);
    CHECK_OK(ask(h, token, POST, "/v1/email-verifications", NULL, NULL));
    house_jobs(h);
    CHECK_INT(h->mails_n, 1); /* within a minute: one is on its way */
    house_pass(h, 2 * MINUTE);
    CHECK_OK(ask(h, token, POST, "/v1/email-verifications", NULL, NULL));
    house_jobs(h);
    CHECK_INT(h->mails_n, 2);
    CHECK(!str_eq(old, mailed_token(h)));
    CHECK_INT(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL,
                  str_printf(h->arena, "{\"token\":\"%.*s\"}", STR_FMT(old)).p),
              E_TOKEN_SPENT);
    house_pass(h, HOUR + SECOND);
    CHECK_INT(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL,
                  str_printf(h->arena, "{\"token\":\"%.*s\"}", STR_FMT(mailed_token(h))).p),
              E_TOKEN_SPENT); /* too old */
    house_close(h);
}

static enum err confirm(struct house *h, bool reset)
{
    struct str json = str_printf(h->arena, "{\"token\":\"%.*s\"%s}", STR_FMT(mailed_token(h)),
                                 reset ? ",\"password\":\"violet-ferry-26\"" : "");

    return ask(h, nobody, POST,
               reset ? "/v1/password-resets/confirm" : "/v1/email-verifications/confirm", NULL,
               json.p);
}

/* Jobs do not run on the way: it is the rule that ends a link, not the sweep. */
ENGINES(links_work_for_an_hour)
{
    for (int i = 0; i < 4; i++) {
        bool late = i % 2, reset = i / 2;
        struct house *h = open_house(engine);
        ana(h);
        if (reset)
            CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL,
                         "{\"email\":\"ana@example.org\"}"));
        house_jobs(h);
        CHECK_INT(h->mails_n, reset ? 2 : 1);
        house_shift(late ? HOUR : HOUR - MINUTE);
        CHECK_INT(confirm(h, reset), late ? E_TOKEN_SPENT : E_OK);
        house_close(h);
        unit_dir_clear();
    }
}

ENGINES(operator_becomes_admin_by_confirming)
{
    struct house *h = open_house(engine);

    CHECK_OK(
        ask(h, nobody, POST, "/v1/accounts", NULL,
            "{\"email\":\"root@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"Root\"}"));
    struct str token = h->cookie;
    CHECK_STR(answer(h, "role"), "user");
    CHECK_INT(ask(h, token, GET, "/v1/admin/audit", NULL, NULL), E_FORBIDDEN);
    house_jobs(h);
    CHECK_OK(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL,
                 str_printf(h->arena, "{\"token\":\"%.*s\"}", STR_FMT(mailed_token(h))).p));
    CHECK_OK(ask(h, token, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "role"), "admin");
    CHECK_OK(ask(h, token, GET, "/v1/admin/audit", NULL, NULL));
    CHECK_STR(answer(h, "items.0.action"), "account.role_changed");
    CHECK_STR(answer(h, "items.0.detail"), "admin");
    house_close(h);
}

ENGINES(password_reset_ends_everything_before)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    house_jobs(h);
    for (int i = 0; i < 6; i++)
        login_as(h, WRONG);
    CHECK_INT(login_as(h, LOGIN), E_RATE_LIMITED);
    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL, "{\"email\":\"ANA@example.org\"}"));
    house_jobs(h);
    CHECK_INT(h->mails_n, 2);
    struct str link = mailed_token(h);
    const char *weak =
        str_printf(h->arena, "{\"token\":\"%.*s\",\"password\":\"12345678\"}", STR_FMT(link)).p;
    const char *good =
        str_printf(h->arena, "{\"token\":\"%.*s\",\"password\":\"violet-ferry-26\"}", STR_FMT(link))
            .p;
    CHECK_INT(ask(h, nobody, POST, "/v1/password-resets/confirm", NULL, weak), E_WEAK_PASSWORD);
    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets/confirm", NULL, good));
    CHECK_INT(ask(h, nobody, POST, "/v1/password-resets/confirm", NULL, good), E_TOKEN_SPENT);
    CHECK_INT(ask(h, token, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    CHECK_INT(login_as(h, LOGIN), E_WRONG_PASSWORD);
    CHECK_OK(login_as(h, "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-26\"}"));
    CHECK_OK(ask(h, h->cookie, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "email_verified"), "true");
    house_jobs(h);
    CHECK_INT(h->mails_n, 3);
    CHECK(mailed_token(h).p == NULL); /* a notice, without a link that opens anything */
    house_close(h);
}

ENGINES(password_reset_tells_nothing)
{
    struct house *h = open_house(engine);

    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL, "{\"email\":\"eve@example.org\"}"));
    CHECK(h->call.reply.body.p == NULL);
    house_jobs(h);
    CHECK_INT(h->mails_n, 0);
    house_close(h);
}

/* --- many at once ----------------------------------------------------------------------------------------------- */

enum { CROWD = 24 };

struct one_of_many {
    struct house *h;
    const struct route *route;
    const char *json;
    enum err e;
    pthread_t thread;
};

static void *run_one(void *arg)
{
    struct one_of_many *o = arg;
    struct arena a = { 0 };
    struct call c;
    const char *why = NULL;
    void *in = arena_alloc(&a, o->route->in->size);

    call_begin(&c, o->h->env, &a);
    c.route = o->route;
    c.in = in;
    must(shape_decode(o->route->in, json_parse(&a, str_of(o->json), &why), &a, in, &c.problem) ==
         E_OK);
    o->e = exec_run_wait(o->h->env->exec, &c);
    arena_done(&a);
    return NULL;
}

/* How many of the crowd, each of whom asks the same, got each of two answers. */
static void crowd(struct house *h, const char *path, const char *json, enum err one, int *ones,
                  enum err other, int *others)
{
    struct one_of_many all[CROWD];
    const struct route *route = NULL;

    for (size_t m = 0; m < COUNT(modules); m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++)
            if (modules[m]->routes[i].method == POST &&
                str_is(str_of(path), modules[m]->routes[i].path))
                route = &modules[m]->routes[i];
    REQUIRE(route != NULL);
    for (size_t i = 0; i < CROWD; i++) {
        all[i] = (struct one_of_many) { .h = h, .route = route, .json = json };
        must(pthread_create(&all[i].thread, NULL, run_one, &all[i]) == 0);
    }
    *ones = *others = 0;
    for (size_t i = 0; i < CROWD; i++) {
        pthread_join(all[i].thread, NULL);
        *ones += all[i].e == one;
        *others += all[i].e == other;
    }
}

ENGINES(guesses_side_by_side_are_all_counted)
{
    struct house *h = open_house(engine);
    int wrong, limited;

    ana(h);
    crowd(h, "/v1/sessions", WRONG, E_WRONG_PASSWORD, &wrong, E_RATE_LIMITED, &limited);
    CHECK_INT(wrong, 5);
    CHECK_INT(limited, CROWD - 5);
    house_close(h);
}

ENGINES(one_address_signs_up_once)
{
    struct house *h = open_house(engine);
    int good, taken;

    crowd(h, "/v1/accounts", ANA, E_OK, &good, E_TAKEN, &taken);
    CHECK_INT(good, 1);
    CHECK_INT(taken, CROWD - 1);
    CHECK_INT(number(h, "sessions"), 1);
    house_close(h);
}

ENGINES(one_link_works_once)
{
    struct house *h = open_house(engine);
    int good, spent;

    ana(h);
    house_jobs(h);
    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL, "{\"email\":\"ana@example.org\"}"));
    house_jobs(h);
    crowd(h, "/v1/password-resets/confirm",
          str_printf(h->arena, "{\"token\":\"%.*s\",\"password\":\"violet-ferry-26\"}",
                     STR_FMT(mailed_token(h)))
              .p,
          E_OK, &good, E_TOKEN_SPENT, &spent);
    CHECK_INT(good, 1);
    CHECK_INT(spent, CROWD - 1);
    house_close(h);
}

static enum err count_dear_hashes(struct call *c)
{
    return db_int(c, c->prepared,
                  "SELECT count(*) FROM account"
                  " WHERE password LIKE '$argon2id$v=19$m=65536,t=3,p=1$%'");
}

static int64_t dear_hashes(struct house *h)
{
    struct call c;
    int64_t n = -1;

    call_begin(&c, h->env, h->arena);
    c.prepared = &n;
    CHECK_OK(exec_transaction(h->env->exec, &c, READ, count_dear_hashes));
    return n;
}

ENGINES(quick_hashes_are_for_development_alone)
{
    struct house *h = open_house(engine); /* with account.quick_hash */

    ana(h);
    CHECK_INT(dear_hashes(h), 0);
    h->env->development = false;
    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL, "{\"email\":\"ana@example.org\"}"));
    house_jobs(h);
    CHECK_OK(confirm(h, true));
    CHECK_INT(dear_hashes(h), 1);
    CHECK_OK(
        ask(h, nobody, POST, "/v1/accounts", NULL,
            "{\"email\":\"bo@example.org\",\"password\":\"violet-ferry-24\",\"name\":\"Bo\"}"));
    CHECK_INT(dear_hashes(h), 2);
    house_close(h);
}

static enum err find_tokens(struct call *c)
{
    const struct str *token = c->prepared;
    int64_t n = 0;

    TRY(db_int(c, &n,
               "SELECT (SELECT count(*) FROM job WHERE payload LIKE '%' || $1 || '%')"
               " + (SELECT count(*) FROM audit WHERE detail LIKE '%' || $1 || '%')",
               *token));
    return n == 0 ? E_OK : E_CONFLICT;
}

/* Neither a job nor a record holds what opens a door. */
ENGINES(mailed_tokens_are_not_in_the_database)
{
    struct house *h = open_house(engine);
    struct call c;

    ana(h);
    CHECK_OK(ask(h, nobody, POST, "/v1/password-resets", NULL, "{\"email\":\"ana@example.org\"}"));
    house_jobs(h);
    struct str token = mailed_token(h);
    REQUIRE(token.n == 43);
    call_begin(&c, h->env, h->arena);
    c.prepared = &token;
    CHECK_OK(exec_transaction(h->env->exec, &c, READ, find_tokens));
    house_close(h);
}

ENGINES(name_is_changed)
{
    struct house *h = open_house(engine);
    struct str token = ana(h);

    CHECK_OK(ask(h, token, PATCH, "/v1/me", NULL, "{\"name\":\"Ana K\xc3\xb6nig\"}"));
    CHECK_STR(answer(h, "name"), "Ana K\xc3\xb6nig");
    CHECK_OK(ask(h, token, PATCH, "/v1/me", NULL, "{}"));
    CHECK_STR(answer(h, "name"), "Ana K\xc3\xb6nig");
    CHECK_INT(ask(h, token, PATCH, "/v1/me", NULL, "{\"name\":null}"), E_INVALID);
    CHECK_INT(ask(h, token, PATCH, "/v1/me", NULL, "{\"email\":\"x@example.org\"}"),
              E_UNKNOWN_MEMBER);
    CHECK_INT(ask(h, nobody, PATCH, "/v1/me", NULL, "{\"name\":\"Eve\"}"), E_SIGNED_OUT);
    house_close(h);
}

static enum err cards(struct call *c)
{
    struct account_card *result = c->prepared;
    const struct id ids[] = { { 12345 }, result[1].id, { 12345 } };

    return account_cards(c, ids, COUNT(ids), result);
}

ENGINES(cards_keep_their_order)
{
    struct house *h = open_house(engine);
    struct account_card result[3] = { 0 };
    struct call c;

    ana(h);
    REQUIRE(id_parse(answer(h, "id"), "usr", &result[1].id));
    call_begin(&c, h->env, h->arena);
    c.prepared = result;
    CHECK_OK(exec_transaction(h->env->exec, &c, READ, cards));
    CHECK_STR(result[0].name, "Somebody");
    CHECK_STR(result[1].name, "Ana");
    CHECK_STR(result[2].name, "Somebody");
    house_close(h);
}
