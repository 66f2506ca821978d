/* request_fuzz.c -- whole requests without their socket: address, headers, cookie, origin, conditions, ranges, body; and what must be
 * true of any answer.
 *
 * An input is "METHOD TARGET", a header a line, an empty line and the body. The one who is signed in has the token "right". */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/request.h"
#include "core/start.h"
#include "server/server.h"
#include "test/fuzz.h"
#include "test/house.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLIC "http://127.0.0.1:8080" /* as the house has it */
#define TEN    "0123456789"

/* --- a server with something of everything -------------------------------------------------------------------------- */

struct echo {
    struct str text;
};
static const struct field echo_fields[] = {
    TEXT(echo, text, "What is said", .max = 1000),
};
STATIC_SHAPE(echo);

struct thing_path {
    struct id thing;
    struct str file;
};
static const struct field thing_path_fields[] = {
    ID(thing_path, thing, ID_POST, "Which"),
    TEXT(thing_path, file, "Its file", .min = 1, .max = 40),
};
STATIC_SHAPE(thing_path);

static enum err echoed(struct call *c)
{
    OUT(c, echo)->text = IN(c, echo)->text;
    return E_OK;
}

static enum err file(struct call *c)
{
    int fd = memfd_create("ten", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, TEN, sizeof(TEN) - 1) == sizeof(TEN) - 1);
    reply_file(c, fd, STR("image/webp"), STR("ten"));
    return E_OK;
}

static enum err thing(struct call *c)
{
    OUT(c, echo)->text = PARAMS(c, thing_path)->file;
    return E_OK;
}

static enum err page(struct call *c)
{
    *OUT(c, page_head) = (struct page_head) { .title = STR("A"), .status = 200 };
    return E_OK;
}

/* Last-Event-ID, as sse.c reads it. */
static enum err last_seen(struct call *c)
{
    struct str last = c->header(c, "Last-Event-ID");

    OUT(c, echo)->text = last.p == NULL ? STR("") : last;
    return E_OK;
}

static const struct route routes[] = {
    { POST, "/t/echo", echoed, "Echo", .in = &echo_shape, .out = &echo_shape, .auth = ANYONE,
      .tx = NONE, .status = 201, .body_max = 500 },
    { POST, "/t/own", echoed, "Echo", .in = &echo_shape, .out = &echo_shape, .auth = FAN,
      .tx = NONE },
    { GET, "/t/file", file, "A file", .auth = ANYONE, .tx = NONE, .wire = WIRE_RAW },
    { GET, "/t/seen", last_seen, "Last", .out = &echo_shape, .query = &page_query_shape,
      .auth = FAN, .tx = NONE },
    { GET, "/t/{thing}/{file}.webp", thing, "Thing", .params = &thing_path_shape,
      .out = &echo_shape, .auth = ANYONE, .tx = READ, .cached = true },
    { DELETE, "/t/{thing}/{file}.webp", thing, "Thing", .params = &thing_path_shape,
      .out = &echo_shape, .auth = CREATOR, .tx = NONE },
    { GET, "/t/page", page, "Page", .out = &page_head_shape, .auth = ANYONE, .tx = NONE,
      .wire = WIRE_PAGE },
};
static const struct module things_module = { "things", MODULE_ROUTES(routes) };
static const struct module *const list[] = { &core_module, &server_module, &platform_module,
                                             &things_module };

static enum err authenticate(struct call *c, struct str token, struct actor *result)
{
    (void)c;
    if (!str_is(token, "right"))
        return E_SIGNED_OUT;
    *result = (struct actor) { .account = { 7 }, .session = { 8 }, .verified = true };
    return E_OK;
}

static struct server *server(void)
{
    static struct server *s;

    if (s != NULL)
        return s;
    struct house *h =
        house_open("sqlite", list, COUNT(list), "--http.rates=false", "--http.port=0");
    h->env->authenticate = authenticate;
    s = server_open(h->env);
    return s;
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

enum { HEADERS_SENT = 110 };

struct sent {
    struct str method, target, body;
    struct line lines[HEADERS_SENT];
    size_t n;
};

/* The front lets no others through (front_fuzz.c). */
static bool is_line(struct line l)
{
    for (size_t i = 0; i < l.value.n; i++)
        if (((unsigned char)l.value.p[i] < ' ' && l.value.p[i] != '\t') || l.value.p[i] == 0x7f)
            return false;
    for (size_t i = 0; i < l.name.n; i++)
        if (l.name.p[i] <= ' ' || l.name.p[i] >= 0x7f ||
            strchr("\"(),/:;<=>?@[\\]{}", l.name.p[i]) != NULL)
            return false;
    return l.name.n > 0;
}

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"#<>\\^`{|}", s.p[i]) != NULL)
            return false;
    return str_starts(s, "/") || str_starts(s, "http://");
}

static struct sent read_input(struct str in, struct arena *a)
{
    struct sent s = { .n = 0 };
    struct str rest = in, line = fuzz_line(&rest, a), name;

    s.target = str_split(line, ' ', &s.method);
    s.target = is_target(s.target) ? s.target : STR("/");
    while (rest.n > 0) {
        line = fuzz_line(&rest, a);
        if (line.n == 0)
            break;
        struct str value = str_split(line, ':', &name);
        s.lines[s.n] = (struct line) { name, value.p == NULL ? STR("") : value };
        s.n += is_line(s.lines[s.n]) && s.n + 1 < HEADERS_SENT;
    }
    s.body = rest.p == NULL ? STR("") : fuzz_exact(a, rest);
    return s;
}

/* Whoever answers late wakes nobody here: every route of ours answers at once. */
static void wake(struct request *r)
{
    (void)r;
    must_failed("nothing is parked", __FILE__, __LINE__);
}

/* As much of the body as was asked for: what it says of its length, or all of it when it is chunked. */
static struct request *answered(const struct sent *s)
{
    struct request *r = request_new(server(), s->target, STR("127.0.0.1"));
    enum step step;

    r->wake = wake;
    for (size_t i = 0; i < s->n; i++)
        if (!request_line(r, s->lines[i].name, s->lines[i].value))
            break;
    request_begin(r, s->method);
    while ((step = request_go(r)) != STEP_ANSWER) {
        must(step == STEP_BODY);
        struct str body = r->chunked ? s->body : str_cut(s->body, 0, (size_t)r->length);
        if (request_body(r, body.p, body.n))
            request_body_end(r);
    }
    return r;
}

/* --- what was said, read naively ------------------------------------------------------------------------------------ */

/* Of several, where there may be several, the last counts. */
static struct str said(const struct sent *s, const char *name)
{
    for (size_t i = s->n; i > 0; i--) {
        const struct line *l = &s->lines[i - 1];
        if (l->name.n == strlen(name) && strncasecmp(l->name.p, name, l->name.n) == 0)
            return str_trim(l->value);
    }
    return STR_NONE;
}

static bool is_signed_in(const struct sent *s, bool *by_cookie)
{
    struct str authorization = said(s, "authorization"), cookies = said(s, "cookie"), one;

    *by_cookie = false;
    if (authorization.n > 7 && strncasecmp(authorization.p, "bearer ", 7) == 0)
        return str_is(str_trim(str_cut(authorization, 7, authorization.n)), "right");
    while (cookies.n > 0) {
        cookies = str_split(cookies, ';', &one);
        one = str_trim(one);
        if (str_starts(one, "sid=") && one.n > 4) {
            *by_cookie = str_is(one, "sid=right");
            return *by_cookie;
        }
    }
    return false;
}

static bool is_same_site(const struct sent *s, struct arena *a)
{
    struct str site = said(s, "sec-fetch-site"), origin = said(s, "origin"), host = said(s, "host");

    if (site.p != NULL)
        return str_is(site, "same-origin") || str_is(site, "none");
    return str_is(origin, PUBLIC) || str_eq(origin, str_printf(a, "http://%.*s", STR_FMT(host)));
}

/* --- claims --------------------------------------------------------------------------------------------------------- */

static struct str header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->answer.headers_n; i++)
        if (strcasecmp(r->answer.headers[i].name, name) == 0)
            return r->answer.headers[i].value;
    return STR_NONE;
}

static void check_headers(const struct request *r)
{
    for (size_t i = 0; i < r->answer.headers_n; i++) {
        struct str v = r->answer.headers[i].value;
        for (size_t k = 0; k < v.n; k++)
            HOLDS((unsigned char)v.p[k] >= ' ' && v.p[k] != 0x7f);
    }
    HOLDS(r->answer.status >= 200 && r->answer.status <= 599);
    HOLDS(r->answer.shared != NULL || header(r, "X-Content-Type-Options").p != NULL);
    HOLDS(r->answer.status != 405 || header(r, "Allow").p != NULL);
    HOLDS(r->answer.status != 401 || header(r, "WWW-Authenticate").p != NULL);
}

static void check_problem(const struct request *r, struct arena *a)
{
    const char *why;
    const struct json *j = json_parse(a, r->answer.body, &why);

    HOLDS(j != NULL && json_number(j, "status", 0) == r->answer.status);
    HOLDS(json_text(j, "code").n > 0 && json_text(j, "title").n > 0);
    HOLDS(json_text(j, "request").n > 0);
}

/* Who was let in, and from where. */
static void check_rights(const struct request *r, const struct sent *s, struct arena *a)
{
    bool by_cookie, in = is_signed_in(s, &by_cookie), good = r->answer.status < 300;

    if (r->route == NULL)
        return;
    HOLDS(!good || r->route->auth == ANYONE || in);
    HOLDS(r->route->auth != CREATOR || !good);
    HOLDS(id_some(r->call.who) == in || r->call.problem.code != E_OK);
    if (r->method != GET && good && said(s, "authorization").p == NULL)
        HOLDS(is_same_site(s, a) ||
              (!by_cookie && said(s, "origin").p == NULL && said(s, "sec-fetch-site").p == NULL));
    struct str key = said(s, "idempotency-key");
    HOLDS(r->method == GET || !good || key.p == NULL ||
          (key.n > 0 && key.n < 256 && memchr(key.p, ' ', key.n) == NULL));
}

static void check_file(const struct request *r, const struct sent *s, struct arena *a)
{
    struct str range = header(r, "Content-Range"), etag = said(s, "if-range");
    int status = r->answer.status;

    HOLDS(status == 200 || status == 206 || status == 304 || status == 416);
    HOLDS((status == 206 || status == 416) == (range.p != NULL));
    if (status == 200)
        HOLDS(r->answer.from == 0 && r->answer.length == 10);
    if (status == 206 || status == 416)
        HOLDS(said(s, "range").p != NULL && (etag.p == NULL || str_is(etag, "\"ten\"")));
    if (status == 206)
        HOLDS(str_eq(range, str_printf(a, "bytes %d-%d/10", (int)r->answer.from,
                                       (int)(r->answer.from + r->answer.length - 1))) &&
              r->answer.length > 0 && r->answer.from + r->answer.length <= 10);
    HOLDS((r->answer.fd >= 0) == (status < 300));
}

static void check_echo(const struct request *r, const struct sent *s, struct arena *a)
{
    const char *why;
    struct str body =
        r->chunked ? s->body : str_cut(s->body, 0, (size_t)(r->length < 0 ? 0 : r->length));
    const struct json *in = json_parse(a, body, &why), *out = json_parse(a, r->answer.body, &why);

    HOLDS(in != NULL && out != NULL && in->n == 1);
    HOLDS(str_eq(json_text(in, "text"), json_text(out, "text")));
    HOLDS(body.n <= 65536);
}

/* A handler gets a header as it came. */
static void check_seen(const struct request *r, const struct sent *s, struct arena *a)
{
    const char *why;
    struct str seen = json_text(json_parse(a, r->answer.body, &why), "text"),
               sent = said(s, "last-event-id");

    HOLDS(str_eq(seen, sent.p == NULL ? STR("") : sent) || !str_is_utf8(sent));
}

FUZZ(request)
{
    struct sent s = read_input(in, a);

    if (memmem(s.target.p, s.target.n, "/readyz", 7) !=
        NULL) /* it writes, and waits for the disk */
        return;
    struct request *r = answered(&s);
    struct str type = header(r, "Content-Type");

    check_headers(r);
    check_rights(r, &s, a);
    if (str_is(type, "application/problem+json"))
        check_problem(r, a);
    else if (r->answer.status < 300)
        fuzz_taken();
    HOLDS(r->answer.status < 500 || r->answer.status == 501 || r->answer.status == 503);
    HOLDS(r->answer.status != 304 || (r->method == GET && said(&s, "if-none-match").n > 0));
    if (r->route != NULL && r->route->run == file && r->answer.status < 417 && type.p != NULL &&
        !str_starts(type, "application/"))
        check_file(r, &s, a);
    if (r->route != NULL && r->route->run == echoed && r->answer.status < 300)
        check_echo(r, &s, a);
    if (r->route != NULL && r->route->run == last_seen && r->answer.status == 200)
        check_seen(r, &s, a);
    request_sent(r, r->answer.status);
    request_free(r);
}
