/* scenario.c -- API tests as tables: each *.scenario under src/ runs in-process against the whole program, on both engines.
 *
 *   # who   request                                                            -> what is expected
 *   ana     POST /v1/creators {"handle":"ana","name":"Ana","bio":""}           -> 201 {"id":"$page","own":true}
 *   fan     POST /v1/tips {"creator":"$page","amount":500} key=k1              -> 201 {"amount":500}
 *   fan     POST /v1/tips {"creator":"$page","amount":500} key=k1              -> 201 same     # replayed
 *   fan     POST /v1/tips {"creator":"$page","amount":5}                       -> 400 amount
 *   nobody  POST /v1/tips {}                                                   -> 401
 *   ana     POST /v1/media?purpose=post file=build/fixtures/a.jpg type=image/jpeg -> 201
 *   clock   +31d
 *   calendar +31d
 *   mail    ana $token
 *   bank    opens                       # the sandbox, for what follows
 *   bank    pay $page 4242424242424242                                         -> 303 $next
 *   bank    confirm $next complete                                             -> 303
 *   ledger  fan -500  ana +400  platform +100                 # since the last such line; 0 when not named before
 *
 * A person is signed up when first named ("admin" as the operator; "nobody" never); $ana is the account's id. An expected
 * object may leave members out; a list has them all. "$name" in it takes the value at first, and compares it from then on;
 * "$any" is any value, "$absent" none. A word is the code of a problem, or the field that it blames. `same`: the very answer
 * that this key got before. Jobs and events that are due run after each line (and beside it, where it has a key or a file:
 * the answer may wait for them). clock moves both clocks, calendar only that of business. mail: the token in the last mail
 * to somebody. bank: what a payer does on the hosted page; the name at the end takes where the page leads to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "modules.h"
#include "test/scenario.h"

#include <glob.h>
#include <inttypes.h>

enum { VARIABLES_MAX = 200, PEOPLE_MAX = 50, ANSWERS_MAX = 200 };

struct variable {
    struct str name, value;
};

struct person {
    struct str name, token;
};

/* What a key got. */
struct remembered {
    struct str request, reply;
};

struct scenario {
    struct stage *stage;
    const struct scenario_driver *driver;
    struct arena *arena;
    const char *file;
    int line;
    struct variable variables[VARIABLES_MAX];
    struct person people[PEOPLE_MAX];
    struct remembered answers[ANSWERS_MAX];
    size_t variables_n, people_n, answers_n;
};

/* One line, taken apart. */
struct wish {
    struct str who, method, target, body, key, type, file;
    int64_t status;
    struct str expected;
};

#define COMPLAIN(s, ...) unit_fail((s)->file, (s)->line, __VA_ARGS__)

/* --- variables -------------------------------------------------------------------------------------------------- */

static struct str variable_get(struct scenario *s, struct str name)
{
    for (size_t i = 0; i < s->variables_n; i++)
        if (str_eq(s->variables[i].name, name))
            return s->variables[i].value;
    return STR_NONE;
}

static void variable_set(struct scenario *s, struct str name, struct str value)
{
    must(s->variables_n < VARIABLES_MAX);
    s->variables[s->variables_n++] =
        (struct variable) { str_copy(s->arena, name), str_copy(s->arena, value) };
}

static void variable_put(struct scenario *s, struct str name, struct str value)
{
    for (size_t i = 0; i < s->variables_n; i++)
        if (str_eq(s->variables[i].name, name)) {
            s->variables[i].value = str_copy(s->arena, value);
            return;
        }
    variable_set(s, name, value);
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str name_at(struct str text, size_t at)
{
    size_t n = 0;

    while (at + n < text.n && in_name(text.p[at + n]))
        n++;
    return str_cut(text, at, n);
}

/* Known variables by their values; others stay as they are. */
static struct str filled(struct scenario *s, struct str text)
{
    struct buf b = { .arena = s->arena };

    for (size_t i = 0; i < text.n; i++) {
        struct str name = text.p[i] == '$' ? name_at(text, i + 1) : STR("");
        struct str value = name.n == 0 ? STR_NONE : variable_get(s, name);
        if (value.p == NULL) {
            buf_char(&b, text.p[i]);
            continue;
        }
        buf_add(&b, value);
        i += name.n;
    }
    return b.n == 0 ? STR("") : buf_str(&b);
}

/* --- matching --------------------------------------------------------------------------------------------------- */

static bool matches(struct scenario *s, const struct json *want, const struct json *got,
                    const char *where);

static struct str scalar(struct scenario *s, const struct json *j)
{
    switch (j->kind) {
    case J_TEXT:
        return j->text;
    case J_INTEGER:
        return str_printf(s->arena, "%" PRId64, j->integer);
    case J_BOOL:
        return j->boolean ? STR("true") : STR("false");
    case J_NULL:
        return STR("null");
    case J_REAL:
    case J_LIST:
    case J_OBJECT:
        break;
    }
    return STR("…");
}

static bool variable_matches(struct scenario *s, struct str name, const struct json *got,
                             const char *where)
{
    struct str value = variable_get(s, name);

    if (str_is(name, "absent")) {
        if (got != NULL)
            COMPLAIN(s, "%s should not be there", where);
        return got == NULL;
    }
    if (got == NULL || str_is(name, "any")) {
        if (got == NULL)
            COMPLAIN(s, "%s is missing", where);
        return got != NULL;
    }
    if (value.p == NULL)
        variable_set(s, name, scalar(s, got));
    else if (!str_eq(value, scalar(s, got)))
        COMPLAIN(s, "%s is %.*s, but $%.*s was %.*s", where, STR_FMT(scalar(s, got)), STR_FMT(name),
                 STR_FMT(value));
    return true;
}

static bool list_matches(struct scenario *s, const struct json *want, const struct json *got,
                         const char *where)
{
    bool good = want->n == got->n;

    if (!good)
        COMPLAIN(s, "%s has %zu items, should have %zu", where, got->n, want->n);
    for (size_t i = 0; i < want->n && good; i++)
        good = matches(s, &want->items[i], &got->items[i],
                       str_printf(s->arena, "%s[%zu]", where, i).p);
    return good;
}

static bool object_matches(struct scenario *s, const struct json *want, const struct json *got,
                           const char *where)
{
    bool good = true;

    for (size_t i = 0; i < want->n; i++) {
        struct str path = str_printf(s->arena, "%s.%.*s", where, STR_FMT(want->names[i]));
        good &= matches(s, &want->items[i], json_get(got, str_copy(s->arena, want->names[i]).p),
                        path.p);
    }
    return good;
}

static bool matches(struct scenario *s, const struct json *want, const struct json *got,
                    const char *where)
{
    if (want->kind == J_TEXT && str_starts(want->text, "$"))
        return variable_matches(s, str_cut(want->text, 1, want->text.n), got, where);
    if (got == NULL) {
        COMPLAIN(s, "%s is missing", where);
        return false;
    }
    if (want->kind == J_LIST && got->kind == J_LIST)
        return list_matches(s, want, got, where);
    if (want->kind == J_OBJECT && got->kind == J_OBJECT)
        return object_matches(s, want, got, where);
    bool good = want->kind == got->kind && str_eq(scalar(s, want), scalar(s, got));
    if (!good)
        COMPLAIN(s, "%s is %.*s, should be %.*s", where, STR_FMT(scalar(s, got)),
                 STR_FMT(scalar(s, want)));
    return good;
}

static bool json_matches(struct scenario *s, struct str expected, struct str reply)
{
    const char *why = NULL;
    const struct json *want = json_parse(s->arena, filled(s, expected), &why);

    if (want == NULL) {
        COMPLAIN(s, "what is expected is no JSON: %s", why);
        return false;
    }
    const struct json *got = json_parse(s->arena, reply, &why);
    if (got == NULL) {
        COMPLAIN(s, "the reply is no JSON");
        return false;
    }
    return matches(s, want, got, "reply");
}

static bool blames(struct scenario *s, struct str word, struct str reply)
{
    const char *why = NULL;
    const struct json *got = json_parse(s->arena, reply, &why);
    struct str code = got == NULL ? STR_NONE : json_text(got, "code");
    struct str field = got == NULL ? STR_NONE : json_text(got, "field");

    if (str_eq(word, code) || str_eq(word, field))
        return true;
    COMPLAIN(s, "the problem is %.*s, blaming \"%.*s\"; should be %.*s", STR_FMT(code),
             STR_FMT(field), STR_FMT(word));
    return false;
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static void plain_send(void *context, struct stage *s, int line, struct http_call *h, bool waits)
{
    (void)context, (void)line;
    if (waits)
        stage_call_waiting(s, h);
    else
        server_call(s->server, s->arena, h);
}

static void plain_due(void *context, struct stage *s, int line)
{
    (void)context, (void)line;
    stage_jobs(s);
}

static const struct scenario_driver plain_driver = { plain_send, plain_due, NULL };

static void send_call(struct scenario *s, struct http_call *h, bool waits)
{
    s->driver->call(s->driver->context, s->stage, s->line, h, waits);
}

static struct http_call plain_call(struct scenario *s, struct str token, const char *method,
                                   const char *target, struct str body)
{
    struct http_call h = {
        .method = method, .target = str_of(target), .token = token, .body = body
    };

    send_call(s, &h, false);
    return h;
}

static struct str member(struct scenario *s, struct str reply, const char *name)
{
    const char *why = NULL;
    const struct json *j = json_parse(s->arena, reply, &why);

    return j == NULL ? STR_NONE : json_text(j, name);
}

static struct str sign_up(struct scenario *s, struct str name)
{
    struct str body =
        str_printf(s->arena,
                   "{\"email\":\"%.*s@example.org\",\"password\":\"correct horse %.*s "
                   "staple\",\"name\":\"%.*s\"}",
                   STR_FMT(name), STR_FMT(name), STR_FMT(name));
    struct http_call made = plain_call(s, STR_NONE, "POST", "/v1/accounts", body);

    if (made.status != 201)
        COMPLAIN(s, "%.*s cannot sign up: %d %.*s", STR_FMT(name), made.status,
                 STR_FMT(made.reply));
    body = str_printf(s->arena,
                      "{\"email\":\"%.*s@example.org\",\"password\":\"correct horse %.*s "
                      "staple\",\"kind\":\"bearer\"}",
                      STR_FMT(name), STR_FMT(name));
    struct http_call session = plain_call(s, STR_NONE, "POST", "/v1/sessions", body);
    if (session.status != 201)
        COMPLAIN(s, "%.*s cannot sign in: %d %.*s", STR_FMT(name), session.status,
                 STR_FMT(session.reply));
    variable_set(s, name, member(s, made.reply, "id"));
    return member(s, session.reply, "token");
}

static struct str token_of(struct scenario *s, struct str name)
{
    if (str_is(name, "nobody"))
        return STR_NONE;
    for (size_t i = 0; i < s->people_n; i++)
        if (str_eq(s->people[i].name, name))
            return s->people[i].token;
    must(s->people_n < PEOPLE_MAX);
    struct person *p = &s->people[s->people_n++];
    p->name = str_copy(s->arena, name);
    p->token = sign_up(s, name);
    return p->token;
}

static void check_same(struct scenario *s, struct str request, struct str reply, bool same)
{
    for (size_t i = 0; i < s->answers_n; i++) {
        if (!str_eq(s->answers[i].request, request))
            continue;
        if (same && !str_eq(s->answers[i].reply, reply))
            COMPLAIN(s, "not the same: %.*s, was %.*s", STR_FMT(reply),
                     STR_FMT(s->answers[i].reply));
        return;
    }
    if (same)
        COMPLAIN(s, "nothing was asked with this key before");
    must(s->answers_n < ANSWERS_MAX);
    s->answers[s->answers_n++] = (struct remembered) { request, str_copy(s->arena, reply) };
}

static void check_answer(struct scenario *s, const struct wish *w, const struct http_call *h)
{
    bool good = h->status == w->status;

    if (!good)
        COMPLAIN(s, "status is %d, should be %" PRId64, h->status, w->status);
    if (good && w->expected.n > 0 && (w->expected.p[0] == '{' || w->expected.p[0] == '['))
        good = json_matches(s, w->expected, h->reply);
    else if (good && w->expected.n > 0 && !str_is(w->expected, "same"))
        good = blames(s, w->expected, h->reply);
    if (!good)
        COMPLAIN(s, "%.*s %.*s answered %d %.*s", STR_FMT(w->method), STR_FMT(w->target), h->status,
                 STR_FMT(str_cut(h->reply, 0, 600)));
}

static struct str picture(struct scenario *s, struct str path)
{
    if (str_starts(path, FIXTURES "/"))
        fixtures_make();
    return fixture_read(s->arena, str_copy(s->arena, path).p);
}

static void ask_line(struct scenario *s, const struct wish *w)
{
    struct http_call h = { .method = str_copy(s->arena, w->method).p,
                           .token = token_of(s, w->who),
                           .type = w->type };

    h.target = filled(s, w->target); /* after the sign-up, which sets $who */
    h.body = w->file.p != NULL ? picture(s, w->file) : filled(s, w->body);
    if (w->key.p == NULL) {
        send_call(s, &h, w->file.p != NULL);
    } else {
        h.headers[h.headers_n++] = (struct header) { "Idempotency-Key", w->key };
        send_call(s, &h, true);
        if (h.status < 400)
            check_same(s,
                       str_printf(s->arena, "%.*s %.*s %.*s %.*s", STR_FMT(w->who),
                                  STR_FMT(w->method), STR_FMT(h.target), STR_FMT(w->key)),
                       h.reply, str_is(w->expected, "same"));
    }
    check_answer(s, w, &h);
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

static struct str word(struct str *rest)
{
    struct str w;

    *rest = str_trim(*rest);
    *rest = str_split(*rest, ' ', &w);
    if (rest->p == NULL)
        *rest = STR("");
    return w;
}

/* JSON up to its last bracket; the rest stays. */
static struct str json_word(struct str *rest)
{
    size_t depth = 0, i = 0;
    bool text = false;

    for (; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '"' && (i == 0 || rest->p[i - 1] != '\\'))
            text = !text;
        else if (!text && (c == '{' || c == '['))
            depth++;
        else if (!text && (c == '}' || c == ']') && --depth == 0)
            break;
    }
    struct str json = str_cut(*rest, 0, i + 1);
    *rest = str_cut(*rest, i + 1, rest->n);
    return json;
}

static bool take_options(struct scenario *s, struct wish *w, struct str *rest)
{
    for (;;) {
        *rest = str_trim(*rest);
        if (str_starts(*rest, "->")) {
            *rest = str_trim(str_cut(*rest, 2, rest->n));
            return true;
        }
        if (str_starts(*rest, "{") || str_starts(*rest, "[")) {
            w->body = json_word(rest);
            continue;
        }
        struct str name, option = word(rest), value = str_split(option, '=', &name);
        if (str_is(name, "key"))
            w->key = value;
        else if (str_is(name, "type"))
            w->type = value;
        else if (str_is(name, "file"))
            w->file = value;
        else {
            COMPLAIN(s, "this line is not understood at \"%.*s\"", STR_FMT(option));
            return false;
        }
    }
}

static void take_request(struct scenario *s, struct str who, struct str rest)
{
    struct wish w = { .who = who, .body = STR("") };

    w.method = word(&rest);
    w.target = word(&rest);
    if (!take_options(s, &w, &rest))
        return;
    struct str status = word(&rest);
    if (!str_int(status, &w.status)) {
        COMPLAIN(s, "\"%.*s\" is no status", STR_FMT(status));
        return;
    }
    rest = str_trim(rest);
    w.expected = str_starts(rest, "{") || str_starts(rest, "[") ? json_word(&rest) : word(&rest);
    if (str_starts(w.expected, "#"))
        w.expected = STR("");
    ask_line(s, &w);
}

static void take_clock(struct scenario *s, struct str by, bool business)
{
    int64_t n = 0, unit = 0;
    char last = by.n < 3 ? 0 : by.p[by.n - 1];

    if (last == 'd')
        unit = DAY;
    else if (last == 'h')
        unit = HOUR;
    else if (last == 'm')
        unit = MINUTE;
    if (by.p[0] != '+' || unit == 0 || !str_int(str_cut(by, 1, by.n - 2), &n))
        COMPLAIN(s, "+31d, +2h or +5m, not \"%.*s\"", STR_FMT(by));
    else if (!business)
        house_pass(s->stage->house, n * unit);
    else
        __atomic_add_fetch(&s->stage->house->env->clock.offset_us, n * unit, __ATOMIC_ACQ_REL);
    if (business && s->stage->bank != NULL)
        bank_pass(s->stage->bank, n * unit);
}

/* mail ana $token */
static void take_mail(struct scenario *s, struct str who, struct str name)
{
    struct str address = str_printf(s->arena, "%.*s@example.org", STR_FMT(who));
    struct house *h = s->stage->house;

    for (size_t i = h->mails_n; i-- > 0;) {
        const char *at = strstr(h->mails[i].text.p, "?token=");
        if (!str_eq(h->mails[i].to, address) || at == NULL)
            continue;
        size_t n = strcspn(at + 7, " \r\n");
        variable_set(s, str_cut(name, 1, name.n), (struct str) { at + 7, n });
        return;
    }
    COMPLAIN(s, "%.*s got no mail with a token", STR_FMT(who));
}

/* bank pay $page 4242424242424242 -> 303 $next */
static void take_bank(struct scenario *s, struct str rest)
{
    struct str what = word(&rest), location = STR_NONE;
    int64_t want = 0;

    if (str_is(what, "opens")) {
        stage_bank(s->stage);
        return;
    }
    REQUIRE(s->stage->bank != NULL);
    struct str url = filled(s, word(&rest)), how = word(&rest), arrow = word(&rest);
    if (!str_is(arrow, "->") || !str_int(word(&rest), &want)) {
        COMPLAIN(s, "bank pay $page 4242424242424242 -> 303");
        return;
    }
    int status = (str_is(what, "pay") ? bank_pay : bank_confirm)(s->stage->bank, s->arena, url, how,
                                                                 &location);
    if (status != want)
        COMPLAIN(s, "the bank answered %d, should be %" PRId64, status, want);
    struct str name = word(&rest);
    if (str_starts(name, "$"))
        variable_set(s, str_cut(name, 1, name.n), location);
}

/* What moved towards somebody so far, in minor units of whatever currency. */
struct moved {
    struct id who; /* none: the platform */
    int64_t amount;
};

static enum err moved_sum(struct call *c)
{
    struct moved *m = c->prepared;

    if (!id_some(m->who))
        return db_int(c, &m->amount,
                      "SELECT CAST(-coalesce(sum(e.amount), 0) AS INTEGER) FROM ledger_entry e"
                      " JOIN ledger_account a ON a.id = e.account"
                      " WHERE a.kind IN ('revenue_fee', 'tax')");
    return db_int(c, &m->amount,
                  "SELECT CAST((SELECT -coalesce(sum(e.amount), 0) FROM ledger_entry e"
                  "     JOIN ledger_account a ON a.id = e.account WHERE a.owner = $1)"
                  " - (SELECT coalesce(sum(gross), 0) FROM ledger_earning WHERE fan = $1)"
                  " AS INTEGER)",
                  m->who);
}

static int64_t moved_to(struct scenario *s, struct str who)
{
    struct arena a = { 0 };
    struct call c;
    struct moved m = { .amount = 0 };

    if (!str_is(who, "platform") && !id_parse(variable_get(s, who), "usr", &m.who)) {
        COMPLAIN(s, "nobody is called %.*s here", STR_FMT(who));
        return 0;
    }
    call_begin(&c, s->stage->house->env, &a);
    c.prepared = &m;
    CHECK_OK(exec_transaction(s->stage->house->env->exec, &c, READ, moved_sum));
    arena_done(&a);
    return m.amount;
}

/* fan -500 ana +400 platform +100 */
static void take_ledger(struct scenario *s, struct str rest)
{
    int64_t sum = 0, want = 0, before = 0;

    do {
        struct str who = word(&rest), by = word(&rest);
        struct str key = str_printf(s->arena, "ledger %.*s", STR_FMT(who));
        if (!str_int(str_starts(by, "+") ? str_cut(by, 1, by.n) : by, &want)) {
            COMPLAIN(s, "fan -500 ana +400 platform +100");
            return;
        }
        before = 0;
        str_int(variable_get(s, key), &before);
        int64_t now = moved_to(s, who);
        if (now - before != want)
            COMPLAIN(s, "%.*s got %" PRId64 ", should be %" PRId64, STR_FMT(who), now - before,
                     want);
        variable_put(s, key, str_printf(s->arena, "%" PRId64, now));
        sum += want;
    } while (rest.n > 0);
    if (sum != 0)
        COMPLAIN(s, "the line sums to %" PRId64 ": somebody is missing", sum);
}

static void take_line(struct scenario *s, struct str line)
{
    struct str rest = str_trim(line);

    if (rest.n == 0 || rest.p[0] == '#')
        return;
    struct str who = word(&rest);
    if (str_is(who, "clock") || str_is(who, "calendar")) {
        take_clock(s, word(&rest), str_is(who, "calendar"));
    } else if (str_is(who, "mail")) {
        struct str to = word(&rest);
        take_mail(s, to, word(&rest));
    } else if (str_is(who, "bank")) {
        take_bank(s, rest);
    } else if (str_is(who, "ledger")) {
        take_ledger(s, rest);
    } else {
        take_request(s, who, rest);
    }
    s->driver->due(s->driver->context, s->stage, s->line);
}

/* --- a file ----------------------------------------------------------------------------------------------------- */

static struct scenario *scenario_open(const char *engine)
{
    struct scenario *s = calloc(1, sizeof(*s));

    must(s != NULL);
    s->stage = stage_open(engine);
    s->arena = s->stage->arena;
    s->driver = &plain_driver;
    return s;
}

static void scenario_close(struct scenario *s)
{
    stage_close(s->stage);
    free(s);
}

void scenario_play(const char *file, const char *engine, const struct scenario_driver *driver)
{
    struct scenario *s = scenario_open(engine);
    struct str rest = fixture_read(s->arena, file), line;

    if (driver != NULL)
        s->driver = driver;
    s->file = file;
    while (rest.p != NULL) {
        s->line++;
        rest = str_split(rest, '\n', &line);
        take_line(s, line);
    }
    scenario_close(s);
}

/* --- a test for each -------------------------------------------------------------------------------------------- */

enum { FOUND_MAX = 500 };
static struct {
    struct unit_test test;
    char name[100], path[200];
} found_files[FOUND_MAX];
static size_t found_n;

static void add_test(struct unit_test test, const char *path, const char *prefix,
                     const char *engine)
{
    const char *base = strrchr(path, '/') + 1;

    must(found_n < FOUND_MAX);
    snprintf(found_files[found_n].path, sizeof(found_files[0].path), "%s", path);
    snprintf(found_files[found_n].name, sizeof(found_files[0].name), "%s_%.*s_on_%s", prefix,
             (int)strcspn(base, "."), base, engine);
    test.name = found_files[found_n].name;
    test.file = found_files[found_n].path;
    test.line = 1;
    found_files[found_n].test = test;
    unit_register(&found_files[found_n++].test);
}

void scenario_tests(const char *pattern, const char *prefix, struct unit_test test)
{
    glob_t found;

    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        add_test(test, found.gl_pathv[i], prefix, "sqlite");
        add_test(test, found.gl_pathv[i], prefix, "postgres");
    }
    globfree(&found);
}

const char *scenario_engine(void)
{
    return strstr(unit_this()->name, "_on_postgres") != NULL ? "postgres" : "sqlite";
}

static void run_file(void)
{
    scenario_play(unit_this()->file, scenario_engine(), NULL);
}

__attribute__((constructor)) static void find_scenarios(void)
{
    static const char *const patterns[] = { "src/services/*/*.scenario", "src/server/*.scenario",
                                            "test/*.scenario" };

    for (size_t i = 0; i < COUNT(patterns); i++)
        scenario_tests(patterns[i], "scenario",
                       (struct unit_test) { .seconds = 60, .run = run_file });
}
