/* record.c -- a file a process, so that tests that run at the same time do not mix their lines; a line is one write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/record.h"
#include "base/json.h"
#include "test/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 20 };

/* Bytes that are no text are left out: the contract speaks of JSON. */
static void put_body(struct json_out *o, const char *name, struct str body)
{
    bool text = body.p != NULL && body.n <= BODY_MAX && str_is_utf8(body);

    json_str(o, name, text ? body : STR_NONE);
}

static void put_headers(struct json_out *o, const struct http_call *h)
{
    json_name(o, STR("headers"));
    json_open(o, '{');
    for (size_t i = 0; i < h->reply_headers_n; i++)
        json_str(o, h->reply_headers[i].name, h->reply_headers[i].value);
    json_close(o, '}');
}

static void put_answer(struct json_out *o, const struct http_call *h, const struct route *r)
{
    json_str(o, "method", str_of(h->method));
    json_str(o, "target", h->target);
    json_str(o, "route", r == NULL ? STR_NONE : str_of(r->path));
    json_bool(o, "page", r != NULL && r->wire == WIRE_PAGE);
    put_body(o, "sent", h->body);
    json_int(o, "status", h->status);
    json_str(o, "type", h->reply_type);
    put_headers(o, h);
    put_body(o, "reply", h->reply);
}

static const char *folder(void)
{
    const char *name = getenv("STAGEDOOR_RECORD");

    return name == NULL || name[0] == 0 ? NULL : name;
}

static void write_line(struct arena *a, struct buf *b)
{
    buf_char(b, '\n');
    struct str line = buf_str(b);
    int fd = open(str_printf(a, "%s/%d.jsonl", folder(), (int)getpid()).p,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    must(fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n);
    close(fd);
}

static void keep(void *context, const struct http_call *h, const struct route *r)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct json_out o = { .buf = &b };

    (void)context;
    json_open(&o, '{');
    put_answer(&o, h, r);
    json_close(&o, '}');
    write_line(&a, &b);
    arena_done(&a);
}

void record_watch(struct server *s)
{
    if (folder() != NULL)
        server_watch(s, keep, NULL);
}

void record_stream(struct str text)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct json_out o = { .buf = &b };

    if (folder() != NULL) {
        json_open(&o, '{');
        json_str(&o, "stream", text);
        json_close(&o, '}');
        write_line(&a, &b);
    }
    arena_done(&a);
}
