/* render.c -- objects as JSON, and which of their references are written out (expand[]). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/api.h"
#include "base/check.h"

#include <string.h>

void render_begin(struct render *r, struct call *c)
{
    *r = (struct render) { .c = c, .buf = { .arena = c->arena }, .path = STR("") };
    r->o.buf = &r->buf;
}

/* "a.b" asks for a too. */
static bool asks_for(struct str asked, struct str path, const char *name)
{
    size_t n = strlen(name);

    if (!str_eq(str_cut(asked, 0, path.n), path))
        return false;
    asked = str_cut(asked, path.n, asked.n);
    return str_starts(asked, name) && (asked.n == n || asked.p[n] == '.');
}

bool render_wants(struct render *r, const char *name)
{
    struct api *p = api_of(r->c);
    size_t whole = r->path.n + strlen(name);
    bool wants = false;

    for (size_t i = 0; !r->plain && p != NULL && i < p->expand_n; i++) {
        if (!asks_for(p->expand[i], r->path, name))
            continue;
        wants = true;
        p->expanded[i] |= p->expand[i].n == whole;
    }
    return wants;
}

/* What is behind a reference that is not there cannot be said to be missing. */
static void all_below(struct render *r, const char *name)
{
    struct api *p = api_of(r->c);

    for (size_t i = 0; p != NULL && i < p->expand_n; i++)
        p->expanded[i] |= asks_for(p->expand[i], r->path, name);
}

enum err render_ref(struct render *r, const char *name, struct str id, renderer *of)
{
    struct str path = r->path;
    bool wants = render_wants(r, name);

    if (id.p == NULL || !wants) {
        if (id.p == NULL)
            all_below(r, name);
        json_str(&r->o, name, id);
        return E_OK;
    }
    json_name(&r->o, str_of(name));
    r->path = str_printf(r->c->arena, "%.*s%s.", STR_FMT(path), name);
    TRY(of(r, id));
    r->path = path;
    return E_OK;
}

void render_null(struct render *r, const char *name)
{
    json_name(&r->o, str_of(name));
    json_put_null(&r->o);
}

void render_when(struct render *r, const char *name, struct when w)
{
    json_name(&r->o, str_of(name));
    if (when_some(w))
        json_put_int(&r->o, w.us / SECOND);
    else
        json_put_null(&r->o);
}

void render_raw(struct render *r, const char *name, struct str json)
{
    json_name(&r->o, str_of(name));
    json_put_raw(&r->o, json.p == NULL ? STR("null") : json);
}

void render_currency(struct render *r, const char *name, struct str code)
{
    json_str(&r->o, name, str_lower(r->c->arena, code));
}

/* Stripe refuses what cannot be expanded: a typing mistake must not look like an empty answer. */
static enum err expand_check(struct call *c)
{
    struct api *p = api_of(c);

    for (size_t i = 0; i < p->expand_n; i++)
        if (!p->expanded[i])
            return refuse(c, "parameter_invalid", "expand",
                          "This property cannot be expanded (%.*s).", STR_FMT(p->expand[i]));
    return E_OK;
}

enum err api_reply_object(struct call *c, renderer *of, struct str id)
{
    struct render r;

    render_begin(&r, c);
    TRY(of(&r, id));
    TRY(expand_check(c));
    api_reply(c, buf_str(&r.buf));
    return E_OK;
}

enum err object_text(struct call *c, renderer *of, struct str id, struct str *result)
{
    struct render r;

    render_begin(&r, c);
    r.plain = true;
    TRY(of(&r, id));
    *result = buf_str(&r.buf);
    return E_OK;
}

enum err api_reply_list(struct call *c, renderer *of, const struct str *ids, size_t n,
                        const struct range *range)
{
    size_t shown = n < (size_t)range->limit ? n : (size_t)range->limit - 1;
    struct render r;

    render_begin(&r, c);
    r.path = STR("data.");
    json_open(&r.o, '{');
    json_str(&r.o, "object", STR("list"));
    json_str(&r.o, "url", api_of(c)->url);
    json_bool(&r.o, "has_more", n > shown);
    json_name(&r.o, STR("data"));
    json_open(&r.o, '[');
    for (size_t i = 0; i < shown; i++)
        TRY(of(&r, ids[i]));
    json_close(&r.o, ']');
    json_close(&r.o, '}');
    if (shown > 0)
        TRY(expand_check(c));
    api_reply(c, buf_str(&r.buf));
    return E_OK;
}

static const struct field row_id_fields[] = { COL(row_id, id) };
SHAPE(row_id);

enum err api_reply_rows(struct call *c, renderer *of, const struct row_ids *rows,
                        const struct range *range)
{
    struct str *ids = arena_array(c->arena, struct str, rows->n + 1);

    for (size_t i = 0; i < rows->n; i++)
        ids[i] = rows->v[i].id;
    return api_reply_list(c, of, ids, rows->n, range);
}

struct str api_id(struct call *c, const char *prefix)
{
    char text[ID_TEXT_MAX];
    size_t n = id_print(text, prefix, new_id(c));

    return str_copy(c->arena, (struct str) { text, n });
}

struct str api_secret(struct call *c, struct str id)
{
    return str_printf(c->arena, "%.*s_secret_%.24s", STR_FMT(id), new_token(c).p);
}
