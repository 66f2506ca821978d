/* sim_asking.c -- one request: its body from the shapes of its route, its ids from the rows that there are, mostly the caller's
 * own; sent through the server, lost now and then, and looked at. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "modules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(const struct sim *w, int person)
{
    return person == NOBODY ? "nobody" : w->people[person].name;
}

/* A word that no row has yet: a row made twice shows. */
struct str ask_word(struct sim *w, const char *what)
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

int ask_routes(void)
{
    size_t n = 0;

    for (size_t m = 0; m < modules_n; m++)
        n += modules[m]->routes_n;
    return (int)n;
}

const struct route *ask_route(int number)
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
    for (int i = 0; i < ask_routes(); i++) {
        const struct route *r = ask_route(i);
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
        sha256_add(&w->trace, s.p, s.n);
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

void ask_keep(char *to, size_t size, struct str s)
{
    size_t n = s.n < size ? s.n : size - 1;

    if (n > 0)
        memcpy(to, s.p, n);
    to[n] = 0;
}

/* Of what a request made. */
struct str ask_made(struct sim *w, struct str reply)
{
    struct str id = reply_member(w, reply, "id");

    return id.p != NULL ? id : reply_member(w, reply, "subscription.id");
}

static void remember(struct sim *w, int person, const struct http_call *h, struct str key,
                     int status)
{
    struct sim_sent *s = &w->sent[w->sent_n++ % SIM_SENT];

    *s = (struct sim_sent) { .person = person, .status = status, .at = w->real };
    ask_keep(s->method, sizeof(s->method), str_of(h->method));
    ask_keep(s->target, sizeof(s->target), h->target);
    ask_keep(s->key, sizeof(s->key), key);
    ask_keep(s->type, sizeof(s->type), h->type);
    ask_keep(s->body, sizeof(s->body), h->body);
    if (status != 0)
        ask_keep(s->id, sizeof(s->id), ask_made(w, h->reply));
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
        ask_keep(w->cursor, sizeof(w->cursor), next);
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

struct str ask_key(struct sim *w)
{
    return sim_chance(w, 75) ? ask_word(w, "key") : STR_NONE;
}

/* --- ids that there are ------------------------------------------------------------------------------------------------ */

struct str ask_id_from(struct sim *w, enum id_kind kind, struct sim_rows rows)
{
    if (rows.n == 0)
        return str_printf(&w->step, "%s_0000000000001", id_prefix(kind));
    int64_t v = CELL(rows, (size_t)sim_below(w, (int64_t)rows.n), 0)->i;
    return id_text(&w->step, kind, (struct id) { v });
}

/* own: of this account, else anybody's. */
struct str ask_id(struct sim *w, enum id_kind kind, int64_t own)
{
    switch (kind) {
    case ID_USER:
        return ask_id_from(w, kind, SQL(w, "SELECT id FROM account ORDER BY id"));
    case ID_SESSION:
        return ask_id_from(
            w, kind,
            SQL(w, "SELECT id FROM session WHERE account = $1 OR $1 = 0 ORDER BY id", own));
    case ID_CREATOR:
        return ask_id_from(w, kind, SQL(w, "SELECT id FROM creator ORDER BY id"));
    case ID_TIER:
        return ask_id_from(
            w, kind,
            SQL(w, "SELECT id FROM tier WHERE creator = $1 OR $1 = 0 ORDER BY archived, id", own));
    case ID_ASSET:
        return ask_id_from(
            w, kind, SQL(w, "SELECT id FROM asset WHERE owner = $1 OR $1 = 0 ORDER BY id", own));
    case ID_POST:
        return ask_id_from(
            w, kind, SQL(w, "SELECT id FROM post WHERE creator = $1 OR $1 = 0 ORDER BY id", own));
    case ID_SUBSCRIPTION:
        return ask_id_from(
            w, kind,
            SQL(w, "SELECT id FROM subscription WHERE fan = $1 OR $1 = 0 ORDER BY id", own));
    case ID_JOB:
        return ask_id_from(w, kind, SQL(w, "SELECT id FROM job WHERE state = 'dead' ORDER BY id"));
    default:
        return ask_id_from(w, kind, SQL(w, "SELECT id FROM payment ORDER BY id"));
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
        json_str(o, f->name, ask_word(w, "tx"));
}

static void put_ids(struct sim *w, int person, const struct field *f, struct json_out *o)
{
    int64_t n = sim_below(w, 3);

    json_name(o, str_of(f->name));
    json_open(o, '[');
    for (int64_t i = 0; i < n; i++)
        json_put_str(o, ask_id(w, f->id, account_of(w, person)));
    json_close(o, ']');
}

void ask_money(struct sim *w, const struct field *f, struct json_out *o)
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
        json_str(o, f->name, ask_id(w, f->id, sim_chance(w, 80) ? account_of(w, person) : 0));
        break;
    case FIELD_MONEY:
        ask_money(w, f, o);
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
        json_str(o, f->name, sim_chance(w, 80) ? ask_word(w, "h") : a_handle(w));
        break;
    case FIELD_IDS:
        put_ids(w, person, f, o);
        break;
    default:
        put_named(w, person, f, o);
    }
}

struct str ask_body(struct sim *w, int person, const struct shape *s)
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
    return ask_word(w, "f");
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
        return ask_id(w, f->id, own);
    if (strcmp(f->name, "handle") == 0)
        return a_handle(w);
    if (strcmp(f->name, "file") == 0)
        return STR("full.webp");
    return STR("1.9999999999.0.AAAAAAAAAAAAAAAAAAAAAA");
}

struct str ask_target(struct sim *w, int person, const struct route *r)
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
