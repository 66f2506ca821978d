/* stage.c -- see stage.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/stage.h"
#include "core/settings.h"
#include "modules.h"
#include "sys/disk.h"
#include "sys/images_jailed.h"
#include "test/fault.h"
#include "test/record.h"

#include <inttypes.h>
#include <pthread.h>

/* --- opening ---------------------------------------------------------------------------------------------------- */

struct stage *stage_open(const char *engine)
{
    return stage_open_modules(engine, modules, modules_n);
}

struct stage *stage_open_modules(const char *engine, const struct module *const *all, size_t n)
{
    static const char *const settings[] = { "--account.quick_hash=true", "--http.rates=false",
                                            "--account.admin_email=admin@example.org",
                                            "--http.port=0" };
    struct house *h = house_open(engine, all, n, settings[0], NULL);
    struct stage *s = calloc(1, sizeof(*s));
    char *args[COUNT(settings)];
    struct str why;

    must(s != NULL);
    s->house = h;
    s->arena = h->arena;
    for (size_t i = 0; i < COUNT(settings); i++)
        args[i] = arena_copy(s->arena, settings[i], strlen(settings[i]) + 1);
    REQUIRE(settings_load(s->arena, all, n, STR_NONE, NULL, args, COUNT(args), &h->env->settings,
                          &why));
    h->env->blobs = disk_open(str_printf(s->arena, "%s/blobs", unit_dir()), h->env->log);
    REQUIRE(h->env->blobs != NULL);
    if (engine_wrap != NULL)
        h->env->blobs = fault_blobs(h->env->blobs);
    h->env->images = images_jailed_open(
        h->env->blobs, str_printf(s->arena, "%s/scratch", unit_dir()), NULL, h->env->log);
    REQUIRE(h->env->images != NULL);
    s->server = server_open(h->env);
    if (all == modules) /* others have routes of which the document knows nothing */
        record_watch(s->server);
    return s;
}

void stage_close(struct stage *s)
{
    struct images *images = s->house->env->images;
    struct blobs *blobs = s->house->env->blobs;

    CHECK(server_close(s->server, 5));
    if (s->bank != NULL)
        bank_close(s->bank);
    house_close(s->house);
    images->close(images);
    blobs->ops->close(blobs);
    free(s);
}

void stage_bank(struct stage *s)
{
    must(s->bank == NULL);
    s->bank = bank_open(s->house, s->server);
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

void stage_jobs(struct stage *s)
{
    if (s->bank != NULL)
        bank_jobs(s->bank, s->house);
    else
        house_jobs(s->house);
}

void stage_call(struct stage *s, struct http_call *h)
{
    server_call(s->server, s->arena, h);
    stage_jobs(s);
}

/* What the answer waits for runs here meanwhile. */
struct helper {
    struct house *house;
    bool stop; /* atomic */
};

static void *help(void *arg)
{
    struct helper *h = arg;
    struct timespec pause = { 0, 2000000 };

    while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
        house_jobs(h->house);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

void stage_call_waiting(struct stage *s, struct http_call *h)
{
    struct helper helper = { .house = s->house };
    pthread_t thread;

    must(pthread_create(&thread, NULL, help, &helper) == 0);
    server_call(s->server, s->arena, h);
    __atomic_store_n(&helper.stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    stage_jobs(s);
}

static void add_key(struct stage *s, struct http_call *h)
{
    struct str key = str_printf(s->arena, "stage-%d", ++s->keys);

    h->headers[h->headers_n++] = (struct header) { "Idempotency-Key", key };
}

struct http_call stage_ask(struct stage *s, struct str token, const char *method, const char *path,
                           const char *body)
{
    struct http_call h = { .method = method,
                           .target = str_of(path),
                           .token = token,
                           .body = body == NULL ? STR("") : str_of(body) };

    if (strcmp(method, "GET") == 0) {
        server_call(s->server, s->arena, &h);
        return h;
    }
    add_key(s, &h);
    stage_call_waiting(s, &h);
    return h;
}

struct str stage_must(struct stage *s, struct str token, const char *method, const char *path,
                      const char *body, int status)
{
    struct http_call h = stage_ask(s, token, method, path, body);

    if (h.status != status)
        FAIL("%s %s answered %d, should be %d: %.*s", method, path, h.status, status,
             STR_FMT(h.reply));
    REQUIRE(h.status == status);
    return h.reply;
}

struct str stage_sign_up(struct stage *s, const char *name)
{
    struct str body = str_printf(
        s->arena,
        "{\"email\":\"%s@example.org\",\"password\":\"correct horse %s staple\",\"name\":\"%s\"}",
        name, name, name);

    stage_must(s, STR_NONE, "POST", "/v1/accounts", body.p, 201);
    body = str_printf(s->arena,
                      "{\"email\":\"%s@example.org\",\"password\":\"correct horse %s staple\","
                      "\"kind\":\"bearer\"}",
                      name, name);
    return stage_member(s, stage_must(s, STR_NONE, "POST", "/v1/sessions", body.p, 201), "token");
}

struct http_call stage_upload(struct stage *s, struct str token, const char *purpose,
                              const char *file)
{
    struct str path = str_printf(s->arena, "%s/%s", FIXTURES, file);
    struct http_call h = { .method = "POST", .token = token, .type = STR("image/jpeg") };

    h.target = str_printf(s->arena, "/v1/media?purpose=%s&filename=%s", purpose, file);
    h.body = fixture_read(s->arena, path.p);
    add_key(s, &h);
    stage_call_waiting(s, &h);
    return h;
}

struct str stage_member(struct stage *s, struct str reply, const char *path)
{
    const char *why = NULL;
    const struct json *j = json_parse(s->arena, reply, &why);
    struct str rest = str_of(path), name;
    int64_t i;

    while (j != NULL && rest.p != NULL) {
        rest = str_split(rest, '.', &name);
        if (j->kind == J_LIST)
            j = str_int(name, &i) && i >= 0 && (size_t)i < j->n ? &j->items[i] : NULL;
        else
            j = json_get(j, str_copy(s->arena, name).p);
    }
    if (j == NULL || j->kind == J_NULL)
        return STR_NONE;
    if (j->kind == J_BOOL)
        return j->boolean ? STR("true") : STR("false");
    if (j->kind == J_INTEGER)
        return str_printf(s->arena, "%" PRId64, j->integer);
    return j->kind == J_TEXT ? j->text : str_printf(s->arena, "%zu items", j->n);
}
