/* file.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/file.h"
#include "server/answer.h"
#include "server/state.h"

#include <inttypes.h>
#include <sys/stat.h>

/* Digits only; none is -1. False for anything else, and for more than 18 digits. */
static bool number(struct str s, int64_t *result)
{
    *result = s.n == 0 ? -1 : 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || s.n > 18)
            return false;
        *result = *result * 10 + (s.p[i] - '0');
    }
    return true;
}

enum range range_of(struct str text, int64_t size, int64_t *from, int64_t *length)
{
    struct str first, last;
    int64_t a, b;

    if (!str_starts(text, "bytes="))
        return RANGE_NONE;
    last = str_split(str_trim(str_cut(text, 6, text.n)), '-', &first);
    if (last.p == NULL || !number(first, &a) || !number(last, &b) || (a < 0 && b < 0))
        return RANGE_NONE;
    if (a < 0) { /* the last b bytes */
        a = b < size ? size - b : 0;
        b = size - 1;
    } else if (b >= 0 && b < a) {
        return RANGE_NONE;
    }
    if (a >= size)
        return RANGE_BAD;
    if (b < 0 || b >= size)
        b = size - 1;
    *from = a;
    *length = b - a + 1;
    return RANGE_PART;
}

/* If-Range: only the very file that the client has a part of is continued. */
static bool range_applies(const struct request *r, struct str etag)
{
    struct str condition = r->known[KNOWN_IF_RANGE];

    return r->known[KNOWN_RANGE].p != NULL && (condition.p == NULL || str_eq(condition, etag));
}

static void no_body(struct request *r)
{
    if (r->answer.fd >= 0)
        close(r->answer.fd);
    r->answer.fd = -1;
}

static void whole_or_part(struct request *r, int64_t size, struct str etag)
{
    struct answer *a = &r->answer;
    enum range range = RANGE_NONE;

    a->length = size;
    if (a->status == 200 && range_applies(r, etag))
        range = range_of(r->known[KNOWN_RANGE], size, &a->from, &a->length);
    if (range == RANGE_PART) {
        a->status = 206;
        answer_header(r, "Content-Range",
                      str_printf(&r->arena, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, a->from,
                                 a->from + a->length - 1, size));
    }
    if (range == RANGE_BAD) {
        no_body(r);
        fail_field(&r->call, E_NO_SUCH_PART, "Range", "The file has %" PRId64 " bytes.", size);
        answer_problem(r, E_NO_SUCH_PART);
        answer_header(r, "Content-Range", str_printf(&r->arena, "bytes */%" PRId64, size));
    }
}

/* The whole of it, for those who ask again. */
static bool keep_file(struct request *r, struct str name, int64_t size)
{
    const struct answer *a = &r->answer;
    struct hot_file *file = a->status == 200 && size > 0
                                ? hot_ask(r->server->hot, name, a->fd, size, r->began_us)
                                : NULL;
    bool kept =
        file != NULL && answer_keep(r, shared_make_file(a->status, a->headers, a->headers_n, file));

    if (kept)
        no_body(r);
    return kept;
}

void answer_file(struct request *r, int status)
{
    struct reply *reply = &r->call.reply;
    struct stat st;
    struct str etag = STR_NONE;

    if (reply->etag.p != NULL)
        etag = str_printf(&r->arena, "\"%.*s\"", STR_FMT(reply->etag));
    if (answer_unmatched(r, etag))
        return;
    r->answer.status = status != 0 ? status : 200;
    r->answer.fd = reply->fd;
    reply->fd = -1;
    must(fstat(r->answer.fd, &st) == 0 && S_ISREG(st.st_mode));
    if (etag.p != NULL)
        answer_header(r, "ETag", etag);
    answer_header(r, "Content-Type", reply->type);
    answer_header(r, "Accept-Ranges", STR("bytes"));
    answer_header(r, "Cache-Control",
                  reply->cache.p != NULL ? reply->cache : STR("private, no-store"));
    answer_guarded(r, GUARDS_DATA);
    for (size_t i = 0; i < reply->headers_n; i++)
        answer_header(r, reply->headers[i].name, reply->headers[i].value);
    if (etag_listed(r->known[KNOWN_IF_NONE_MATCH], etag)) {
        r->answer.status = 304;
        no_body(r);
        return;
    }
    if (r->route->cached && !r->head && etag.p != NULL && !range_applies(r, etag) &&
        keep_file(r, reply->etag, st.st_size))
        return;
    whole_or_part(r, st.st_size, etag);
    if (r->answer.length == 0)
        no_body(r);
}
