/* sim_people.c -- what people ask for: by intention, by chance over the whole table of routes, and malformed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "modules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int people_of(const struct sim *w, int64_t account)
{
    for (int i = 0; i < SIM_PEOPLE; i++)
        if (w->people[i].id == account && account != 0)
            return i;
    return NOBODY;
}

static int somebody(struct sim *w)
{
    return (int)sim_below(w, SIM_PEOPLE + 1) - 1;
}

static int one_of(struct sim *w, enum sim_role role)
{
    int n = 0, list[SIM_PEOPLE];

    for (int i = 0; i < SIM_PEOPLE; i++)
        if (w->people[i].role == role)
            list[n++] = i;
    return list[sim_below(w, n)];
}

/* --- anything ---------------------------------------------------------------------------------------------------------- */

static int fitting(struct sim *w, const struct route *r)
{
    if (sim_chance(w, 20))
        return somebody(w);
    switch (r->auth) {
    case CREATOR:
        return one_of(w, SIM_CREATOR);
    case MODERATOR:
        return one_of(w, SIM_MODERATOR);
    case ADMIN:
        return one_of(w, SIM_ADMIN);
    default:
        return sim_chance(w, 50) ? one_of(w, SIM_FAN) : somebody(w);
    }
}

static struct http_call ask_anything(struct sim *w, const struct route *r, int person)
{
    struct str body = STR("");

    if (r->wire == WIRE_FILE)
        body = ask_word(w, sim_chance(w, 80) ? "PICTURE " : "no picture ");
    else if (r->in != NULL)
        body = ask_body(w, person, r->in);
    return people_send(w, person, method_names[r->method], ask_target(w, person, r), body,
                       r->method == GET ? STR_NONE
                       : r->idempotent  ? ask_word(w, "key")
                                        : ask_key(w));
}

/* Those that are looked after elsewhere, or would carry the world too far away. */
static bool is_left_out(struct sim *w, const struct route *r)
{
    return r->auth == SIGNED || (strstr(r->path, "development") != NULL && !sim_chance(w, 70)) ||
           (strstr(r->path, "/role") != NULL && !sim_chance(w, 20));
}

void people_do(struct sim *w)
{
    const struct route *r = ask_route((int)sim_below(w, ask_routes()));
    int person = fitting(w, r);

    if (is_left_out(w, r))
        return;
    if (person != NOBODY && sim_chance(w, 90))
        people_sign_in(w, person);
    if (!w->dead)
        ask_anything(w, r, person);
}

void people_read(struct sim *w)
{
    const struct route *r = NULL;

    while (r == NULL || r->method != GET)
        r = ask_route((int)sim_below(w, ask_routes()));
    int person = fitting(w, r);
    if (person != NOBODY && sim_chance(w, 90))
        people_sign_in(w, person);
    if (!w->dead)
        ask_anything(w, r, person);
}

static struct str spoiled(struct sim *w, struct str body)
{
    static const char *const junk[] = { "",          "{",
                                        "[]",        "null",
                                        "{\"a\":1}", "{\"a\":1,\"a\":2}",
                                        "\xff\xfe",  "{\"tier\":[[[[[[]]]]]]}",
                                        "-1" };

    switch (sim_below(w, 5)) {
    case 0:
        return str_of(junk[sim_below(w, COUNT(junk))]);
    case 1:
        return str_cut(body, 0, (size_t)sim_below(w, (int64_t)body.n + 1));
    case 2:
        return str_printf(&w->step, "%.*s,\"more\":true}", body.n == 0 ? 0 : (int)body.n - 1,
                          body.p);
    case 3: {
        char *p = arena_copy(&w->step, body.p == NULL ? "" : body.p, body.n + 1);
        for (size_t i = 0; i < body.n; i++)
            if (p[i] == '"' && sim_chance(w, 8))
                p[i] = (char)('0' + sim_below(w, 60));
        return (struct str) { p, body.n };
    }
    default:
        return str_printf(&w->step, "{\"text\":\"%0*d\"}", (int)sim_below(w, 9000) + 1, 7);
    }
}

void people_hostile(struct sim *w)
{
    const struct route *r = ask_route((int)sim_below(w, ask_routes()));
    int person = fitting(w, r);

    if (r->in == NULL || is_left_out(w, r))
        return;
    if (person != NOBODY)
        people_sign_in(w, person);
    if (w->dead)
        return;
    struct str body = spoiled(w, ask_body(w, person, r->in));
    struct http_call h = people_send(w, person, method_names[r->method], ask_target(w, person, r),
                                     body, ask_word(w, "key"));
    if (h.status == 400)
        sim_saw(w, SIGHT_HOSTILE);
}

/* --- arriving ----------------------------------------------------------------------------------------------------------- */

void people_sign_in(struct sim *w, int person)
{
    struct sim_person *p = &w->people[person];

    if (p->token[0] != 0 && people_look(w, person, STR("/v1/me")).status == 200)
        return;
    p->token[0] = 0;
    if (w->dead)
        return;
    struct str body =
        str_printf(&w->step, "{\"email\":\"%s\",\"password\":\"%s\",\"kind\":\"bearer\"}", p->email,
                   p->password);
    struct http_call h = people_send(w, person, "POST", STR("/v1/sessions"), body, STR_NONE);
    struct str token = reply_member(w, h.reply, "token");
    if (token.n > 0)
        ask_keep(p->token, sizeof(p->token), token);
}

static void arrive(struct sim *w, int person)
{
    struct sim_person *p = &w->people[person];
    struct str body = str_printf(&w->step, "{\"email\":\"%s\",\"password\":\"%s\",\"name\":\"%s\"}",
                                 p->email, p->password, p->name);
    struct http_call h = people_send(w, person, "POST", STR("/v1/accounts"), body, STR_NONE);
    struct id id;

    must(id_parse(reply_member(w, h.reply, "id"), "usr", &id));
    p->id = id.v;
    people_sign_in(w, person);
    world_drain(w);
    if (p->role == SIM_FAN && sim_chance(w, 50))
        return;
    body = str_printf(&w->step, "{\"token\":\"%s\"}", p->mailed);
    people_send(w, person, "POST", STR("/v1/email-verifications/confirm"), body, STR_NONE);
    if (p->role != SIM_CREATOR)
        return;
    body = str_printf(&w->step, "{\"handle\":\"%s\",\"name\":\"%s\",\"bio\":\"\"}", p->handle,
                      p->name);
    people_send(w, person, "POST", STR("/v1/creators"), body, STR_NONE);
}

static void name_them(struct sim *w)
{
    static const struct {
        const char *name;
        enum sim_role role;
    } cast[SIM_PEOPLE] = { { "admin", SIM_ADMIN }, { "moder", SIM_MODERATOR },
                           { "ana", SIM_CREATOR }, { "bob", SIM_CREATOR },
                           { "fay", SIM_FAN },     { "gus", SIM_FAN },
                           { "hal", SIM_FAN },     { "ida", SIM_FAN },
                           { "jan", SIM_FAN } };

    for (int i = 0; i < SIM_PEOPLE; i++) {
        struct sim_person *p = &w->people[i];
        p->role = cast[i].role;
        snprintf(p->name, sizeof(p->name), "%s", cast[i].name);
        snprintf(p->handle, sizeof(p->handle), "%s", cast[i].name);
        snprintf(p->email, sizeof(p->email), "%s@example.org", cast[i].name);
        snprintf(p->password, sizeof(p->password), "correct horse battery %s staple", cast[i].name);
    }
}

void people_arrive(struct sim *w)
{
    name_them(w);
    for (int i = 0; i < SIM_PEOPLE; i++)
        arrive(w, i);
    people_sign_in(w, 0);
    people_send(w, 0, "PUT",
                str_printf(&w->step, "/v1/admin/accounts/%.*s/role",
                           STR_FMT(id_text(&w->step, ID_USER, (struct id) { w->people[1].id }))),
                STR("{\"role\":\"moderator\"}"), STR_NONE);
    for (int i = 0; i < 4; i++)
        people_sell(w);
    for (int i = 0; i < 8; i++)
        people_write(w);
    world_drain(w);
}

/* --- intentions --------------------------------------------------------------------------------------------------------- */

void people_subscribe(struct sim *w)
{
    int fan = one_of(w, sim_chance(w, 95) ? SIM_FAN : SIM_CREATOR);

    people_sign_in(w, fan);
    if (w->dead)
        return;
    struct str tier = ask_id(w, ID_TIER, 0);
    struct str body = str_printf(&w->step, "{\"tier\":\"%.*s\"}", STR_FMT(tier));
    struct http_call h =
        people_send(w, fan, "POST", STR("/v1/subscriptions"), body, ask_word(w, "key"));
    if (h.status == 201 && sim_chance(w, 65))
        pay_visit(w);
}

/* One who subscribes, and something that he may do to it. */
static void on_own(struct sim *w, const char *verb)
{
    struct sim_rows rows = SQL(
        w, "SELECT id, fan FROM subscription WHERE state IN ('incomplete', 'active', 'past_due')"
           " ORDER BY id");

    if (rows.n == 0)
        return;
    size_t at = (size_t)sim_below(w, (int64_t)rows.n);
    int fan = people_of(w, CELL(rows, at, 1)->i);
    struct str id = id_text(&w->step, ID_SUBSCRIPTION, (struct id) { CELL(rows, at, 0)->i });
    if (fan == NOBODY)
        return;
    people_sign_in(w, fan);
    if (!w->dead)
        people_send(w, fan, "POST",
                    str_printf(&w->step, "/v1/subscriptions/%.*s/%s", STR_FMT(id), verb), STR(""),
                    ask_key(w));
}

void people_leave(struct sim *w)
{
    on_own(w, "cancel");
}

void people_come_back(struct sim *w)
{
    on_own(w, "resume");
}

/* Tiers: new, dearer, archived. */
void people_sell(struct sim *w)
{
    int creator = one_of(w, SIM_CREATOR);
    int64_t what = w->calm ? 0 : sim_below(w, 10), own = w->people[creator].id;
    struct buf b = { .arena = &w->step };
    struct json_out o = { .buf = &b };

    people_sign_in(w, creator);
    if (w->dead)
        return;
    json_open(&o, '{');
    if (what < 4) {
        json_str(&o, "name", ask_word(w, "tx"));
        json_str(&o, "description", STR(""));
        ask_money(w, &(struct field) { .name = "price" }, &o);
    } else {
        json_int(&o, "price", 100 * (1 + sim_below(w, 30)));
    }
    json_close(&o, '}');
    struct str tier = str_printf(&w->step, "/v1/tiers/%.*s", STR_FMT(ask_id(w, ID_TIER, own)));
    if (what < 4)
        people_send(w, creator, "POST", STR("/v1/creators/me/tiers"), buf_str(&b), ask_key(w));
    else if (what < 8)
        people_send(w, creator, "PATCH", tier, buf_str(&b), ask_key(w));
    else
        people_send(w, creator, "DELETE", tier, STR(""), ask_key(w));
}

static void put_post(struct sim *w, int64_t own, bool publish, struct json_out *o)
{
    static const char *const kinds[] = { "public", "followers", "tiers", "tiers" };
    const char *kind = kinds[sim_below(w, COUNT(kinds))];
    struct sim_rows assets =
        SQL(w,
            "SELECT id FROM asset WHERE owner = $1 AND purpose = 'post' AND state = 'ready'"
            " ORDER BY id DESC",
            own);

    json_open(o, '{');
    json_str(o, "text", ask_word(w, "tx"));
    json_str(o, "access", str_of(kind));
    json_name(o, STR("tiers"));
    json_open(o, '[');
    if (strcmp(kind, "tiers") == 0)
        json_put_str(o, ask_id(w, ID_TIER, own));
    json_close(o, ']');
    json_name(o, STR("media"));
    json_open(o, '[');
    if (assets.n > 0)
        json_put_str(o, ask_id_from(w, ID_ASSET, assets));
    json_close(o, ']');
    if (publish)
        json_bool(o, "publish", sim_chance(w, 85));
    json_close(o, '}');
}

/* Pictures and posts: new, changed, published, deleted. */
void people_write(struct sim *w)
{
    int creator = one_of(w, SIM_CREATOR);
    int64_t own = w->people[creator].id, what = w->calm ? sim_below(w, 7) : sim_below(w, 10);
    struct buf b = { .arena = &w->step };
    struct json_out o = { .buf = &b };

    people_sign_in(w, creator);
    if (w->dead)
        return;
    struct str post = str_printf(&w->step, "/v1/posts/%.*s", STR_FMT(ask_id(w, ID_POST, own)));
    if (what < 3) {
        people_send(
            w, creator, "POST",
            str_printf(&w->step, "/v1/media?purpose=post&filename=%.*s", STR_FMT(ask_word(w, "f"))),
            ask_word(w, "PICTURE "), ask_key(w));
    } else if (what < 7) {
        put_post(w, own, true, &o);
        people_send(w, creator, "POST", STR("/v1/posts"), buf_str(&b), ask_key(w));
    } else if (what < 9) {
        put_post(w, own, false, &o);
        people_send(w, creator, "PATCH", post, buf_str(&b), ask_key(w));
    } else if (sim_chance(w, 50)) {
        people_send(w, creator, "POST", str_printf(&w->step, "%.*s/publish", STR_FMT(post)),
                    STR(""), ask_key(w));
    } else {
        people_send(w, creator, "DELETE", post, STR(""), ask_key(w));
    }
}

void people_edit(struct sim *w, int64_t post, int64_t creator)
{
    int person = people_of(w, creator);
    struct buf b = { .arena = &w->step };
    struct json_out o = { .buf = &b };

    if (person == NOBODY)
        return;
    people_sign_in(w, person);
    if (w->dead)
        return;
    put_post(w, creator, false, &o);
    people_send(w, person, "PATCH",
                str_printf(&w->step, "/v1/posts/%.*s",
                           STR_FMT(id_text(&w->step, ID_POST, (struct id) { post }))),
                buf_str(&b), ask_key(w));
}

void people_follow(struct sim *w, int fan, int64_t creator)
{
    struct sim_rows rows = SQL(w, "SELECT handle FROM creator WHERE id = $1", creator);
    bool follows =
        SQL(w, "SELECT id FROM follow WHERE fan = $1 AND creator = $2", w->people[fan].id, creator)
            .n > 0;

    if (rows.n > 0)
        people_send(w, fan, follows ? "DELETE" : "PUT",
                    str_printf(&w->step, "/v1/creators/%.*s/follow", STR_FMT(rows.cells[0].s)),
                    STR(""), ask_key(w));
}

/* A face for the page. */
void people_dress(struct sim *w)
{
    static const char *const places[] = { "avatar", "banner" };
    const char *place = places[sim_below(w, COUNT(places))];
    int creator = one_of(w, SIM_CREATOR);

    people_sign_in(w, creator);
    if (w->dead)
        return;
    struct http_call h = people_send(w, creator, "POST",
                                     str_printf(&w->step, "/v1/media?purpose=%s&filename=%.*s",
                                                place, STR_FMT(ask_word(w, "f"))),
                                     ask_word(w, "PICTURE "), ask_key(w));
    struct str id = reply_member(w, h.reply, "id");
    if (h.status == 201)
        people_send(w, creator, "PUT", str_printf(&w->step, "/v1/creators/me/%s", place),
                    str_printf(&w->step, "{\"asset\":\"%.*s\"}", STR_FMT(id)), ask_key(w));
}

/* Somebody has forgotten the password, and takes another. */
void people_forget(struct sim *w)
{
    int person = (int)sim_below(w, SIM_PEOPLE);
    struct sim_person *p = &w->people[person];

    p->token[0] = 0;
    people_send(w, person, "POST", STR("/v1/password-resets"),
                str_printf(&w->step, "{\"email\":\"%s\"}", p->email), STR_NONE);
    world_drain(w);
    if (w->dead || p->reset[0] == 0)
        return;
    people_send(
        w, person, "POST", STR("/v1/password-resets/confirm"),
        str_printf(&w->step, "{\"token\":\"%s\",\"password\":\"%s\"}", p->reset, p->password),
        STR_NONE);
}

/* Operators look after what went wrong. */
void people_govern(struct sim *w)
{
    static const char *const pages[] = { "/v1/admin/jobs/dead", "/v1/admin/audit",
                                         "/v1/admin/accounts", "/v1/admin/ledger/check" };

    people_sign_in(w, 0);
    if (w->dead)
        return;
    struct sim_rows dead = SQL(w, "SELECT id FROM job WHERE state = 'dead' ORDER BY id");
    if (dead.n > 0) {
        struct str job = ask_id_from(w, ID_JOB, dead);
        struct http_call h =
            people_send(w, 0, "POST", str_printf(&w->step, "/v1/admin/jobs/%.*s/run", STR_FMT(job)),
                        STR(""), STR_NONE);
        if (h.status / 100 == 2)
            sim_saw(w, SIGHT_JOB_AGAIN);
        return;
    }
    struct http_call h =
        people_send(w, 0, "GET", str_of(pages[sim_below(w, COUNT(pages))]), STR(""), STR_NONE);
    if (h.status == 200 && str_is(reply_member(w, h.reply, "good"), "false"))
        sim_violated(w, "ledger", "the program's own check: %.*s", STR_FMT(h.reply));
}

/* --- asking again ------------------------------------------------------------------------------------------------------- */

static void compare(struct sim *w, struct sim_sent *s, const struct http_call *h)
{
    bool secret = strcmp(s->target, "/v1/sessions") == 0 || strcmp(s->target, "/v1/accounts") == 0;
    struct str id = ask_made(w, h->reply);

    if (h->status == 0 || h->status == 401 || secret)
        return; /* an answer that opens doors is not kept */
    if (s->status == 0) {
        sim_saw(w, SIGHT_RETRIED);
        s->status = h->status;
        ask_keep(s->id, sizeof(s->id), id);
        return;
    }
    bool same = s->status == h->status && str_eq(id, str_of(s->id));
    /* Only what was done is kept; of a picture that was deleted since, nothing can be told. */
    if (s->status / 100 != 2 || h->status == 409 ||
        (h->status == 404 && strncmp(s->target, "/v1/media?", 10) == 0))
        return;
    if (!same && (s->status != 202 && h->status != 202))
        sim_violated(w, "idempotency", "%s %s key=%s answered %d %s, then %d %.*s", s->method,
                     s->target, s->key, s->status, s->id, h->status, STR_FMT(id));
    else
        sim_saw(w, SIGHT_REPLAYED);
}

void people_retry(struct sim *w)
{
    size_t n = w->sent_n < SIM_SENT ? w->sent_n : SIM_SENT;

    if (n == 0)
        return;
    struct sim_sent *s = &w->sent[sim_below(w, (int64_t)n)];
    for (size_t i = 0; i < n && sim_chance(w, 80); i++)
        if (w->sent[i].status == 0 && w->real.us - w->sent[i].at.us < 6 * DAY)
            s = &w->sent[i];
    struct sim_sent again = *s;
    int person = s->person;
    bool other = sim_chance(w, 10);
    /* A key is kept for a week. */
    if (person == NOBODY || w->real.us - s->at.us > 6 * DAY)
        return;
    people_sign_in(w, person);
    if (w->dead)
        return;
    struct str key = str_copy(&w->step, str_of(again.key));
    w->asking_again = true;
    struct str body = str_copy(&w->step, str_of(again.body));
    struct http_call h =
        people_send(w, person, str_copy(&w->step, str_of(again.method)).p,
                    str_copy(&w->step, str_of(again.target)),
                    other ? str_printf(&w->step, "%.*s ", STR_FMT(body)) : body, key);
    w->asking_again = false;
    if (other && h.status == 422)
        sim_saw(w, SIGHT_KEY_REUSED);
    if (!other)
        compare(w, s, &h);
}
