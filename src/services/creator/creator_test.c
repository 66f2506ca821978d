/* creator_test.c -- what other services call, and rules that need many rows; the rest are scenarios. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/creator/creator.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/exec.h"
#include "core/start.h"
#include "test/house.h"

#include <pthread.h>

static const struct module *const modules[] = {
    &core_module, &audit_module, &account_module, &session_module, &recovery_module, &creator_module
};
static const struct str nobody;

static struct house *open_house(const char *engine)
{
    return house_open(engine, modules, COUNT(modules), "--account.quick_hash=true", NULL);
}

static struct str person(struct house *h, const char *name)
{
    const char *json = str_printf(h->arena,
                                  "{\"email\":\"%s@example.org\",\"password\":\"violet-ferry-24\","
                                  "\"name\":\"%s\"}",
                                  name, name)
                           .p;

    CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL, json));
    return h->cookie;
}

static struct str creator(struct house *h, const char *handle)
{
    struct str token = person(h, handle);
    const char *json =
        str_printf(h->arena, "{\"handle\":\"%s\",\"name\":\"The %s\",\"bio\":\"\"}", handle, handle)
            .p;

    CHECK_OK(ask(h, token, POST, "/v1/creators", NULL, json));
    return token;
}

static enum err in_call(struct house *h, enum tx tx, handler *run, void *prepared)
{
    struct call c;

    call_begin(&c, h->env, h->arena);
    c.prepared = prepared;
    return exec_transaction(h->env->exec, &c, tx, run);
}

ENGINES(becoming_a_creator)
{
    struct house *h = open_house(engine);
    struct str ana = person(h, "ana"), bo = person(h, "bo");

    CHECK_INT(ask(h, ana, GET, "/v1/creators/me", NULL, NULL), E_NOT_CREATOR);
    CHECK_INT(ask(h, nobody, POST, "/v1/creators", NULL,
                  "{\"handle\":\"ana\",\"name\":\"Ana\",\"bio\":\"\"}"),
              E_SIGNED_OUT);
    CHECK_INT(ask(h, ana, POST, "/v1/creators", NULL,
                  "{\"handle\":\"Admin\",\"name\":\"Ana\",\"bio\":\"\"}"),
              E_TAKEN);
    CHECK_STR(blamed(h), "handle");
    CHECK_OK(ask(h, ana, POST, "/v1/creators", NULL,
                 "{\"handle\":\"Ana_K\",\"name\":\"Ana\",\"bio\":\"Line one\\nline two\"}"));
    CHECK_STR(answer(h, "handle"), "ana_k");
    CHECK_STR(answer(h, "own"), "true");
    CHECK_STR(answer(h, "tiers"), "0 items");
    CHECK(answer(h, "avatar_url").p == NULL);
    CHECK_OK(ask(h, ana, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "creator"), "true");
    CHECK_INT(ask(h, ana, POST, "/v1/creators", NULL,
                  "{\"handle\":\"other\",\"name\":\"Ana\",\"bio\":\"\"}"),
              E_CONFLICT);
    CHECK_INT(ask(h, bo, POST, "/v1/creators", NULL,
                  "{\"handle\":\"ANA_K\",\"name\":\"Bo\",\"bio\":\"\"}"),
              E_TAKEN);
    CHECK_OK(ask(h, bo, GET, "/v1/creators/{handle}", "Ana_k", NULL));
    CHECK_STR(answer(h, "own"), "false");
    CHECK_INT(ask(h, bo, GET, "/v1/creators/{handle}", "nobody_here", NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, bo, GET, "/v1/creators/{handle}", "no such!", NULL), E_NOT_FOUND);
    house_close(h);
}

ENGINES(creator_is_changed_in_parts)
{
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana");

    creator(h, "carl");
    CHECK_OK(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"bio\":\"Hello\"}"));
    CHECK_STR(answer(h, "bio"), "Hello");
    CHECK_STR(answer(h, "name"), "The ana");
    CHECK_OK(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"bio\":\"\",\"handle\":\"Anna\"}"));
    CHECK_STR(answer(h, "bio"), "");
    CHECK_STR(answer(h, "handle"), "anna");
    CHECK_OK(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"handle\":\"anna\"}"));
    CHECK_INT(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"handle\":\"carl\",\"bio\":\"X\"}"),
              E_TAKEN);
    CHECK_INT(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"handle\":\"studio\"}"), E_TAKEN);
    CHECK_INT(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"handle\":\"a!b\"}"), E_INVALID);
    CHECK_INT(ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"followers\":9}"), E_UNKNOWN_MEMBER);
    CHECK_INT(ask(h, nobody, GET, "/v1/creators/{handle}", "ana", NULL), E_NOT_FOUND);
    CHECK_OK(ask(h, nobody, GET, "/v1/creators/{handle}", "anna", NULL));
    CHECK_STR(answer(h, "bio"), "");
    house_close(h);
}

ENGINES(tiers_have_prices_that_can_be_charged)
{
    static const struct {
        const char *price;
        enum err e;
        const char *field;
    } cases[] = {
        { "\"price\":500,\"currency\":\"EUR\"", E_OK, NULL },
        { "\"price\":500,\"currency\":\"JPY\"", E_OK, NULL },
        { "\"price\":99999999,\"currency\":\"USD\"", E_OK, NULL },
        { "\"price\":1,\"currency\":\"EUR\"", E_BELOW_MINIMUM, "price" },
        { "\"price\":0,\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":-500,\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":100000000,\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":9223372036854775807,\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":5.5,\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":\"500\",\"currency\":\"EUR\"", E_INVALID, "price" },
        { "\"price\":500,\"currency\":\"eur\"", E_INVALID, "currency" },
        { "\"price\":500,\"currency\":\"XXX\"", E_INVALID, "currency" },
        { "\"price\":500", E_INVALID, "currency" },
    };
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana");

    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err e = ask(
            h, ana, POST, "/v1/creators/me/tiers", NULL,
            str_printf(h->arena, "{\"name\":\"Row\",\"description\":\"\",%s}", cases[i].price).p);
        if (e != cases[i].e || (e != E_OK && !str_is(blamed(h), cases[i].field)))
            FAIL("%s: %d, %.*s", cases[i].price, (int)e, STR_FMT(blamed(h)));
    }
    CHECK_OK(ask(h, nobody, GET, "/v1/creators/{handle}", "ana", NULL));
    CHECK_STR(answer(h, "tiers"), "3 items");
    CHECK_STR(answer(h, "tiers.0.price"), "500");
    CHECK_STR(answer(h, "tiers.2.currency"), "USD");
    house_close(h);
}

ENGINES(tiers_are_changed_and_archived_by_their_owner)
{
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana"), carl = creator(h, "carl");

    CHECK_OK(ask(h, ana, POST, "/v1/creators/me/tiers", NULL,
                 "{\"name\":\"Row\",\"description\":\"All\",\"price\":500,\"currency\":\"EUR\"}"));
    struct str id = answer(h, "id");
    CHECK_INT(ask(h, carl, PATCH, "/v1/tiers/{tier}", id.p, "{\"price\":600}"), E_NOT_FOUND);
    CHECK_INT(ask(h, carl, DELETE, "/v1/tiers/{tier}", id.p, NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, ana, PATCH, "/v1/tiers/{tier}", id.p, "{\"price\":3}"), E_BELOW_MINIMUM);
    CHECK_OK(ask(h, ana, PATCH, "/v1/tiers/{tier}", id.p, "{\"price\":600}"));
    CHECK_STR(answer(h, "price"), "600");
    CHECK_STR(answer(h, "description"), "All");
    CHECK_OK(ask(h, ana, PATCH, "/v1/tiers/{tier}", id.p, "{\"description\":\"\"}"));
    CHECK_STR(answer(h, "description"), "");
    CHECK_OK(ask(h, ana, DELETE, "/v1/tiers/{tier}", id.p, NULL));
    CHECK_INT(ask(h, ana, DELETE, "/v1/tiers/{tier}", id.p, NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, ana, PATCH, "/v1/tiers/{tier}", id.p, "{\"price\":700}"), E_NOT_FOUND);
    CHECK_OK(ask(h, ana, GET, "/v1/creators/me", NULL, NULL));
    CHECK_STR(answer(h, "tiers"), "0 items");
    house_close(h);
}

ENGINES(twenty_tiers_are_the_most)
{
    static const char json[] =
        "{\"name\":\"Row\",\"description\":\"\",\"price\":500,\"currency\":\"EUR\"}";
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana");

    for (int i = 0; i < 20; i++)
        CHECK_OK(ask(h, ana, POST, "/v1/creators/me/tiers", NULL, json));
    struct str id = answer(h, "id");
    CHECK_INT(ask(h, ana, POST, "/v1/creators/me/tiers", NULL, json), E_CONFLICT);
    CHECK_OK(ask(h, ana, DELETE, "/v1/tiers/{tier}", id.p, NULL));
    CHECK_OK(ask(h, ana, POST, "/v1/creators/me/tiers", NULL, json));
    house_close(h);
}

static enum err counters_hold(struct call *c)
{
    int64_t wrong = 0;

    TRY(db_int(c, &wrong,
               "SELECT count(*) FROM creator WHERE followers <>"
               " (SELECT count(*) FROM follow WHERE creator = creator.id)"));
    return wrong == 0 ? E_OK : E_CONFLICT;
}

ENGINES(following_counts)
{
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana"), bo = person(h, "bo"), cy = person(h, "cyd");

    for (int i = 0; i < 2; i++) {
        CHECK_OK(ask(h, bo, PUT, "/v1/creators/{handle}/follow", "ANA", NULL));
        CHECK_STR(answer(h, "followers"), "1");
        CHECK_STR(answer(h, "following"), "true");
    }
    CHECK_OK(ask(h, cy, GET, "/v1/creators/{handle}", "ana", NULL));
    CHECK_STR(answer(h, "following"), "false");
    CHECK_OK(ask(h, cy, PUT, "/v1/creators/{handle}/follow", "ana", NULL));
    CHECK_STR(answer(h, "followers"), "2");
    CHECK_OK(in_call(h, READ, counters_hold, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ask(h, bo, DELETE, "/v1/creators/{handle}/follow", "ana", NULL));
        CHECK_STR(answer(h, "followers"), "1");
        CHECK_STR(answer(h, "following"), "false");
    }
    CHECK_OK(in_call(h, READ, counters_hold, NULL));
    CHECK_INT(ask(h, ana, PUT, "/v1/creators/{handle}/follow", "ana", NULL), E_CONFLICT);
    CHECK_INT(ask(h, bo, PUT, "/v1/creators/{handle}/follow", "nope", NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, bo, DELETE, "/v1/creators/{handle}/follow", "nope", NULL), E_NOT_FOUND);
    CHECK_INT(ask(h, nobody, PUT, "/v1/creators/{handle}/follow", "ana", NULL), E_SIGNED_OUT);
    house_close(h);
}

/* Every creator once, whatever is added while one reads. */
ENGINES(lists_are_walked_by_pages)
{
    struct house *h = open_house(engine);
    struct str bo = person(h, "bo"), next = STR_NONE;
    const char *names[] = { "one", "two", "three", "four", "five", "six", "seven" };
    int seen = 0;

    for (size_t i = 0; i < COUNT(names); i++) {
        creator(h, names[i]);
        CHECK_OK(ask(h, bo, PUT, "/v1/creators/{handle}/follow", names[i], NULL));
    }
    CHECK_OK(ask(h, bo, GET, "/v1/follows", NULL, "?limit=3"));
    CHECK_STR(answer(h, "items.0.handle"), "seven");
    CHECK_STR(answer(h, "items.2.handle"), "five");
    CHECK_OK(ask(h, bo, GET, "/v1/follows", NULL,
                 str_printf(h->arena, "?limit=3&cursor=%.*s", STR_FMT(answer(h, "next"))).p));
    CHECK_STR(answer(h, "items.0.handle"), "four");
    CHECK(answer(h, "items.0.followers").p == NULL); /* a card */
    do {
        const char *query = next.p == NULL
                                ? "?limit=2"
                                : str_printf(h->arena, "?limit=2&cursor=%.*s", STR_FMT(next)).p;
        CHECK_OK(ask(h, bo, GET, "/v1/creators", NULL, query));
        CHECK_STR(answer(h, "items.0.following"), "true");
        seen += str_is(answer(h, "items"), "2 items") ? 2 : 1;
        next = answer(h, "next");
        if (seen == 2)
            creator(h, "late");
    } while (next.p != NULL);
    CHECK_INT(seen, COUNT(names));
    CHECK_INT(ask(h, bo, GET, "/v1/creators", NULL, "?cursor=cur_0000000000000"), E_INVALID);
    CHECK_INT(ask(h, bo, GET, "/v1/creators", NULL, "?limit=101"), E_INVALID);
    house_close(h);
}

struct probe {
    struct id ana, bo;
};

static enum err head_is(struct call *c, struct id creator, int64_t head, int64_t posts)
{
    struct creator_ref_list refs = { 0 };
    int64_t n = -1;

    TRY(creator_refs(c, &creator, 1, &refs));
    TRY(db_int(c, &n, "SELECT posts FROM creator WHERE id = $1", creator));
    CHECK_INT(refs.n, 1);
    CHECK_INT(refs.v[0].head, head);
    CHECK_INT(n, posts);
    return E_OK;
}

static enum err use_as_service(struct call *c)
{
    const struct probe *p = c->prepared;
    const struct id ids[] = { p->bo, { 999 }, p->ana };
    struct creator_card *cards[3];
    struct creator_ref_list follows = { 0 };
    struct id followed[1];
    size_t n = 9;

    TRY(creator_cards(c, ids, COUNT(ids), cards));
    CHECK_STR(cards[0]->handle, "carl");
    CHECK(cards[1] == NULL);
    CHECK_STR(cards[2]->handle, "ana");
    TRY(creator_followed_among(c, p->bo, &p->ana, 1, followed, &n));
    CHECK_INT(n, 0);
    TRY(creator_follow(c, p->bo, p->ana, true));
    TRY(creator_followed_among(c, p->bo, &p->ana, 1, followed, &n));
    CHECK(n == 1 && id_is(followed[0], p->ana));
    TRY(creator_follows(c, p->bo, &follows));
    CHECK_INT(follows.n, 1);
    CHECK(id_is(follows.v[0].creator, p->ana));
    TRY(creator_published(c, p->ana, 50, 1));
    TRY(head_is(c, p->ana, 50, 1));
    TRY(creator_published(c, p->ana, 40, 1)); /* the older of two commits last */
    TRY(head_is(c, p->ana, 50, 2));
    TRY(creator_published(c, p->ana, 40, -1)); /* the newest is deleted */
    TRY(head_is(c, p->ana, 40, 1));
    TRY(creator_published(c, p->ana, 0, -1));
    TRY(head_is(c, p->ana, 0, 0));
    CHECK_INT(creator_published(c, (struct id) { 999 }, 1, 1), E_NOT_FOUND);
    TRY(creator_set_picture(c, p->ana, false, STR("/media/ast_1/avatar.webp")));
    TRY(creator_cards(c, &p->ana, 1, cards));
    CHECK_STR(cards[0]->avatar_url, "/media/ast_1/avatar.webp");
    TRY(creator_set_picture(c, p->ana, false, STR_NONE));
    TRY(creator_cards(c, &p->ana, 1, cards));
    CHECK(cards[0]->avatar_url.p == NULL);
    CHECK_INT(creator_set_picture(c, (struct id) { 999 }, true, STR("/x")), E_NOT_FOUND);
    return E_OK;
}

ENGINES(creator_for_other_services)
{
    struct house *h = open_house(engine);
    struct probe p = { 0 };

    creator(h, "ana");
    REQUIRE(id_parse(answer(h, "id"), "crt", &p.ana));
    creator(h, "carl");
    REQUIRE(id_parse(answer(h, "id"), "crt", &p.bo));
    CHECK_OK(in_call(h, WRITE, use_as_service, &p));
    CHECK_OK(in_call(h, READ, counters_hold, NULL));
    house_close(h);
}

ENGINES(creator_page_has_a_head)
{
    struct house *h = open_house(engine);
    struct str ana = creator(h, "ana");
    const struct page_head *head;

    CHECK_OK(
        ask(h, ana, PATCH, "/v1/creators/me", NULL, "{\"bio\":\"First </script> line\\nsecond\"}"));
    CHECK_OK(ask(h, ana, GET, "/@{handle}", "Ana", NULL));
    head = h->call.out;
    CHECK_INT(head->status, 200);
    CHECK_STR(head->title, "The ana (@ana)");
    CHECK_STR(head->description, "First </script> line");
    const char *why = NULL;
    const struct json *data = json_parse(h->arena, head->data, &why);
    REQUIRE(data != NULL);
    const struct json *first = json_get(data, "GET /v1/creators/ana");
    REQUIRE(first != NULL);
    CHECK(!json_get(first, "own")->boolean); /* as seen by anyone, though the owner asks */
    CHECK_OK(ask(h, nobody, GET, "/@{handle}", "nope", NULL));
    head = h->call.out;
    CHECK_INT(head->status, 404);
    CHECK(head->data.p == NULL);
    house_close(h);
}

/* --- many at once ----------------------------------------------------------------------------------------------- */

enum { FANS = 8, TURNS = 20 };

struct fan {
    struct house *h;
    struct probe ids; /* ana: the creator; bo: this fan */
    pthread_t thread;
    bool follow;
};

static enum err follow_turn(struct call *c)
{
    const struct fan *f = c->prepared;

    return creator_follow(c, f->ids.bo, f->ids.ana, f->follow);
}

static void *follow_turns(void *arg)
{
    struct fan *f = arg;
    struct arena a = { 0 };
    struct call c;

    for (int i = 0; i < TURNS; i++) {
        f->follow = i % 3 != 1;
        call_begin(&c, f->h->env, &a);
        c.prepared = f;
        must(exec_transaction(f->h->env->exec, &c, WRITE, follow_turn) == E_OK);
    }
    arena_done(&a);
    return NULL;
}

/* Two threads are each fan: following twice at once counts once. */
ENGINES(followers_are_counted_rightly_in_a_crowd)
{
    struct house *h = open_house(engine);
    struct fan fans[FANS];
    struct id ana;

    creator(h, "ana");
    REQUIRE(id_parse(answer(h, "id"), "crt", &ana));
    for (size_t i = 0; i < FANS; i++) {
        fans[i] = (struct fan) { .h = h, .ids = { ana, { 100 + (int64_t)i / 2 } } };
        must(pthread_create(&fans[i].thread, NULL, follow_turns, &fans[i]) == 0);
    }
    for (size_t i = 0; i < FANS; i++)
        pthread_join(fans[i].thread, NULL);
    CHECK_OK(in_call(h, READ, counters_hold, NULL));
    house_close(h);
}
