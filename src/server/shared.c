/* shared.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/shared.h"

#include <microhttpd.h>

/* A body of its own belongs to the response, which may live longer than us: a connection still sends it. */
static struct MHD_Response *make(struct str body, bool own)
{
    union {
        const char *in;
        void *out; /* the library does not write into it, but its signature says so */
    } p = { .in = body.n == 0 ? "" : body.p };
    return MHD_create_response_from_buffer(body.n, p.out,
                                           own ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
}

static struct str copy(struct str body)
{
    char *p = malloc(body.n + 1);

    if (p == NULL)
        return STR_NONE;
    memcpy(p, body.n == 0 ? "" : body.p, body.n);
    p[body.n] = 0;
    return (struct str) { p, body.n };
}

/* Or NULL, and s is gone. */
static struct shared *dress(struct shared *s, const struct header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++) /* values of ours end in NUL: literals, or made by str_printf */
        if (MHD_add_response_header(s->response, headers[i].name, headers[i].value.p) != MHD_YES) {
            shared_drop(s);
            return NULL;
        }
    s->etag = str_of(MHD_get_response_header(s->response, "ETag"));
    return s;
}

struct shared *shared_make(int status, const struct header *headers, size_t n, struct str body,
                           bool body_lives)
{
    struct shared *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->refs = 1;
    s->status = status;
    s->body = body_lives ? body : copy(body);
    s->response = s->body.p == NULL ? NULL : make(s->body, !body_lives);
    if (s->response == NULL) {
        if (!body_lives)
            free((char *)(uintptr_t)s->body.p);
        free(s);
        return NULL;
    }
    return dress(s, headers, n);
}

static void let_go(void *file)
{
    hot_drop(file);
}

struct shared *shared_make_file(int status, const struct header *headers, size_t n,
                                struct hot_file *file)
{
    struct shared *s = calloc(1, sizeof(*s));
    struct MHD_Response *m = s == NULL ? NULL
                                       : MHD_create_response_from_buffer_with_free_callback_cls(
                                             file->n, file->bytes, let_go, file);

    if (m == NULL) {
        hot_drop(file);
        free(s);
        return NULL;
    }
    *s = (struct shared) { .refs = 1,
                           .status = status,
                           .body = { file->bytes, file->n },
                           .is_file = true,
                           .response = m };
    return dress(s, headers, n);
}

struct collected {
    struct arena *arena;
    struct header *list;
    size_t n, max;
};

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    struct collected *c = context;

    (void)kind;
    if (c->n == c->max)
        return MHD_NO;
    c->list[c->n++] =
        (struct header) { str_copy(c->arena, str_of(name)).p, str_copy(c->arena, str_of(value)) };
    return MHD_YES;
}

size_t shared_headers(const struct shared *s, struct arena *a, struct header *result, size_t max)
{
    struct collected c = { a, result, 0, max };

    MHD_get_response_headers(s->response, collect, &c);
    return c.n;
}

struct shared *shared_hold(struct shared *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void shared_drop(struct shared *s)
{
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    MHD_destroy_response(s->response);
    free(s);
}
