/* hall.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/hall.h"
#include "core/events.h"
#include "core/settings.h"
#include "core/start.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "test/record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <time.h>

/* --- a module that shows what the server does ------------------------------------------------------------------- */

struct thing_ref {
    int64_t n;
};
static const struct field thing_ref_fields[] = {
    INTEGER(thing_ref, n, "Which", .min = 1, .max = 1000),
};
STATIC_SHAPE(thing_ref);

struct thing_made {
    int64_t n, made;
};
static const struct field thing_made_fields[] = {
    INTEGER(thing_made, n, "Which", .max = 1000),
    INTEGER(thing_made, made, "How often an answer was made", .max = INT64_MAX),
};
STATIC_SHAPE(thing_made);

struct echo {
    struct str text;
};
static const struct field echo_fields[] = {
    TEXT(echo, text, "What is said", .max = 100000, .sample = "hello"),
};
STATIC_SHAPE(echo);

static struct id thing_id(int64_t n)
{
    return (struct id) { 7000000 + n };
}

static enum err cached(struct call *c)
{
    static int64_t made; /* atomic */
    int64_t n = PARAMS(c, thing_ref)->n;

    depends(c, thing_id(n));
    *OUT(c, thing_made) = (struct thing_made) { n, __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED) };
    return E_OK;
}

static enum err touched(struct call *c)
{
    touch(c, thing_id(PARAMS(c, thing_ref)->n));
    return E_OK;
}

static enum err file(struct call *c)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/ten", unit_dir());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, "0123456789", 10) == 10);
    reply_file(c, fd, STR("image/webp"), STR("ten"));
    c->reply.cache = STR("private, max-age=60");
    return E_OK;
}

/* Ten bytes. Its type says how often such a file was made. */
static enum err kept_file(struct call *c)
{
    static int64_t made; /* atomic */
    int64_t n = PARAMS(c, thing_ref)->n;
    int fd = memfd_create("kept", MFD_CLOEXEC);
    struct str text = str_printf(c->arena, "%010" PRId64, n);
    struct str type =
        str_printf(c->arena, "image/%" PRId64, __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED));

    depends(c, thing_id(n));
    must(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
    reply_file(c, fd, type, text);
    return E_OK;
}

static enum err hold(struct call *c)
{
    char path[300], one;

    (void)c;
    snprintf(path, sizeof(path), "%s/hold", unit_dir());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && read(fd, &one, 1) >= 0);
    close(fd);
    return E_OK;
}

static enum err slow(struct call *c)
{
    (void)c;
    sleep_ms(3000);
    return E_OK;
}

static enum err echoed(struct call *c)
{
    OUT(c, echo)->text = IN(c, echo)->text;
    return E_OK;
}

static enum err page(struct call *c)
{
    *OUT(c, page_head) = (struct page_head) { .title = STR("A <b> & \"c\""),
                                              .description = STR("About"),
                                              .image = STR("/media/x.webp"),
                                              .data = STR("{\"a\":\"</script>\"}"),
                                              .status = 200 };
    return E_OK;
}

static const struct event_kind shout_event = { .name = "hall.shout",
                                               .shape = &echo_shape,
                                               .doc = "Somebody shouted" };
static const struct event_kind *const events[] = { &shout_event };

static enum err shout(struct call *c)
{
    return event_add(c, &shout_event, c->who, IN(c, echo));
}

static const struct route routes[] = {
    { .method = GET,
      .path = "/t/cached/{n}",
      .run = cached,
      .summary = "Kept",
      .params = &thing_ref_shape,
      .out = &thing_made_shape,
      .auth = ANYONE,
      .tx = READ,
      .cached = true },
    { .method = POST,
      .path = "/t/touch/{n}",
      .run = touched,
      .summary = "Changed",
      .params = &thing_ref_shape,
      .auth = FAN,
      .tx = WRITE },
    { .method = GET,
      .path = "/t/file",
      .run = file,
      .summary = "A file",
      .auth = ANYONE,
      .tx = NONE,
      .wire = WIRE_RAW },
    { .method = GET,
      .path = "/t/kept/{n}",
      .run = kept_file,
      .summary = "A file that is kept",
      .params = &thing_ref_shape,
      .auth = ANYONE,
      .tx = READ,
      .wire = WIRE_RAW,
      .cached = true },
    { .method = GET,
      .path = "/t/hold",
      .run = hold,
      .summary = "Hold",
      .auth = ANYONE,
      .tx = NONE },
    { .method = POST,
      .path = "/t/slow",
      .run = slow,
      .summary = "Slow",
      .auth = ANYONE,
      .tx = WRITE },
    { .method = POST,
      .path = "/t/echo",
      .run = echoed,
      .summary = "Echo",
      .in = &echo_shape,
      .out = &echo_shape,
      .auth = ANYONE,
      .tx = NONE,
      .status = 201,
      .body_max = 200000 },
    { .method = POST,
      .path = "/t/pay",
      .run = echoed,
      .summary = "Pay",
      .in = &echo_shape,
      .out = &echo_shape,
      .auth = FAN,
      .tx = WRITE,
      .idempotent = true,
      .vital = true,
      .rate = { 60, 5 } },
    { .method = POST,
      .path = "/t/shout",
      .run = shout,
      .summary = "Shout",
      .in = &echo_shape,
      .auth = FAN,
      .tx = WRITE },
    { .method = GET,
      .path = "/t/page",
      .run = page,
      .summary = "Page",
      .out = &page_head_shape,
      .auth = ANYONE,
      .tx = NONE,
      .wire = WIRE_PAGE },
};
static const struct module hall_module = { "hall", MODULE_ROUTES(routes), MODULE_EVENTS(events) };

static const struct module *const modules[] = {
    &core_module,    &server_module,  &platform_module, &audit_module,
    &account_module, &session_module, &recovery_module, &hall_module,
};

enum { SETTINGS_MAX = 8 };

/* --- the hall --------------------------------------------------------------------------------------------------- */

static void sign_in(struct hall *h)
{
    hall_ask(h, STR_NONE, "POST", "/v1/accounts",
             "{\"email\":\"ana@example.org\",\"password\":\"correct horse battery "
             "staple\",\"name\":\"Ana\"}",
             NULL);
    int status = hall_ask(h, STR_NONE, "POST", "/v1/sessions",
                          "{\"email\":\"ana@example.org\",\"password\":\"correct horse battery "
                          "staple\",\"kind\":\"bearer\"}",
                          NULL);
    REQUIRE(status == 201);
    h->token = hall_member(h, "token");
    h->session = hall_member(h, "id");
}

struct hall *hall_open(const char *engine, const char *setting)
{
    struct hall *h = calloc(1, sizeof(*h));
    char *args[SETTINGS_MAX] = { (char *)(uintptr_t) "--account.quick_hash=true",
                                 (char *)(uintptr_t) "--http.port=0" };
    size_t args_n = 2;
    struct str why, one, rest = str_of(setting);

    must(h != NULL);
    h->house = house_open(engine, modules, COUNT(modules), NULL, NULL);
    h->arena = h->house->arena;
    while (rest.n > 0) {
        rest = str_split(rest, ' ', &one);
        must(args_n < SETTINGS_MAX);
        args[args_n++] = (char *)(uintptr_t)str_copy(h->arena, one).p;
    }
    REQUIRE(settings_load(h->arena, modules, COUNT(modules), STR_NONE, NULL, args, args_n,
                          &h->house->env->settings, &why));
    h->server = server_open(h->house->env);
    record_watch(h->server); /* its own routes, /t/…, are left out there */
    sign_in(h);
    return h;
}

void hall_close(struct hall *h)
{
    CHECK(server_close(h->server, 5));
    house_close(h->house);
    free(h);
}

int hall_ask(struct hall *h, struct str token, const char *method, const char *target,
             const char *body, const char *const *headers)
{
    h->call = (struct http_call) {
        .method = method, .target = str_of(target), .token = token, .body = str_of(body)
    };
    for (; headers != NULL && *headers != NULL; headers++) {
        struct str name, value = str_split(str_of(*headers), ':', &name);
        h->call.headers[h->call.headers_n++] =
            (struct header) { str_copy(h->arena, name).p, str_trim(value) };
    }
    server_call(h->server, h->arena, &h->call);
    return h->call.status;
}

struct str hall_member(struct hall *h, const char *name)
{
    const char *why = NULL;
    const struct json *j = json_parse(h->arena, h->call.reply, &why);
    const struct json *m = j == NULL ? NULL : json_get(j, name);

    if (m != NULL && m->kind == J_INTEGER)
        return str_printf(h->arena, "%lld", (long long)m->integer);
    return m == NULL ? STR_NONE : m->text;
}

struct str hall_header(struct hall *h, const char *name)
{
    return http_call_header(&h->call, name);
}
