/* sim_people.c -- what people ask for: by intention, by chance over the whole table of routes, and malformed.
 *
 * Bodies come from the shapes of the routes, ids from the rows that there are, mostly the caller's own. */
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

static const char *name_of(const struct sim *w, int person)
{
    return person == NOBODY ? "nobody" : w->people[person].name;
}

/* A word that no row has yet: a row made twice shows. */
static struct str fresh(struct sim *w, const char *what)
{
    return str_printf(&w->step, "%s%" PRId64 "q", what, ++w->names);
}

struct str reply_member(struct sim *w, struct str reply, const char *path)
{
    const char *why = NULL;
    const struct json *j = json_parse(&w->step, reply, &why);
    struct str rest = str_of(path), name;
    int64_t i;

    while (j != NULL && rest.p != NULL) {
        rest = str_split(rest, '.', &name);
        if (j->kind == J_LIST)
            j = str_int(name, &i) && i >= 0 && (size_t)i < j->n ? &j->items[i] : NULL;
        else
            j = json_get(j, str_copy(&w->step, name).p);
    }
    if (j == NULL || j->kind == J_NULL)
        return STR_NONE;
    if (j->kind == J_INTEGER)
        return str_printf(&w->step, "%" PRId64, j->integer);
    if (j->kind == J_BOOL)
        return j->boolean ? STR("true") : STR("false");
    return j->kind == J_TEXT ? j->text : STR_NONE;
}

/* --- routes ----------------------------------------------------------------------------------------------------------- */

static int routes_n(void)
{
    size_t n = 0;

    for (size_t m = 0; m < modules_n; m++)
        n += modules[m]->routes_n;
    return (int)n;
}

static const struct route *route_at(int number)
{
    size_t n = (size_t)number;

    for (size_t m = 0; m < modules_n; m++) {
        if (n < modules[m]->routes_n)
            return &modules[m]->routes[n];
        n -= modules[m]->routes_n;
    }
    return NULL;
}

static bool path_fits(struct str template, struct str path)
{
    struct str want, have;

    while (template.p != NULL && path.p != NULL) {
        template = str_split(template, '/', &want);
        path = str_split(path, '/', &have);
        const char *hole = want.n == 0 ? NULL : memchr(want.p, '{', want.n);
        size_t fixed = hole == NULL ? want.n : (size_t)(hole - want.p);
        if (have.n < fixed || memcmp(have.p == NULL ? "" : have.p, want.p, fixed) != 0 ||
            (hole == NULL && have.n != want.n))
            return false;
    }
    return template.p == NULL && path.p == NULL;
}

/* Templates without holes go first, as in the program: /v1/creators/me is no handle. */
static int route_of(const char *method, struct str target)
{
    struct str path;
    int found = -1;

    str_split(target, '?', &path);
    for (int i = 0; i < routes_n(); i++) {
        const struct route *r = route_at(i);
        if (strcmp(method_names[r->method], method) != 0 || !path_fits(str_of(r->path), path))
            continue;
        if (found < 0 || strchr(r->path, '{') == NULL)
            found = i;
    }
    return found;
}

void people_cover(struct sim *w, const char *method, struct str target, int status)
{
    struct sim_result *r = w->result;
    int route = route_of(method, target);

    for (size_t i = 0; i < r->covers; i++)
        if (r->cover[i].route == route && r->cover[i].status == status) {
            r->cover[i].n++;
            return;
        }
    if (r->covers < SIM_COVER)
        r->cover[r->covers++] = (struct sim_cover) { route, status, 1 };
}

/* --- sending ---------------------------------------------------------------------------------------------------------- */

static void trace_add(struct sim *w, struct str s)
{
    if (s.n > 0)
        sha256_add(w->trace, s.p, s.n);
}

static void check_status(struct sim *w, const char *method, struct str target,
                         const struct http_call *h)
{
    bool events = str_starts(target, "/v1/events"); /* streams need a socket */

    if (h->status == 500 || (h->status == 503 && !events))
        sim_violated(w, "status", "%s %.*s answered %d: %.*s", method, STR_FMT(target), h->status,
                     STR_FMT(str_cut(h->reply, 0, 300)));
}

static void call_as(struct sim *w, int person, struct http_call *h)
{
    int64_t patience = w->patience_us;

    if (person != NOBODY && w->people[person].token[0] != 0)
        h->token = str_of(w->people[person].token);
    if (h->headers_n == 0 || strcmp(h->headers[0].name, "Idempotency-Key") != 0)
        h->headers[h->headers_n++] = (struct header) { "User-Agent", str_of(name_of(w, person)) };
    w->patience_us = 10 * SECOND;
    server_call(w->server, &w->step, h);
    w->patience_us = patience;
    sim_blind(w);
    w->result->requests++;
}

struct http_call people_look(struct sim *w, int person, struct str target)
{
    struct http_call h = { .method = "GET", .target = target };

    call_as(w, person, &h);
    if (w->dead)
        return h;
    check_status(w, "GET", target, &h);
    rights_scan(w, person, target, h.reply);
    people_cover(w, "GET", target, h.status);
    return h;
}

static void keep(char *to, size_t size, struct str s)
{
    size_t n = s.n < size ? s.n : size - 1;

    if (n > 0)
        memcpy(to, s.p, n);
    to[n] = 0;
}

/* Of what a request made. */
static struct str made_id(struct sim *w, struct str reply)
{
    struct str id = reply_member(w, reply, "id");

    return id.p != NULL ? id : reply_member(w, reply, "subscription.id");
}

static void remember(struct sim *w, int person, const struct http_call *h, struct str key,
                     int status)
{
    struct sim_sent *s = &w->sent[w->sent_n++ % SIM_SENT];

    *s = (struct sim_sent) { .person = person, .status = status, .at = w->real };
    keep(s->method, sizeof(s->method), str_of(h->method));
    keep(s->target, sizeof(s->target), h->target);
    keep(s->key, sizeof(s->key), key);
    keep(s->type, sizeof(s->type), h->type);
    keep(s->body, sizeof(s->body), h->body);
    if (status != 0)
        keep(s->id, sizeof(s->id), made_id(w, h->reply));
}

static void told(struct sim *w, int person, const struct http_call *h)
{
    bool creator = person != NOBODY && w->people[person].role == SIM_CREATOR;
    struct str id, rest = str_cut(h->target, 18, h->target.n);

    struct str verb = str_split(rest, '/', &id);
    if (str_starts(h->target, "/v1/subscriptions/") && str_is(verb, "cancel") && h->status == 200)
        oracle_acknowledged(w, id, true);
    if (creator && h->status / 100 == 2 && str_starts(h->target, "/v1/posts"))
        rights_told(w, h->reply);
    if (h->status == 409 && str_is(h->target, "/v1/subscriptions"))
        sim_saw(w, SIGHT_DOUBLE_REFUSED);
    if (h->status == 202 && str_is(h->target, "/v1/subscriptions"))
        sim_saw(w, SIGHT_AWAITED_LONG);
    struct str next = reply_member(w, h->reply, "next");
    if (next.n > 0 && next.n < sizeof(w->cursor))
        keep(w->cursor, sizeof(w->cursor), next);
}

/* From here on it may be otherwise, whether or not we hear of it. */
static void forget(struct sim *w, const char *method, struct str target)
{
    struct str id, rest;

    if (strcmp(method, "GET") == 0)
        return;
    if (str_starts(target, "/v1/posts/"))
        rights_forget(w, str_cut(target, 10, 17));
    if (!str_starts(target, "/v1/subscriptions/"))
        return;
    rest = str_split(str_cut(target, 18, target.n), '/', &id);
    if (str_is(rest, "resume"))
        oracle_acknowledged(w, id, false);
}

struct http_call people_send(struct sim *w, int person, const char *method, struct str target,
                             struct str body, struct str key)
{
    struct http_call h = { .method = method, .target = target, .body = body };
    bool file = str_starts(target, "/v1/media?");

    if (file)
        h.type = STR("image/jpeg");
    if (key.p != NULL)
        h.headers[h.headers_n++] = (struct header) { "Idempotency-Key", key };
    world_forward(w, 1000 + sim_below(w, 400000));
    forget(w, method, target);
    call_as(w, person, &h);
    bool lost = w->dead || (!w->calm && sim_chance(w, 4));
    sim_tell(w, "%s %s %.*s %.*s%s%.*s -> %d%s", name_of(w, person), method, STR_FMT(target),
             STR_FMT(str_cut(body, 0, 120)), key.p == NULL ? "" : " key=", STR_FMT(key), h.status,
             lost ? " (lost)" : "");
    if (!w->dead) {
        trace_add(w, h.reply);
        check_status(w, method, target, &h);
        rights_scan(w, person, target, h.reply);
        people_cover(w, method, target, h.status);
        /* An answer that was kept tells how it was. */
        if (!lost && !w->asking_again)
            told(w, person, &h);
        else
            forget(w, method, target);
    }
    if (strcmp(method, "GET") != 0 && key.p != NULL && !w->asking_again &&
        body.n < sizeof(w->sent[0].body))
        remember(w, person, &h, key, lost ? 0 : h.status);
    if (lost) {
        h.status = 0;
        h.reply = STR("");
    }
    return h;
}

static struct str a_key(struct sim *w)
{
    return sim_chance(w, 75) ? fresh(w, "key") : STR_NONE;
}

/* --- ids that there are ------------------------------------------------------------------------------------------------ */

static struct str id_from(struct sim *w, enum id_kind kind, struct sim_rows rows)
{
    if (rows.n == 0)
        return str_printf(&w->step, "%s_0000000000001", id_prefix(kind));
    int64_t v = CELL(rows, (size_t)sim_below(w, (int64_t)rows.n), 0)->i;
    return id_text(&w->step, kind, (struct id) { v });
}

/* own: of this account, else anybody's. */
static struct str some_id(struct sim *w, enum id_kind kind, int64_t own)
{
    switch (kind) {
    case ID_USER:
        return id_from(w, kind, SQL(w, "SELECT id FROM account ORDER BY id"));
    case ID_SESSION:
        return id_from(
            w, kind,
            SQL(w, "SELECT id FROM session WHERE account = $1 OR $1 = 0 ORDER BY id", own));
    case ID_CREATOR:
        return id_from(w, kind, SQL(w, "SELECT id FROM creator ORDER BY id"));
    case ID_TIER:
        return id_from(
            w, kind,
            SQL(w, "SELECT id FROM tier WHERE creator = $1 OR $1 = 0 ORDER BY archived, id", own));
    case ID_ASSET:
        return id_from(w, kind,
                       SQL(w, "SELECT id FROM asset WHERE owner = $1 OR $1 = 0 ORDER BY id", own));
    case ID_POST:
        return id_from(w, kind,
                       SQL(w, "SELECT id FROM post WHERE creator = $1 OR $1 = 0 ORDER BY id", own));
    case ID_SUBSCRIPTION:
        return id_from(
            w, kind,
            SQL(w, "SELECT id FROM subscription WHERE fan = $1 OR $1 = 0 ORDER BY id", own));
    case ID_JOB:
        return id_from(w, kind, SQL(w, "SELECT id FROM job WHERE state = 'dead' ORDER BY id"));
    default:
        return id_from(w, kind, SQL(w, "SELECT id FROM payment ORDER BY id"));
    }
}

static int64_t account_of(const struct sim *w, int person)
{
    return person == NOBODY ? 0 : w->people[person].id;
}

static struct str a_handle(struct sim *w)
{
    struct sim_rows rows = SQL(w, "SELECT handle FROM creator ORDER BY id");

    if (rows.n == 0 || sim_chance(w, 5))
        return STR("nobody_here");
    return CELL(rows, (size_t)sim_below(w, (int64_t)rows.n), 0)->s;
}

/* --- bodies from shapes ------------------------------------------------------------------------------------------------ */

static const char *const currencies[] = { "EUR", "USD", "JPY" };

static void put_named(struct sim *w, int person, const struct field *f, struct json_out *o)
{
    const struct sim_person *p = person == NOBODY ? &w->people[0] : &w->people[person];
    bool known = sim_chance(w, 85);

    if (strcmp(f->name, "password") == 0)
        json_str(o, f->name, known ? str_of(p->password) : STR("not the right one"));
    else if (strcmp(f->name, "token") == 0)
        json_str(o, f->name, known && p->mailed[0] != 0 ? str_of(p->mailed) : STR("no-token"));
    else if (strcmp(f->name, "return_path") == 0)
        json_str(o, f->name, STR("/checkout/return"));
    else
        json_str(o, f->name, fresh(w, "tx"));
}

static void put_ids(struct sim *w, int person, const struct field *f, struct json_out *o)
{
    int64_t n = sim_below(w, 3);

    json_name(o, str_of(f->name));
    json_open(o, '[');
    for (int64_t i = 0; i < n; i++)
        json_put_str(o, some_id(w, f->id, account_of(w, person)));
    json_close(o, ']');
}

static void put_money(struct sim *w, const struct field *f, struct json_out *o)
{
    json_int(o, f->name, 100 * (1 + sim_below(w, 30)));
    json_str(o, "currency", str_of(currencies[sim_below(w, COUNT(currencies))]));
}

static void put_number(struct sim *w, const struct field *f, struct json_out *o)
{
    int64_t most = f->max - f->min < 5000 ? f->max - f->min : 5000;

    if (strcmp(f->name, "advance_s") == 0)
        most = 2 * 86400;
    json_int(o, f->name, f->min + sim_below(w, most + 1));
}

static void put_field(struct sim *w, int person, const struct field *f, struct json_out *o)
{
    char text[WHEN_TEXT_MAX];
    size_t names = 0;

    switch (f->kind) {
    case FIELD_ID:
        json_str(o, f->name, some_id(w, f->id, sim_chance(w, 80) ? account_of(w, person) : 0));
        break;
    case FIELD_MONEY:
        put_money(w, f, o);
        break;
    case FIELD_ENUM:
        while (f->names[names] != NULL)
            names++;
        json_str(o, f->name, str_of(f->names[sim_below(w, (int64_t)names)]));
        break;
    case FIELD_BOOL:
        json_bool(o, f->name, sim_chance(w, 50));
        break;
    case FIELD_INT:
        put_number(w, f, o);
        break;
    case FIELD_WHEN:
        when_print(text, when_after(sim_now(w), -sim_below(w, 40) * DAY));
        json_str(o, f->name, str_of(text));
        break;
    case FIELD_EMAIL:
        json_str(o, f->name, str_of(w->people[person == NOBODY ? 0 : person].email));
        break;
    case FIELD_HANDLE:
        json_str(o, f->name, sim_chance(w, 80) ? fresh(w, "h") : a_handle(w));
        break;
    case FIELD_IDS:
        put_ids(w, person, f, o);
        break;
    default:
        put_named(w, person, f, o);
    }
}

static struct str body_of(struct sim *w, int person, const struct shape *s)
{
    struct buf b = { .arena = &w->step };
    struct json_out o = { .buf = &b };

    json_open(&o, '{');
    for (size_t i = 0; i < s->n; i++)
        if (!s->fields[i].optional || sim_chance(w, 60))
            put_field(w, person, &s->fields[i], &o);
    json_close(&o, '}');
    return buf_str(&b);
}

static struct str query_field(struct sim *w, int person, const struct field *f)
{
    char text[WHEN_TEXT_MAX];

    if (f->kind == FIELD_CURSOR)
        return w->cursor[0] == 0 ? STR_NONE : str_of(w->cursor);
    if (f->kind == FIELD_ENUM)
        return str_of(f->names[0]);
    if (f->kind == FIELD_INT)
        return str_printf(&w->step, "%" PRId64, f->min + sim_below(w, 5));
    if (f->kind == FIELD_EMAIL)
        return str_of(w->people[person == NOBODY ? 0 : person].email);
    if (f->kind == FIELD_WHEN) {
        when_print(text, when_after(sim_now(w), -sim_below(w, 40) * DAY));
        return str_copy(&w->step, str_of(text));
    }
    return fresh(w, "f");
}

static void query_add(struct sim *w, int person, const struct shape *s, struct buf *b)
{
    char mark = '?';

    for (size_t i = 0; s != NULL && i < s->n; i++) {
        const struct field *f = &s->fields[i];
        struct str value = f->optional && sim_chance(w, 60) ? STR_NONE : query_field(w, person, f);
        if (value.p == NULL)
            continue;
        buf_printf(b, "%c%s=%.*s", mark, f->name, STR_FMT(url_encode(&w->step, value)));
        mark = '&';
    }
}

static struct str hole_of(struct sim *w, int person, const struct field *f)
{
    int64_t own = sim_chance(w, 75) ? account_of(w, person) : 0;

    if (f->kind == FIELD_ID)
        return some_id(w, f->id, own);
    if (strcmp(f->name, "handle") == 0)
        return a_handle(w);
    if (strcmp(f->name, "file") == 0)
        return STR("full.webp");
    return STR("1.9999999999.0.AAAAAAAAAAAAAAAAAAAAAA");
}

static struct str target_of(struct sim *w, int person, const struct route *r)
{
    struct buf b = { .arena = &w->step };
    struct str rest = str_of(r->path), before, name;

    if (strncmp(r->path, "/m/{", 4) == 0 && w->urls_n > 0 && sim_chance(w, 80))
        return str_of(
            w->urls[sim_below(w, w->urls_n < SIM_URLS ? (int64_t)w->urls_n : SIM_URLS)].path);
    for (;;) {
        rest = str_split(rest, '{', &before);
        buf_add(&b, before);
        if (rest.p == NULL)
            break;
        rest = str_split(rest, '}', &name);
        buf_add(&b, hole_of(w, person, shape_field(r->params, name)));
    }
    query_add(w, person, r->query, &b);
    return buf_str(&b);
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

static struct http_call ask_route(struct sim *w, const struct route *r, int person)
{
    struct str body = STR("");

    if (r->wire == WIRE_FILE)
        body = fresh(w, sim_chance(w, 80) ? "PICTURE " : "no picture ");
    else if (r->in != NULL)
        body = body_of(w, person, r->in);
    return people_send(w, person, method_names[r->method], target_of(w, person, r), body,
                       r->method == GET ? STR_NONE
                       : r->idempotent  ? fresh(w, "key")
                                        : a_key(w));
}

/* Those that are looked after elsewhere, or would carry the world too far away. */
static bool is_left_out(struct sim *w, const struct route *r)
{
    return r->auth == SIGNED || (strstr(r->path, "development") != NULL && !sim_chance(w, 70)) ||
           (strstr(r->path, "/role") != NULL && !sim_chance(w, 20));
}

void people_do(struct sim *w)
{
    const struct route *r = route_at((int)sim_below(w, routes_n()));
    int person = fitting(w, r);

    if (is_left_out(w, r))
        return;
    if (person != NOBODY && sim_chance(w, 90))
        people_sign_in(w, person);
    if (!w->dead)
        ask_route(w, r, person);
}

void people_read(struct sim *w)
{
    const struct route *r = NULL;

    while (r == NULL || r->method != GET)
        r = route_at((int)sim_below(w, routes_n()));
    int person = fitting(w, r);
    if (person != NOBODY && sim_chance(w, 90))
        people_sign_in(w, person);
    if (!w->dead)
        ask_route(w, r, person);
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
    const struct route *r = route_at((int)sim_below(w, routes_n()));
    int person = fitting(w, r);

    if (r->in == NULL || is_left_out(w, r))
        return;
    if (person != NOBODY)
        people_sign_in(w, person);
    if (w->dead)
        return;
    struct str body = spoiled(w, body_of(w, person, r->in));
    struct http_call h = people_send(w, person, method_names[r->method], target_of(w, person, r),
                                     body, fresh(w, "key"));
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
        keep(p->token, sizeof(p->token), token);
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
    struct str tier = some_id(w, ID_TIER, 0);
    struct str body = str_printf(&w->step, "{\"tier\":\"%.*s\"}", STR_FMT(tier));
    struct http_call h =
        people_send(w, fan, "POST", STR("/v1/subscriptions"), body, fresh(w, "key"));
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
                    a_key(w));
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
        json_str(&o, "name", fresh(w, "tx"));
        json_str(&o, "description", STR(""));
        put_money(w, &(struct field) { .name = "price" }, &o);
    } else {
        json_int(&o, "price", 100 * (1 + sim_below(w, 30)));
    }
    json_close(&o, '}');
    struct str tier = str_printf(&w->step, "/v1/tiers/%.*s", STR_FMT(some_id(w, ID_TIER, own)));
    if (what < 4)
        people_send(w, creator, "POST", STR("/v1/creators/me/tiers"), buf_str(&b), a_key(w));
    else if (what < 8)
        people_send(w, creator, "PATCH", tier, buf_str(&b), a_key(w));
    else
        people_send(w, creator, "DELETE", tier, STR(""), a_key(w));
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
    json_str(o, "text", fresh(w, "tx"));
    json_str(o, "access", str_of(kind));
    json_name(o, STR("tiers"));
    json_open(o, '[');
    if (strcmp(kind, "tiers") == 0)
        json_put_str(o, some_id(w, ID_TIER, own));
    json_close(o, ']');
    json_name(o, STR("media"));
    json_open(o, '[');
    if (assets.n > 0)
        json_put_str(o, id_from(w, ID_ASSET, assets));
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
    struct str post = str_printf(&w->step, "/v1/posts/%.*s", STR_FMT(some_id(w, ID_POST, own)));
    if (what < 3) {
        people_send(
            w, creator, "POST",
            str_printf(&w->step, "/v1/media?purpose=post&filename=%.*s", STR_FMT(fresh(w, "f"))),
            fresh(w, "PICTURE "), a_key(w));
    } else if (what < 7) {
        put_post(w, own, true, &o);
        people_send(w, creator, "POST", STR("/v1/posts"), buf_str(&b), a_key(w));
    } else if (what < 9) {
        put_post(w, own, false, &o);
        people_send(w, creator, "PATCH", post, buf_str(&b), a_key(w));
    } else if (sim_chance(w, 50)) {
        people_send(w, creator, "POST", str_printf(&w->step, "%.*s/publish", STR_FMT(post)),
                    STR(""), a_key(w));
    } else {
        people_send(w, creator, "DELETE", post, STR(""), a_key(w));
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
                buf_str(&b), a_key(w));
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
                    STR(""), a_key(w));
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
    struct http_call h = people_send(
        w, creator, "POST",
        str_printf(&w->step, "/v1/media?purpose=%s&filename=%.*s", place, STR_FMT(fresh(w, "f"))),
        fresh(w, "PICTURE "), a_key(w));
    struct str id = reply_member(w, h.reply, "id");
    if (h.status == 201)
        people_send(w, creator, "PUT", str_printf(&w->step, "/v1/creators/me/%s", place),
                    str_printf(&w->step, "{\"asset\":\"%.*s\"}", STR_FMT(id)), a_key(w));
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
        struct str job = id_from(w, ID_JOB, dead);
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
    struct str id = reply_member(w, h->reply, "id");

    bool secret = strcmp(s->target, "/v1/sessions") == 0 || strcmp(s->target, "/v1/accounts") == 0;

    if (h->status == 0 || h->status == 401 || secret)
        return; /* an answer that opens doors is not kept */
    if (s->status == 0) {
        sim_saw(w, SIGHT_RETRIED);
        s->status = h->status;
        keep(s->id, sizeof(s->id), id);
        return;
    }
    bool same = s->status == h->status && str_eq(id, str_of(s->id));
    if (s->status / 100 != 2 || h->status == 409)
        return; /* only what was done is kept */
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
