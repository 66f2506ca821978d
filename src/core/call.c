/* call.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call.h"
#include "core/env.h"
#include "core/revisions.h"

#include <string.h>
#include <unistd.h>

const char *const role_names[] = { "user", "moderator", "admin", NULL };

static const struct shape *declared_in(const struct call *c)
{
    return c->route != NULL ? c->route->in : c->job_kind != NULL ? c->job_kind->in : NULL;
}

const void *call_in(const struct call *c, const struct shape *s)
{
    const struct shape *declared = declared_in(c);

    must(c->in != NULL && (declared == NULL || declared == s));
    return c->in;
}

const void *call_params(const struct call *c, const struct shape *s)
{
    must(c->params != NULL && c->route != NULL && c->route->params == s);
    return c->params;
}

const void *call_query(const struct call *c, const struct shape *s)
{
    must(c->query != NULL && c->route != NULL && c->route->query == s);
    return c->query;
}

void *call_out(struct call *c, const struct shape *s)
{
    must(c->route != NULL && c->route->out == s);
    if (c->out == NULL)
        c->out = arena_alloc(c->arena, s->size);
    return c->out;
}

enum err fail(struct call *c, enum err e, const char *detail, ...)
{
    va_list args;

    c->problem = (struct problem) { .code = e, .retry_after = c->problem.retry_after };
    if (detail != NULL) {
        va_start(args, detail);
        c->problem.detail = str_vprintf(c->arena, detail, args);
        va_end(args);
    }
    return e;
}

enum err fail_field(struct call *c, enum err e, const char *field, const char *detail, ...)
{
    va_list args;

    c->problem = (struct problem) { .code = e, .field = str_of(field) };
    if (detail != NULL) {
        va_start(args, detail);
        c->problem.detail = str_vprintf(c->arena, detail, args);
        va_end(args);
    }
    return e;
}

static void page_encode(struct call *c, struct json_out *o)
{
    const struct shape *s = c->route->items;

    buf_room(o->buf, 256 + c->page.n * s->size * 4); /* a guess; it grows */
    json_open(o, '{');
    json_name(o, STR("items"));
    json_open(o, '[');
    for (size_t i = 0; i < c->page.n; i++)
        shape_encode(s, (const char *)c->page.v + i * s->size, o);
    json_close(o, ']');
    json_str(o, "next", c->page.next);
    json_close(o, '}');
}

void call_encode(struct call *c)
{
    struct buf b = { .arena = c->arena };
    struct json_out o = { .buf = &b };

    if (c->route == NULL || c->reply.body.p != NULL || c->reply.fd >= 0)
        return;
    if (c->route->items != NULL)
        page_encode(c, &o);
    else if (c->route->out != NULL && c->out != NULL)
        shape_encode(c->route->out, c->out, &o);
    else
        return;
    c->reply.body = buf_str(&b);
    c->reply.type = STR("application/json");
}

void call_reset(struct call *c)
{
    if (c->reply.fd >= 0)
        close(c->reply.fd);
    c->out = NULL;
    c->page = (struct page) { 0 };
    c->reply = (struct reply) { .fd = -1 };
    c->problem = (struct problem) { 0 };
    c->touched_n = 0;
    c->depends_n = 0;
    c->depends_until = (struct when) { 0 };
    c->awaited = ID_NONE;
    c->woke_jobs = c->woke_events = c->replayed = false;
}

struct id new_id(struct call *c)
{
    return id_make(&c->env->ids, env_real_now(c->env).us / 1000);
}

struct str new_token(struct call *c)
{
    unsigned char b[32];

    c->env->random(b, sizeof(b));
    return base64url_print(c->arena, b, sizeof(b));
}

void reply_bytes(struct call *c, int status, struct str type, struct str body)
{
    c->reply.status = status;
    c->reply.type = type;
    c->reply.body = body;
    c->reply.fd = -1;
}

void reply_file(struct call *c, int fd, struct str type, struct str etag)
{
    must(fd >= 0);
    c->reply.fd = fd;
    c->reply.type = type;
    c->reply.etag = etag;
}

void reply_header(struct call *c, const char *name, struct str value)
{
    must(c->reply.headers_n < REPLY_HEADERS_MAX);
    c->reply.headers[c->reply.headers_n++] = (struct header) { name, value };
}

static void touch_slot(struct call *c, uint32_t slot)
{
    if (c->touched_n < CALL_TOUCHED_MAX)
        c->touched[c->touched_n] = slot;
    c->touched_n++; /* past the end: everything (see exec.c) */
}

void touch(struct call *c, struct id id)
{
    touch_slot(c, revision_slot(id));
}

void touch_actor(struct call *c, struct id account)
{
    touch(c, account);
    touch_slot(c, revision_actor_slot(account));
}

void depends(struct call *c, struct id id)
{
    if (!c->depends_on)
        return;
    if (c->depends_n == c->depends_size) {
        size_t size = c->depends_size == 0 ? 64 : c->depends_size * 2;
        uint32_t *more = arena_array(c->arena, uint32_t, size);
        if (c->depends_n > 0)
            memcpy(more, c->depends, c->depends_n * sizeof(*more));
        c->depends = more;
        c->depends_size = size;
    }
    c->depends[c->depends_n++] = revision_slot(id);
}

void depends_until(struct call *c, struct when end)
{
    if (c->depends_until.us == 0 || end.us < c->depends_until.us)
        c->depends_until = end;
}
