/* record.c -- a file a process, so that tests that run at the same time do not mix their lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/record.h"
#include "base/json.h"
#include "test/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 20 };

/* Bytes that are no text are left out: the contract speaks of JSON. */
static void put_body(struct json_out *o, const char *name, struct str body)
{
    bool text = body.p != NULL && body.n <= BODY_MAX && str_is_utf8(body);

    json_str(o, name, text ? body : STR_NONE);
}

static struct str line_of(struct arena *a, const struct http_call *h)
{
    struct buf b = { .arena = a };
    struct json_out o = { .buf = &b };

    json_open(&o, '{');
    json_str(&o, "method", str_of(h->method));
    json_str(&o, "target", h->target);
    put_body(&o, "sent", h->body);
    json_int(&o, "status", h->status);
    json_str(&o, "type", h->reply_type);
    put_body(&o, "reply", h->reply);
    json_close(&o, '}');
    buf_char(&b, '\n');
    return buf_str(&b);
}

void record_call(struct server *s, struct arena *a, struct http_call *h)
{
    const char *folder = getenv("STAGEDOOR_RECORD");

    server_call(s, a, h);
    if (folder == NULL || folder[0] == 0)
        return;
    struct str line = line_of(a, h);
    FILE *f = fopen(str_printf(a, "%s/%d.jsonl", folder, (int)getpid()).p, "a");
    REQUIRE(f != NULL);
    REQUIRE(fwrite(line.p, 1, line.n, f) == line.n);
    fclose(f);
}
