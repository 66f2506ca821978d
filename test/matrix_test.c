/* matrix_test.c -- who gets what, of whom: each route x seven callers x an object of one's own, of another, and none.
 *
 * It is made from the table of routes: each id, handle or token that a route takes, in its path, its query or its body, is
 * a place, and every object of that kind is put into it by every caller. What is expected comes from .auth and from whose
 * the object is. Without a word in `exceptions` an object is its owner's alone: then another's must be answered as one that
 * does not exist, to the byte, with as many statements, and nothing in any table may change. With a word it is open, and
 * must be given. A new route joins by itself; one that takes something this file does not know fails here.
 *
 * What is inside a post or a picture, for whom, is rights_test.c's. Controls: a module whose routes look up wrongly. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "core/jobs.h"
#include "modules.h"
#include "server/web_files.h"
#include "test/stage.h"
#include "test/tables.h"

#include <inttypes.h>

/* --- who and what ----------------------------------------------------------------------------------------------- */

enum caller {
    NOBODY,
    A_FAN,
    OTHER_FAN,
    ANA,
    BO,
    A_MODERATOR,
    AN_ADMIN,
    CALLERS,
    ELSEWHERE = CALLERS
};
static const char *const caller_names[] = { "nobody", "fan",   "other_fan", "ana",
                                            "bo_",    "moder", "admin",     "cleo" };

/* What a place takes: an enum id_kind, or one of these. */
enum { HANDLE_OF_PAGE = ID_KIND_COUNT, TOKEN_OF_PICTURE };

struct matrix;
typedef struct str maker(struct matrix *m, const char *variant, enum caller owner);

enum { SIGNED_IN = 0x7e, CREATORS = 1 << ANA | 1 << BO, FANS = SIGNED_IN & ~CREATORS };

static maker tier_make, asset_make, post_make, subscription_make, session_make, account_make,
    job_make, event_make, handle_make, token_make;

/* Every kind of object there is, in each state that a route may tell apart. `owners`: who has one; CALLERS: a creator who
 * does not call. `kept`: what a call did to it does not need to be undone by a new one. */
static const struct kind {
    int what;
    const char *variant;
    unsigned owners;
    maker *make;
    bool kept;
} kinds[] = {
    { ID_TIER, "open", CREATORS, tier_make, false },
    { ID_TIER, "archived", CREATORS, tier_make, false },
    { ID_TIER, "unsold", 1 << ELSEWHERE, tier_make, false },
    { ID_ASSET, "post", CREATORS, asset_make, false },
    { ID_ASSET, "avatar", CREATORS, asset_make, false },
    { ID_ASSET, "banner", CREATORS, asset_make, false },
    { ID_POST, "draft", CREATORS, post_make, false },
    { ID_POST, "published", CREATORS | 1 << ELSEWHERE, post_make, false },
    { ID_SUBSCRIPTION, "to_bo", SIGNED_IN & ~(1 << BO), subscription_make, true },
    { ID_SUBSCRIPTION, "to_ana", SIGNED_IN & ~(1 << ANA), subscription_make, true },
    { ID_SESSION, "another", SIGNED_IN, session_make, false },
    { ID_USER, "account", 1 << ELSEWHERE, account_make, false },
    { ID_JOB, "dead", 1 << ELSEWHERE, job_make, false },
    { ID_EVENT, "any", 1 << ELSEWHERE, event_make, false },
    { HANDLE_OF_PAGE, "page", CREATORS, handle_make, true },
    { TOKEN_OF_PICTURE, "for_all", 1 << NOBODY, token_make, true },
    { TOKEN_OF_PICTURE, "for_one", SIGNED_IN, token_make, true },
};

enum policy {
    OWNERS, /* the default: another's is as one that does not exist */
    OPEN,   /* whoever .auth lets in gets it */
    SHUT,   /* not even its owner */
    ALIKE,  /* only a place in a list: those that exist and those that do not are the same */
};

/* What is not its owner's alone, and why. variant NULL: all. */
static const struct exception {
    enum method method;
    const char *path, *place, *variant;
    enum policy policy;
} exceptions[] = {
    /* What is published is there for all, with a lock where it is locked. */
    { GET, "/v1/posts/{post}", "post", "published", OPEN },
    { GET, "/p/{post}", "post", "published", OPEN },
    { GET, "/@{handle}", "handle", NULL, OPEN },
    { GET, "/v1/creators/{handle}", "handle", NULL, OPEN },
    { GET, "/v1/creators/{handle}/posts", "handle", NULL, OPEN },
    { PUT, "/v1/creators/{handle}/follow", "handle", NULL, OPEN },
    { DELETE, "/v1/creators/{handle}/follow", "handle", NULL, OPEN },
    /* What is sold. */
    { POST, "/v1/subscriptions", "tier", NULL, OPEN },
    /* The operator's. */
    { PUT, "/v1/admin/accounts/{account}/role", "account", NULL, OPEN },
    { POST, "/v1/admin/jobs/{job}/run", "job", NULL, OPEN },
    /* Avatars and banners have public paths, pictures of posts only signed ones; a token is for one picture. */
    { GET, "/media/{asset}/{file}", "asset", "avatar", OPEN },
    { GET, "/media/{asset}/{file}", "asset", "banner", OPEN },
    { GET, "/media/{asset}/{file}", "asset", "post", SHUT },
    { GET, "/m/{token}/{asset}/{file}", "asset", NULL, SHUT },
    { GET, "/m/{token}/{asset}/{file}", "token", "for_all", OPEN },
    { GET, "/v1/events", "after", NULL, ALIKE },
};

/* Text in a path: what it is. A kind of object is a place; a word is written as it stands. path NULL: in all. */
static const struct path_text {
    const char *path, *name;
    int what;
    const char *word;
} path_texts[] = {
    { NULL, "handle", HANDLE_OF_PAGE, NULL },
    { "/m/{token}/{asset}/{file}", "token", TOKEN_OF_PICTURE, NULL },
    { "/m/{token}/{asset}/{file}", "file", 0, "full.webp" },
    { "/media/{asset}/{file}", "file", 0, "full.webp" },
};

/* What must stand beside a place in a body, so that the request is a right one. */
static const struct beside {
    enum method method;
    const char *path, *place, *name, *json;
} besides[] = {
    { POST, "/v1/posts", "tiers", "access", "\"tiers\"" },
    { POST, "/v1/posts", "tiers", "text", "\"For some\"" },
    { PATCH, "/v1/posts/{post}", "tiers", "access", "\"tiers\"" },
};

/* --- the matrix ------------------------------------------------------------------------------------------------- */

struct object {
    const struct kind *kind;
    enum caller owner;
    struct str text;
};

/* One parameter or member that takes an object. */
struct place {
    const struct route *route;
    const struct field *field; /* NULL: the route takes none */
    enum where { IN_PATH, IN_QUERY, IN_BODY } where;
    int what;
};

/* What can be found, one bit each. */
enum fault {
    F_REFUSAL,    /* .auth says another thing */
    F_MISSING,    /* what does not exist is not said to be missing */
    F_FOREIGN,    /* another's is told apart from what does not exist */
    F_STATEMENTS, /* ... by the work it makes */
    F_CHANGED,    /* something was changed by who had no right */
    F_OWN,        /* nobody gets what is his, or it is not understood how to ask */
    F_UNKNOWN,    /* this file does not know it */
};

enum { OBJECTS_MAX = 200 };
struct matrix {
    struct stage *stage;
    struct arena *arena;
    struct str tokens[CALLERS + 1]; /* of sessions */
    struct str shown;               /* a picture in a post for all */
    struct object objects[OBJECTS_MAX];
    size_t objects_n;
    int serial, cells, asked, places;
    bool control;    /* faults are wanted, and only noted */
    unsigned faults; /* of the route that is looked at */
};

static void fault(struct matrix *m, enum fault f, const struct place *p, enum caller who,
                  struct str what)
{
    m->faults |= 1U << f;
    if (!m->control)
        FAIL("%s %s, %s, %s: %.*s", method_names[p->route->method], p->route->path,
             p->field == NULL ? "-" : p->field->name, caller_names[who], STR_FMT(what));
}

static struct str number(struct matrix *m, const char *format)
{
    return str_printf(m->arena, "%s%d", format, ++m->serial);
}

/* --- objects ---------------------------------------------------------------------------------------------------- */

static struct str must_id(struct matrix *m, enum caller who, const char *method, const char *path,
                          struct str body, int status)
{
    return stage_member(m->stage,
                        stage_must(m->stage, m->tokens[who], method, path, body.p, status), "id");
}

static struct str tier_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct str body = str_printf(
        m->arena, "{\"name\":\"%.*s\",\"description\":\"\",\"price\":500,\"currency\":\"EUR\"}",
        STR_FMT(number(m, "T")));
    struct str id = must_id(m, owner, "POST", "/v1/creators/me/tiers", body, 201);

    if (strcmp(variant, "archived") == 0)
        stage_must(m->stage, m->tokens[owner], "DELETE",
                   str_printf(m->arena, "/v1/tiers/%.*s", STR_FMT(id)).p, NULL, 204);
    return id;
}

static struct str asset_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct http_call h = stage_upload(m->stage, m->tokens[owner], variant,
                                      strcmp(variant, "post") == 0 ? "grey.jpg" : "turned.jpg");

    REQUIRE(h.status == 201);
    return stage_member(m->stage, h.reply, "id");
}

static struct str post_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct str media = owner == ELSEWHERE ? m->shown : STR_NONE;
    const char *quote = media.p == NULL ? "" : "\"";
    struct str body = str_printf(
        m->arena, "{\"text\":\"%.*s\",\"access\":\"public\",\"publish\":%s,\"media\":[%s%.*s%s]}",
        STR_FMT(number(m, "Post ")), strcmp(variant, "draft") == 0 ? "false" : "true", quote,
        STR_FMT(media), quote);

    return must_id(m, owner, "POST", "/v1/posts", body, 201);
}

static struct str object_of(struct matrix *m, int what, const char *variant, enum caller owner)
{
    for (size_t i = 0; i < m->objects_n; i++)
        if (m->objects[i].kind->what == what &&
            (owner == CALLERS + 1 || m->objects[i].owner == owner) &&
            (variant == NULL || strcmp(m->objects[i].kind->variant, variant) == 0))
            return m->objects[i].text;
    return STR_NONE;
}

static struct str subscription_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct str tier = object_of(m, ID_TIER, "open", strcmp(variant, "to_bo") == 0 ? BO : ANA), to;
    struct str body = str_printf(m->arena, "{\"tier\":\"%.*s\"}", STR_FMT(tier));
    struct str reply =
        stage_must(m->stage, m->tokens[owner], "POST", "/v1/subscriptions", body.p, 201);

    CHECK_INT(bank_pay(m->stage->bank, m->arena, stage_member(m->stage, reply, "checkout_url"),
                       STR("4242424242424242"), &to),
              303);
    stage_jobs(m->stage);
    return stage_member(m->stage, reply, "subscription.id");
}

static struct str sign_in(struct matrix *m, enum caller who)
{
    struct str body = str_printf(m->arena,
                                 "{\"email\":\"%s@example.org\",\"password\":\"correct horse %s "
                                 "staple\",\"kind\":\"bearer\"}",
                                 caller_names[who], caller_names[who]);

    return stage_must(m->stage, STR_NONE, "POST", "/v1/sessions", body.p, 201);
}

static struct str session_make(struct matrix *m, const char *variant, enum caller owner)
{
    (void)variant;
    return stage_member(m->stage, sign_in(m, owner), "id");
}

static struct str account_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct str token = stage_sign_up(m->stage, str_copy(m->arena, number(m, "spare")).p);

    (void)variant, (void)owner;
    return stage_member(m->stage, stage_must(m->stage, token, "GET", "/v1/me", NULL, 200), "id");
}

/* media.blob_sweep's input. */
struct blob_name {
    struct str blob;
};

static enum err add_dead_job(struct call *c)
{
    struct blob_name in = { str_of(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") };
    struct id *id = c->prepared;

    TRY(job_add(c, "media.blob_sweep", when_after(c->now, 400 * DAY), &in, id));
    return db_hit(c, "UPDATE job SET state = 'dead', error = 'a test', finished = $2 WHERE id = $1",
                  *id, c->now);
}

static void behind_its_back(struct matrix *m, handler *run, void *prepared)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, m->stage->house->env, &a);
    c.prepared = prepared;
    CHECK_OK(exec_transaction(m->stage->house->env->exec, &c, WRITE, run));
    arena_done(&a);
}

static struct str job_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct id id = ID_NONE;

    (void)variant, (void)owner;
    behind_its_back(m, add_dead_job, &id);
    return id_text(m->arena, ID_JOB, id);
}

/* One that was not made yet: nobody has it. */
static struct str new_text(struct matrix *m, int what)
{
    struct env *e = m->stage->house->env;
    struct id id = id_make(&e->ids, env_real_now(e).us / 1000);

    return id_text(m->arena, (enum id_kind)what, id);
}

static struct str event_make(struct matrix *m, const char *variant, enum caller owner)
{
    (void)variant, (void)owner;
    return new_text(m, ID_EVENT);
}

static struct str handle_make(struct matrix *m, const char *variant, enum caller owner)
{
    (void)m, (void)variant;
    return str_of(caller_names[owner]);
}

/* Between the slashes of the path that the owner was given for the picture of cleo's post. */
static struct str token_make(struct matrix *m, const char *variant, enum caller owner)
{
    struct str post = object_of(m, ID_POST, "published", ELSEWHERE), token;
    struct str reply =
        stage_must(m->stage, m->tokens[owner], "GET",
                   str_printf(m->arena, "/v1/posts/%.*s", STR_FMT(post)).p, NULL, 200);
    struct str url = stage_member(m->stage, reply, "media.0.full_url");

    (void)variant;
    REQUIRE(str_starts(url, "/m/"));
    str_split(str_cut(url, 3, url.n), '/', &token);
    return token;
}

static void objects_make(struct matrix *m)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        for (int who = NOBODY; who <= ELSEWHERE; who++) {
            if ((kinds[i].owners >> who & 1) == 0)
                continue;
            struct str text = kinds[i].make(m, kinds[i].variant, (enum caller)who);
            must(m->objects_n < OBJECTS_MAX && text.p != NULL);
            m->objects[m->objects_n++] =
                (struct object) { &kinds[i], (enum caller)who, str_copy(m->arena, text) };
        }
}

/* --- people ----------------------------------------------------------------------------------------------------- */

static void page_make(struct matrix *m, enum caller who)
{
    struct str body =
        str_printf(m->arena, "{\"handle\":\"%s\",\"name\":\"X\",\"bio\":\"\"}", caller_names[who]);

    stage_must(m->stage, m->tokens[who], "POST", "/v1/creators", body.p, 201);
}

static void people_make(struct matrix *m)
{
    static const enum caller order[] = {
        A_FAN, OTHER_FAN, ANA, BO, A_MODERATOR, ELSEWHERE, AN_ADMIN
    };
    struct stage *s = m->stage;

    for (size_t i = 0; i < COUNT(order); i++)
        m->tokens[order[i]] = stage_sign_up(s, caller_names[order[i]]);
    struct str link = mailed_token(s->house); /* the last one signed up is the admin */
    stage_must(s, STR_NONE, "POST", "/v1/email-verifications/confirm",
               str_printf(m->arena, "{\"token\":\"%.*s\"}", STR_FMT(link)).p, 204);
    struct str me = stage_must(s, m->tokens[A_MODERATOR], "GET", "/v1/me", NULL, 200);
    struct str path =
        str_printf(m->arena, "/v1/admin/accounts/%.*s/role", STR_FMT(stage_member(s, me, "id")));
    stage_must(s, m->tokens[AN_ADMIN], "PUT", path.p, "{\"role\":\"moderator\"}", 204);
    /* A new role ends the sessions. */
    m->tokens[A_MODERATOR] = stage_member(s, sign_in(m, A_MODERATOR), "token");
    page_make(m, ANA);
    page_make(m, BO);
    page_make(m, ELSEWHERE);
}

static void matrix_open(struct matrix *m, const char *engine, const struct module *const *all,
                        size_t n)
{
    fixtures_make();
    statements_count();
    *m = (struct matrix) { .stage = stage_open_modules(engine, all, n) };
    m->arena = m->stage->arena;
    stage_bank(m->stage);
    people_make(m);
    m->shown = asset_make(m, "post", ELSEWHERE);
    objects_make(m);
    m->stage->house->env->development = false;
}

/* --- places ----------------------------------------------------------------------------------------------------- */

static const struct path_text *path_text_of(const struct route *r, const struct field *f)
{
    for (size_t i = 0; i < COUNT(path_texts); i++)
        if ((path_texts[i].path == NULL || strcmp(path_texts[i].path, r->path) == 0) &&
            strcmp(path_texts[i].name, f->name) == 0)
            return &path_texts[i];
    return NULL;
}

/* 0: it takes no object. */
static int what_of(const struct route *r, const struct field *f, enum where where)
{
    if (f->kind == FIELD_ID || f->kind == FIELD_IDS)
        return (int)f->id;
    if (where == IN_PATH && path_text_of(r, f) != NULL)
        return path_text_of(r, f)->what;
    return 0;
}

static bool known(int what)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].what == what)
            return true;
    return false;
}

enum { PLACES_MAX = 16 };
struct places {
    struct place v[PLACES_MAX];
    size_t n;
};

static void places_add(struct matrix *m, struct places *all, const struct route *r,
                       const struct shape *s, enum where where)
{
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        const struct field *f = &s->fields[i];
        struct place p = { r, f, where, what_of(r, f, where) };
        if (f->kind == FIELD_NEST || f->kind == FIELD_LIST)
            places_add(m, all, r, f->shape, where);
        if (where == IN_PATH && f->kind != FIELD_ID && path_text_of(r, f) == NULL)
            fault(m, F_UNKNOWN, &p, NOBODY, STR("what is this text? Say it in path_texts"));
        if (p.what == 0)
            continue;
        if (!known(p.what))
            fault(m, F_UNKNOWN, &p, NOBODY, STR("whose are these? Say it in kinds"));
        must(all->n < PLACES_MAX);
        all->v[all->n++] = p;
    }
}

static enum policy policy_of(const struct place *p, const struct object *o)
{
    for (size_t i = 0; i < COUNT(exceptions); i++) {
        const struct exception *x = &exceptions[i];
        if (x->method == p->route->method && strcmp(x->path, p->route->path) == 0 &&
            strcmp(x->place, p->field->name) == 0 &&
            (x->variant == NULL || strcmp(x->variant, o->kind->variant) == 0))
            return x->policy;
    }
    return OWNERS;
}

/* --- a request -------------------------------------------------------------------------------------------------- */

/* Some object of this kind: one's own, if he has one. */
static struct str some(struct matrix *m, int what, enum caller who)
{
    struct str own = object_of(m, what, NULL, who);

    return own.p != NULL ? own : object_of(m, what, NULL, (enum caller)(CALLERS + 1));
}

static struct str path_value(struct matrix *m, const struct place *p, const struct field *f,
                             enum caller who, struct str text)
{
    const struct path_text *t = path_text_of(p->route, f);

    if (f == p->field)
        return text;
    if (p->what == TOKEN_OF_PICTURE && f->kind == FIELD_ID)
        return m->shown;
    if (t != NULL && t->word != NULL)
        return str_of(t->word);
    int what = what_of(p->route, f, IN_PATH);
    return what != 0 ? some(m, what, who) : STR("1");
}

static struct str target_of(struct matrix *m, const struct place *p, enum caller who,
                            struct str text)
{
    struct buf b = { .arena = m->arena };

    for (const char *c = p->route->path; *c != 0; c++) {
        if (*c != '{') {
            buf_char(&b, *c);
            continue;
        }
        const char *end = strchr(c, '}');
        const struct field *f =
            shape_field(p->route->params, (struct str) { c + 1, (size_t)(end - c - 1) });
        buf_add(&b, path_value(m, p, f, who, text));
        c = end;
    }
    if (p->where == IN_QUERY && p->field != NULL)
        buf_printf(&b, "?%s=%.*s", p->field->name, STR_FMT(text));
    return buf_str(&b);
}

struct filler {
    struct matrix *m;
    const struct place *place;
    enum caller who;
    struct str text;
    struct json_out o;
};

static bool holds(const struct shape *s, const struct field *f)
{
    for (size_t i = 0; i < s->n; i++)
        if (&s->fields[i] == f || (s->fields[i].shape != NULL && holds(s->fields[i].shape, f)))
            return true;
    return false;
}

static const char *beside_of(const struct place *p, const char *name)
{
    for (size_t i = 0; i < COUNT(besides); i++)
        if (besides[i].method == p->route->method && strcmp(besides[i].path, p->route->path) == 0 &&
            p->field != NULL && strcmp(besides[i].place, p->field->name) == 0 &&
            strcmp(besides[i].name, name) == 0)
            return besides[i].json;
    return NULL;
}

static void fill(struct filler *k, const struct shape *s);

static struct str filled_text(struct filler *k, const struct field *f)
{
    if (f == k->place->field)
        return k->text;
    switch (f->kind) {
    case FIELD_ID:
        return some(k->m, (int)f->id, k->who);
    case FIELD_EMAIL:
        return str_printf(k->m->arena, "m%d@example.org", ++k->m->serial);
    case FIELD_HANDLE:
        return number(k->m, "handle_");
    case FIELD_ENUM:
        return str_of(f->names[0]);
    case FIELD_WHEN:
        return STR("2031-01-01T00:00:00Z");
    default:
        return f->sample != NULL ? str_of(f->sample)
                                 : STR("A sentence with more than twelve signs");
    }
}

static void fill_value(struct filler *k, const struct field *f)
{
    bool here = f == k->place->field || (f->shape != NULL && holds(f->shape, k->place->field));

    switch (f->kind) {
    case FIELD_NEST:
        fill(k, f->shape);
        return;
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        json_open(&k->o, '[');
        if (here && f->kind == FIELD_LIST)
            fill(k, f->shape);
        else if (here || f->min > 0)
            json_put_str(&k->o, filled_text(k, f));
        json_close(&k->o, ']');
        return;
    case FIELD_BOOL:
        json_put_raw(&k->o, STR("false"));
        return;
    case FIELD_INT:
    case FIELD_MONEY:
        json_put_raw(&k->o, str_printf(k->m->arena, "%" PRId64, f->min > 500 ? f->min : 500));
        return;
    default:
        json_put_str(&k->o, filled_text(k, f));
    }
}

/* What must be there, and the way to the place. */
static void fill(struct filler *k, const struct shape *s)
{
    json_open(&k->o, '{');
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        const char *beside = beside_of(k->place, f->name);
        bool here = f == k->place->field || (f->shape != NULL && holds(f->shape, k->place->field));
        if (f->optional && !here && beside == NULL)
            continue;
        json_name(&k->o, str_of(f->name));
        if (beside != NULL)
            json_put_raw(&k->o, str_of(beside));
        else
            fill_value(k, f);
    }
    if (shape_has_money(s))
        json_str(&k->o, "currency", STR("EUR"));
    json_close(&k->o, '}');
}

static struct str body_of(struct matrix *m, const struct place *p, enum caller who, struct str text)
{
    struct buf b = { .arena = m->arena };
    struct filler k = { m, p, who, text, { .buf = &b } };

    if (p->route->in == NULL)
        return STR("");
    if (p->field == NULL) /* routes that take no object are asked for the refusal alone */
        return STR("{}");
    fill(&k, p->route->in);
    return buf_str(&b);
}

static struct http_call request_of(struct matrix *m, const struct place *p, enum caller who,
                                   struct str text)
{
    struct http_call h = { .method = method_names[p->route->method], .token = m->tokens[who] };

    h.target = target_of(m, p, who, text);
    h.body = body_of(m, p, who, text);
    if (p->route->method != GET)
        h.headers[h.headers_n++] = (struct header) { "Idempotency-Key", number(m, "matrix-") };
    m->asked++;
    return h;
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void put_without(struct buf *b, struct str text, struct str what)
{
    while (what.n > 0 && text.n >= what.n) {
        const char *at = memmem(text.p, text.n, what.p, what.n);
        if (at == NULL)
            break;
        buf_add(b, str_cut(text, 0, (size_t)(at - text.p)));
        buf_char(b, '~');
        text = str_cut(text, (size_t)(at - text.p) + what.n, text.n);
    }
    buf_add(b, text);
}

/* Status, headers and body, without what differs each time: the request's number, and what was asked for. */
static struct str essence(struct matrix *m, const struct http_call *h, struct str text)
{
    struct buf plain = { .arena = m->arena }, b = { .arena = m->arena };
    struct str request = http_call_header(h, "Request-Id");

    if (request.p == NULL)
        request = stage_member(m->stage, h->reply, "request");

    buf_printf(&plain, "%d\n", h->status);
    for (size_t i = 0; i < h->reply_headers_n; i++)
        buf_printf(&plain, "%s: %.*s\n", h->reply_headers[i].name,
                   STR_FMT(h->reply_headers[i].value));
    buf_add(&plain, h->reply);
    struct buf once = { .arena = m->arena };
    put_without(&once, buf_str(&plain), request);
    put_without(&b, buf_str(&once), text);
    return buf_str(&b);
}

struct seen {
    struct http_call call;
    struct str answer, conditional; /* without what differs */
    int64_t statements;
};

static struct seen look(struct matrix *m, const struct place *p, enum caller who, struct str text)
{
    struct seen s = { .call = request_of(m, p, who, text) };
    int64_t before = statements_so_far();

    server_call(m->stage->server, m->arena, &s.call);
    s.statements = statements_so_far() - before;
    s.answer = essence(m, &s.call, text);
    if (p->route->method == GET) {
        struct http_call h = request_of(m, p, who, text);
        h.headers[h.headers_n++] = (struct header) { "If-None-Match", STR("*") };
        server_call(m->stage->server, m->arena, &h);
        s.conditional = essence(m, &h, text);
    }
    return s;
}

static struct str code_of(struct matrix *m, const struct http_call *h)
{
    return h->status < 400 ? STR_NONE : stage_member(m->stage, h->reply, "code");
}

/* The refusal that .auth demands; E_OK: the caller may pass. */
static enum err refusal(enum auth auth, enum caller who)
{
    if (who == NOBODY && (auth == FAN || auth == CREATOR || auth == MODERATOR || auth == ADMIN))
        return E_SIGNED_OUT;
    if (auth == CREATOR && who != ANA && who != BO)
        return E_NOT_CREATOR;
    if ((auth == MODERATOR && who < A_MODERATOR) || (auth == ADMIN && who < AN_ADMIN))
        return E_FORBIDDEN;
    return auth == DEVELOPMENT ? E_NOT_FOUND : E_OK;
}

static bool refused(struct matrix *m, const struct http_call *h)
{
    struct str code = code_of(m, h);

    return str_is(code, "signed_out") || str_is(code, "not_creator") || str_is(code, "forbidden") ||
           h->status >= 500;
}

static void expect_refusal(struct matrix *m, const struct place *p, enum caller who,
                           const struct http_call *h)
{
    enum err want = refusal(p->route->auth, who);
    struct str code = code_of(m, h);

    if (want == E_OK ? refused(m, h) : !str_eq(code, err_code(m->arena, want)))
        fault(m, F_REFUSAL, p, who,
              str_printf(m->arena, "%.*s answered %d %.*s, should be %.*s", STR_FMT(h->target),
                         h->status, STR_FMT(code),
                         STR_FMT(want == E_OK ? STR("let in") : err_code(m->arena, want))));
}

/* --- cells of those without a right ----------------------------------------------------------------------------- */

static struct str missing_of(struct matrix *m, int what)
{
    if (what == HANDLE_OF_PAGE)
        return STR("nobody_here");
    if (what != TOKEN_OF_PICTURE)
        return new_text(m, what);
    struct str good = object_of(m, TOKEN_OF_PICTURE, "for_all", NOBODY);
    char *forged = arena_copy(m->arena, good.p, good.n);
    forged[good.n - 1] = forged[good.n - 1] == 'A' ? 'B' : 'A';
    return (struct str) { forged, good.n };
}

static void check_missing(struct matrix *m, const struct place *p, enum caller who,
                          const struct http_call *h, bool alike)
{
    expect_refusal(m, p, who, h);
    if (refusal(p->route->auth, who) != E_OK || alike)
        return;
    if (h->status != 404 && (p->where == IN_PATH || h->status != 400))
        fault(m, F_MISSING, p, who,
              str_printf(m->arena, "%.*s is not there, but answered %d: %.*s", STR_FMT(h->target),
                         h->status, STR_FMT(h->reply)));
}

/* Now and then a statement is the server's own: a session that is looked at again, say. What is always different is not. */
static bool same_work(struct matrix *m, const struct place *p, enum caller who, struct str text)
{
    for (int i = 0; i < 5; i++)
        if (look(m, p, who, text).statements == look(m, p, who, missing_of(m, p->what)).statements)
            return true;
    return false;
}

static void check_foreign(struct matrix *m, const struct place *p, enum caller who,
                          const struct seen *missing, const struct object *o)
{
    struct seen s = look(m, p, who, o->text);
    const char *whose = caller_names[o->owner];

    m->cells++;
    if (!str_eq(s.answer, missing->answer) || !str_eq(s.conditional, missing->conditional))
        fault(m, F_FOREIGN, p, who,
              str_printf(m->arena,
                         "%s's (%s) is told from a missing one:\n%.*s\n%.*s\n--\n%.*s\n%.*s", whose,
                         o->kind->variant, STR_FMT(s.answer), STR_FMT(s.conditional),
                         STR_FMT(missing->answer), STR_FMT(missing->conditional)));
    if (s.statements != missing->statements && !same_work(m, p, who, o->text))
        fault(m, F_STATEMENTS, p, who,
              str_printf(m->arena, "%s's (%s) takes %" PRId64 " statements, a missing one %" PRId64,
                         whose, o->kind->variant, s.statements, missing->statements));
}

/* A well-formed id of another kind is a missing one; so is no id at all. */
static void check_strange(struct matrix *m, const struct place *p, enum caller who)
{
    struct str strange[] = { p->what == ID_TIER ? new_text(m, ID_USER) : new_text(m, ID_TIER),
                             STR("x") };

    for (size_t i = 0; i < COUNT(strange); i++) {
        struct http_call h = request_of(m, p, who, strange[i]);
        server_call(m->stage->server, m->arena, &h);
        check_missing(m, p, who, &h, false);
        m->cells++;
    }
}

static bool may(enum caller who, const struct place *p, const struct object *o)
{
    enum policy policy = policy_of(p, o);

    return refusal(p->route->auth, who) == E_OK &&
           (policy == OPEN || policy == ALIKE || (policy == OWNERS && o->owner == who));
}

static bool all_alike(const struct matrix *m, const struct place *p)
{
    for (size_t i = 0; i < m->objects_n; i++)
        if (m->objects[i].kind->what == p->what)
            return policy_of(p, &m->objects[i]) == ALIKE;
    return false;
}

static void cells_without_right(struct matrix *m, const struct place *p, enum caller who)
{
    struct seen missing = look(m, p, who, missing_of(m, p->what));

    /* The first one may have found what the next is spared: an account's rights, say. */
    missing = look(m, p, who, missing_of(m, p->what));
    m->cells++;
    check_missing(m, p, who, &missing.call, all_alike(m, p));
    check_strange(m, p, who);
    for (size_t i = 0; i < m->objects_n; i++)
        if (m->objects[i].kind->what == p->what && !may(who, p, &m->objects[i]))
            check_foreign(m, p, who, &missing, &m->objects[i]);
}

/* --- cells of those with a right -------------------------------------------------------------------------------- */

/* What a call may use up is made anew for it. */
static struct str fresh(struct matrix *m, const struct place *p, const struct object *o)
{
    bool uses_up = p->where == IN_PATH && p->route->method != GET && p->route->method != PATCH;

    return o->kind->kept || !uses_up ? o->text : o->kind->make(m, o->kind->variant, o->owner);
}

/* What is read can be read as "as you have it", and only then. */
static void expect_tag(struct matrix *m, const struct place *p, enum caller who, struct str text)
{
    struct http_call h = request_of(m, p, who, text);

    h.headers[h.headers_n++] = (struct header) { "If-None-Match", STR("*") };
    server_call(m->stage->server, m->arena, &h);
    if (h.status != 304 && p->route->wire == WIRE_JSON)
        fault(m, F_OWN, p, who, STR("it is not said to be as before"));
}

static bool cell_with_right(struct matrix *m, const struct place *p, enum caller who,
                            const struct object *o, struct http_call *h)
{
    m->stage->house->env->development = true; /* for making */
    struct str text = fresh(m, p, o);
    m->stage->house->env->development = false;
    *h = request_of(m, p, who, text);
    m->cells++;
    if (p->route->await != NULL) {
        stage_call_waiting(m->stage, h);
    } else {
        server_call(m->stage->server, m->arena, h);
        stage_jobs(m->stage);
    }
    expect_refusal(m, p, who, h);
    if (p->route->method == GET && h->status == 200 && p->route->wire != WIRE_STREAM)
        expect_tag(m, p, who, text);
    return h->status < 400;
}

/* In each place each caller gets something of what is his; not of everything, since a state may be in the way. */
static void cells_with_right(struct matrix *m, const struct place *p, enum caller who)
{
    struct http_call last = { .reply = STR("") };
    int had = 0, got = 0;

    for (size_t i = 0; i < m->objects_n; i++)
        if (m->objects[i].kind->what == p->what && may(who, p, &m->objects[i])) {
            had++;
            got += cell_with_right(m, p, who, &m->objects[i], &last);
        }
    if (had > 0 && got == 0)
        fault(m, F_OWN, p, who,
              str_printf(m->arena, "none of %d is given: %.*s %.*s: %d %.*s", had,
                         STR_FMT(last.target), STR_FMT(last.body), last.status,
                         STR_FMT(last.reply)));
}

/* --- routes ----------------------------------------------------------------------------------------------------- */

static void without_place(struct matrix *m, const struct route *r)
{
    struct place p = { .route = r };

    for (int who = 0; who < CALLERS; who++) {
        /* A session that ends itself helps nobody further. */
        if (r->method == DELETE && who != NOBODY && strstr(r->path, "/v1/sessions") == r->path)
            continue;
        struct http_call h = request_of(m, &p, (enum caller)who, STR_NONE);
        server_call(m->stage->server, m->arena, &h);
        expect_refusal(m, &p, (enum caller)who, &h);
        if (r->method == GET && h.status == 200 && r->wire != WIRE_STREAM)
            expect_tag(m, &p, (enum caller)who, STR_NONE);
        m->cells++;
    }
}

static void look_at(struct matrix *m, const struct route *r, bool with_right)
{
    struct places all = { .n = 0 };

    if (r->wire == WIRE_PAGE && web_files_n == 0)
        return;
    places_add(m, &all, r, r->params, IN_PATH);
    places_add(m, &all, r, r->query, IN_QUERY);
    places_add(m, &all, r, r->in, IN_BODY);
    if (all.n == 0 && with_right)
        without_place(m, r);
    for (size_t i = 0; i < all.n; i++)
        for (int who = 0; who < CALLERS; who++)
            (with_right ? cells_with_right : cells_without_right)(m, &all.v[i], (enum caller)who);
    m->places += with_right ? (int)all.n : 0;
}

static void nothing_changes(struct matrix *m, const struct route *r, struct tables *before)
{
    struct place p = { .route = r };
    struct tables after = tables_read(m->arena, m->stage->house->env->engine);
    struct str changed = tables_changed(m->arena, *before, after);

    if (changed.p != NULL)
        fault(m, F_CHANGED, &p, NOBODY,
              str_printf(m->arena, "those without a right changed: %.*s", STR_FMT(changed)));
    *before = after;
}

/* First everybody without a right, with the tables watched; then those who have one. */
static void pass(struct matrix *m, const struct module *const *all, size_t n, bool with_right)
{
    struct tables before = { 0 };

    stage_jobs(m->stage);
    if (!with_right)
        before = tables_read(m->arena, m->stage->house->env->engine);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < all[k]->routes_n; i++) {
            look_at(m, &all[k]->routes[i], with_right);
            if (!with_right)
                nothing_changes(m, &all[k]->routes[i], &before);
        }
}

/* An exception for a route or a place that is there no more. */
static void exceptions_are_used(void)
{
    for (size_t x = 0; x < COUNT(exceptions); x++) {
        bool found = false;
        for (size_t k = 0; k < modules_n; k++)
            for (size_t i = 0; i < modules[k]->routes_n; i++)
                found |= modules[k]->routes[i].method == exceptions[x].method &&
                         strcmp(modules[k]->routes[i].path, exceptions[x].path) == 0;
        if (!found)
            FAIL("%s %s is no route any more", method_names[exceptions[x].method],
                 exceptions[x].path);
    }
}

ENGINES_SECONDS(each_caller_gets_what_the_table_and_the_owner_say, 120)
{
    struct matrix m;

    matrix_open(&m, engine, modules, modules_n);
    exceptions_are_used();
    pass(&m, modules, modules_n, false);
    pass(&m, modules, modules_n, true);
    CHECK(m.cells > 1500 && m.places > 20);
    NOTE("%d cells: %d places of objects, %zu objects, 7 callers; %d requests", m.cells, m.places,
         m.objects_n, m.asked);
    stage_close(m.stage);
}

/* --- controls: routes that look up wrongly ---------------------------------------------------------------------- */

struct tier_name {
    struct id tier;
};
static const struct field tier_name_fields[] = { ID(tier_name, tier, ID_TIER, "Tier") };
STATIC_SHAPE(tier_name);

static enum err is_there(struct call *c, struct id tier)
{
    int64_t n = 0;

    return db_int(c, &n, "SELECT 1 FROM tier WHERE id = $1", tier);
}

static enum err is_own(struct call *c, struct id tier)
{
    int64_t n = 0;

    return db_int(c, &n, "SELECT 1 FROM tier WHERE id = $1 AND creator = $2", tier, c->who);
}

static enum err given_to_all(struct call *c)
{
    return is_there(c, PARAMS(c, tier_name)->tier);
}

static enum err told_apart(struct call *c)
{
    TRY(is_there(c, PARAMS(c, tier_name)->tier));
    return is_own(c, PARAMS(c, tier_name)->tier) == E_OK ? E_OK : E_FORBIDDEN;
}

static enum err more_work(struct call *c)
{
    if (is_there(c, PARAMS(c, tier_name)->tier) == E_OK)
        TRY(is_there(c, PARAMS(c, tier_name)->tier));
    return is_own(c, PARAMS(c, tier_name)->tier);
}

static enum err rename_it(struct call *c)
{
    return db_run(c, "UPDATE tier SET name = name || '!' WHERE id = $1", *(struct id *)c->prepared);
}

static enum err changed_all_the_same(struct call *c)
{
    struct id tier = PARAMS(c, tier_name)->tier;
    struct call own;

    call_begin(&own, c->env, c->arena);
    own.prepared = &tier;
    return exec_transaction(c->env->exec, &own, WRITE, rename_it);
}

static enum err own_or_nothing(struct call *c)
{
    return is_own(c, PARAMS(c, tier_name)->tier);
}

static enum err nothing_at_all(struct call *c)
{
    (void)c;
    return E_NOT_FOUND;
}

static enum err taken_from_body(struct call *c)
{
    return is_there(c, IN(c, tier_name)->tier);
}

static enum err never_missing(struct call *c)
{
    (void)c;
    return E_OK;
}

static enum err said_in_a_header(struct call *c)
{
    struct id tier = PARAMS(c, tier_name)->tier;
    enum err there = is_there(c, tier), own = is_own(c, tier);

    if (own == E_OK)
        return E_OK;
    fail(c, own, NULL);
    c->problem.retry_after = there == E_OK ? 1 : 0;
    return own;
}

#define WRONG(m, name, function, ...)                                                              \
    {                                                                                              \
        .method = (m), .path = "/t/" name, .run = (function), .summary = "Wrong", __VA_ARGS__      \
    }
#define BY_PATH .params = &tier_name_shape, .auth = FAN, .tx = READ
static const struct route wrong_routes[] = {
    WRONG(GET, "right/{tier}", own_or_nothing, BY_PATH),
    WRONG(GET, "given/{tier}", given_to_all, BY_PATH),
    WRONG(GET, "apart/{tier}", told_apart, BY_PATH),
    WRONG(GET, "header/{tier}", said_in_a_header, BY_PATH),
    WRONG(GET, "work/{tier}", more_work, BY_PATH),
    WRONG(POST, "changed/{tier}", nothing_at_all, .params = &tier_name_shape, .auth = FAN,
          .tx = NONE, .prepare = changed_all_the_same),
    WRONG(GET, "nothing/{tier}", nothing_at_all, BY_PATH),
    WRONG(POST, "body", taken_from_body, .in = &tier_name_shape, .auth = CREATOR, .tx = READ),
    WRONG(GET, "never/{tier}", never_missing, BY_PATH),
};
static const unsigned wrong_faults[COUNT(wrong_routes)] = {
    0,
    1 << F_FOREIGN,
    1 << F_FOREIGN | 1 << F_STATEMENTS,
    1 << F_FOREIGN,
    1 << F_STATEMENTS,
    1 << F_CHANGED | 1 << F_OWN,
    1 << F_OWN,
    1 << F_FOREIGN,
    1 << F_MISSING,
};
static const struct module wrong_module = { "wrong", MODULE_ROUTES(wrong_routes) };

struct token_ref {
    struct str word;
    struct id payment;
};
static const struct field token_ref_fields[] = {
    TEXT(token_ref, word, "?", .max = 10),
    ID(token_ref, payment, ID_PAYMENT, "A kind that no route took before"),
};
STATIC_SHAPE(token_ref);
static const struct route unknown_route = WRONG(
    GET, "{word}/{payment}", nothing_at_all, .params = &token_ref_shape, .auth = FAN, .tx = READ);

static void open_with_wrong(struct matrix *m)
{
    enum { ALL_MAX = 40 };
    static const struct module *all[ALL_MAX];

    must(modules_n < ALL_MAX);
    memcpy(all, modules, modules_n * sizeof(all[0]));
    all[modules_n] = &wrong_module;
    matrix_open(m, "sqlite", all, modules_n + 1);
    m->control = true;
}

TEST_SLOW(matrix_finds_what_looks_up_wrongly, 60)
{
    struct matrix m;

    open_with_wrong(&m);
    for (size_t i = 0; i < COUNT(wrong_routes); i++) {
        struct module one = { "wrong", .routes = &wrong_routes[i], .routes_n = 1 };
        const struct module *only[] = { &one };
        m.faults = 0;
        pass(&m, only, 1, false);
        pass(&m, only, 1, true);
        if (m.faults != wrong_faults[i])
            FAIL("%s: faults %x, should be %x", wrong_routes[i].path, m.faults, wrong_faults[i]);
    }
    stage_close(m.stage);
}

TEST_SLOW(matrix_finds_a_caller_with_other_rights, 60)
{
    struct matrix m;
    struct module one = { "right", .routes = &wrong_routes[COUNT(wrong_routes) - 2],
                          .routes_n = 1 };
    const struct module *only[] = { &one };

    open_with_wrong(&m);
    m.tokens[A_FAN] = m.tokens[ANA]; /* as if .auth were not asked: a fan is let in as a creator */
    pass(&m, only, 1, false);
    CHECK((m.faults >> F_REFUSAL & 1) == 1);
    stage_close(m.stage);
}

TEST_SECONDS(matrix_demands_that_a_new_kind_is_described, 60)
{
    struct matrix m = { .control = true };
    struct places all = { .n = 0 };

    places_add(&m, &all, &unknown_route, unknown_route.params, IN_PATH);
    CHECK_INT(m.faults, 1 << F_UNKNOWN);
    CHECK_INT(all.n, 1);
}
