/* web.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/web.h"
#include "base/map.h"
#include "server/answer.h"
#include "server/state.h"
#include "server/web_files.h"

static const char *const encoding_names[ENCODINGS] = { NULL, "gzip", "br" };

struct served {
    struct shared *variants[ENCODINGS]; /* IDENTITY always */
};

struct web {
    struct served *files;
    struct map by_path;
    const struct web_file *index; /* NULL: built without the app */
    struct str top, middle,
        bottom; /* of index.html: up to <!--head-->, up to <!--data-->, the rest */
};

/* --- answers made at start -------------------------------------------------------------------------------------- */

static struct str cache_of(const struct web_file *f)
{
    if (strncmp(f->path, "/assets/", 8) == 0)
        return STR("public, max-age=31536000, immutable"); /* their names hold their hash */
    if (str_ends(str_of(f->path), ".html"))
        return STR("no-cache");
    return STR("public, max-age=3600");
}

static struct shared *variant_make(struct server *s, const struct web_file *f, struct str body,
                                   enum encoding e)
{
    struct header h[ANSWER_HEADERS];
    struct str tag = str_of(f->etag);
    bool page = str_ends(str_of(f->path), ".html");
    size_t n = 0;

    if (body.p == NULL)
        return NULL;
    h[n++] = (struct header) { "Content-Type", str_of(f->type) };
    if (e != IDENTITY) {
        h[n++] = (struct header) { "Content-Encoding", str_of(encoding_names[e]) };
        tag = str_printf(&s->arena, "%.*s-%s\"", (int)tag.n - 1, tag.p, encoding_names[e]);
    }
    h[n++] = (struct header) { "ETag", tag };
    h[n++] = (struct header) { "Cache-Control", cache_of(f) };
    if (f->br.p != NULL || f->gzip.p != NULL)
        h[n++] = (struct header) { "Vary", STR("Accept-Encoding") };
    n += answer_guards(s, page ? GUARDS_PAGE : GUARDS_ASSET, h + n);
    struct shared *made = shared_make(200, h, n, body, true);
    must(made != NULL); /* at the start */
    return made;
}

/* The two places of index.html that web_page fills. Without them it is served as it is. */
static void index_cut(struct web *w, const struct web_file *f)
{
    const char *head = strstr(f->identity.p, "<!--head-->");
    const char *head_end = head == NULL ? NULL : strstr(head, "<!--/head-->");
    const char *data = head_end == NULL ? NULL : strstr(head_end, "<!--data-->");
    const char *end = f->identity.p + f->identity.n;

    w->index = f;
    if (data == NULL)
        return;
    head_end += sizeof("<!--/head-->") - 1;
    w->top = (struct str) { f->identity.p, (size_t)(head - f->identity.p) };
    w->middle = (struct str) { head_end, (size_t)(data - head_end) };
    data += sizeof("<!--data-->") - 1;
    w->bottom = (struct str) { data, (size_t)(end - data) };
}

struct web *web_open(struct server *s)
{
    struct web *w = arena_new(&s->arena, struct web);

    w->by_path.arena = &s->arena;
    w->files = arena_array(&s->arena, struct served, web_files_n + 1);
    for (size_t i = 0; i < web_files_n; i++) {
        const struct web_file *f = &web_files[i];
        w->files[i].variants[IDENTITY] = variant_make(s, f, f->identity, IDENTITY);
        w->files[i].variants[GZIP] = variant_make(s, f, f->gzip, GZIP);
        w->files[i].variants[BROTLI] = variant_make(s, f, f->br, BROTLI);
        map_put(&w->by_path, str_of(f->path), &w->files[i]);
        if (strcmp(f->path, "/index.html") == 0)
            index_cut(w, f);
        else if (str_ends(str_of(f->path), ".html")) /* /docs is docs.html */
            map_put(&w->by_path, str_cut(str_of(f->path), 0, strlen(f->path) - 5), &w->files[i]);
    }
    return w;
}

void web_close(struct web *w)
{
    for (size_t i = 0; i < web_files_n; i++)
        for (size_t e = 0; e < ENCODINGS; e++)
            shared_drop(w->files[i].variants[e]);
}

/* --- choosing --------------------------------------------------------------------------------------------------- */

/* "br;q=0" is a no. */
static bool refused(struct str parameters)
{
    struct str weight = str_trim(parameters);

    if (!str_starts(weight, "q=0"))
        return false;
    for (size_t i = 3; i < weight.n; i++)
        if (weight.p[i] != '.' && weight.p[i] != '0')
            return false;
    return true;
}

enum encoding encoding_wanted(struct str accept)
{
    enum encoding best = IDENTITY;
    struct str one, name;

    while (accept.n > 0) {
        accept = str_split(accept, ',', &one);
        struct str parameters = str_split(one, ';', &name);
        name = str_trim(name);
        for (enum encoding e = GZIP; e < ENCODINGS; e++)
            if (e > best && str_is(name, encoding_names[e]) && !refused(parameters))
                best = e;
    }
    return best;
}

static struct shared *variant_of(const struct served *f, struct str accept_encoding)
{
    enum encoding e = encoding_wanted(accept_encoding);

    if (f->variants[e] == NULL && e == BROTLI)
        e = GZIP;
    return shared_hold(f->variants[f->variants[e] == NULL ? IDENTITY : e]);
}

struct shared *web_find(const struct web *w, struct str path, struct str accept_encoding)
{
    const struct served *f = map_get(&w->by_path, path);

    return f == NULL ? NULL : variant_of(f, accept_encoding);
}

struct shared *web_index(const struct web *w, struct str accept_encoding)
{
    return w->index == NULL ? NULL : variant_of(&w->files[w->index - web_files], accept_encoding);
}

/* As web/src/app.tsx has them, in its order; a test compares. What stands in neither place is a 404, not an empty app. */
static const char *const pages[] = {
    "/",
    "/explore",
    "/login",
    "/signup",
    "/forgot",
    "/reset",
    "/verify",
    "/feed",
    "/become",
    "/subscriptions",
    "/checkout/return",
    "/settings",
    "/settings/sessions",
    "/studio/compose",
    "/studio",
    "/studio/posts",
    "/studio/tiers",
    "/studio/subscribers",
    "/studio/earnings",
    "/studio/profile",
};

bool web_has_page(struct str path)
{
    if (path.n > 1 && str_ends(path, "/"))
        path.n--;
    for (size_t i = 0; i < COUNT(pages); i++)
        if (str_is(path, pages[i]))
            return true;
    return false;
}

/* --- a page with a head of its own ------------------------------------------------------------------------------ */

struct str html_escape(struct arena *a, struct str text)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&')
            buf_add(&b, STR("&amp;"));
        else if (c == '<')
            buf_add(&b, STR("&lt;"));
        else if (c == '>')
            buf_add(&b, STR("&gt;"));
        else if (c == '"')
            buf_add(&b, STR("&quot;"));
        else
            buf_char(&b, c == '\n' ? ' ' : c);
    }
    return buf_str(&b);
}

static void put_meta(struct buf *b, const char *attribute, const char *name, struct str value)
{
    if (value.p != NULL)
        buf_printf(b, "<meta %s=\"%s\" content=\"%.*s\">\n", attribute, name, STR_FMT(value));
}

static void put_head(struct buf *b, const struct page_head *head, struct str public_url,
                     struct str path)
{
    struct str title = html_escape(b->arena, head->title), image = head->image;
    struct str about = html_escape(b->arena, head->description);
    struct str here = html_escape(b->arena, path);

    if (image.p != NULL && str_starts(image, "/"))
        image = str_printf(b->arena, "%.*s%.*s", STR_FMT(public_url), STR_FMT(image));
    if (image.p != NULL)
        image = html_escape(b->arena, image);
    buf_printf(b, "<title>%.*s</title>\n", STR_FMT(title));
    put_meta(b, "name", "description", about);
    put_meta(b, "property", "og:type", STR("website"));
    put_meta(b, "property", "og:title", title);
    put_meta(b, "property", "og:description", about);
    put_meta(b, "property", "og:url",
             str_printf(b->arena, "%.*s%.*s", STR_FMT(public_url), STR_FMT(here)));
    put_meta(b, "property", "og:image", image);
    put_meta(b, "name", "twitter:card",
             image.p == NULL ? STR("summary") : STR("summary_large_image"));
    buf_printf(b, "<link rel=\"canonical\" href=\"%.*s%.*s\">\n", STR_FMT(public_url),
               STR_FMT(here));
}

/* Inside <script type="application/json"> only "<" could end the element or open a comment. */
static void put_data(struct buf *b, struct str json)
{
    if (json.p == NULL)
        return;
    buf_add(b, STR("<script type=\"application/json\" id=\"first-data\">"));
    for (size_t i = 0; i < json.n; i++)
        if (json.p[i] == '<')
            buf_add(b, STR("\\u003c"));
        else
            buf_char(b, json.p[i]);
    buf_add(b, STR("</script>"));
}

struct str web_page(const struct web *w, struct arena *a, const struct page_head *head,
                    struct str public_url, struct str path)
{
    struct buf b = { .arena = a };

    if (w->index == NULL)
        return STR_NONE;
    if (w->top.p == NULL)
        return w->index->identity;
    buf_add(&b, w->top);
    put_head(&b, head, public_url, path);
    buf_add(&b, w->middle);
    put_data(&b, head->data);
    buf_add(&b, w->bottom);
    return buf_str(&b);
}
