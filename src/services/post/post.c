/* post.c -- drafts, publishing, and lists.
 *
 * A post's place in every list is its position: an id made when it is published. What may be seen of it is access's
 * business: each reply asks access_check for each post, and a locked post leaves without its text and without the URLs of
 * its pictures.
 * What the feed consists of is found in feed.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/post/parts.h"
#include "core/events.h"
#include "services/creator/creator.h"
#include "services/media/media.h"
#include "services/subscription/subscription.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 5000, MEDIA_MAX = 20, TIERS_MAX = 20 };

/* --- shapes ----------------------------------------------------------------------------------------------------- */

enum post_state { POST_DRAFT, POST_PUBLISHED };
static const char *const post_states[] = { "draft", "published", NULL };
struct post {
    struct id id;
    struct creator_card *creator;
    struct str text;
    enum access_kind access;
    LIST_OF(tier) tiers;
    struct post_media_list media;
    bool locked;
    enum post_state state;
    struct when published, created, edited;
};

static const struct field post_fields[] = {
    ID(post, id, ID_POST, "Post"),
    NEST(post, creator, creator_card, "Who wrote it"),
    TEXT(post, text, "Caption; empty when locked", .max = TEXT_MAX),
    ENUM(post, access, access_kinds, "Who may see it"),
    LIST(post, tiers, tier, "Tiers that open it", .max = TIERS_MAX),
    LIST(post, media, post_media, "In order; teasers only when locked", .max = MEDIA_MAX),
    BOOL(post, locked, "For this viewer, now"),
    ENUM(post, state, post_states, "draft or published"),
    WHEN(post, published, "When it became visible", .optional = true),
    WHEN(post, created, "When it was begun"),
    WHEN(post, edited, "When it was last changed after publishing", .optional = true),
};
STATIC_SHAPE(post);

struct post_row {
    struct id id, creator;
    struct str text;
    enum post_state state;
    int64_t position;
    struct when published, created, edited;
};
static const struct field post_row_fields[] = {
    ID(post_row, id, ID_POST, "Post"),
    ID(post_row, creator, ID_CREATOR, "Creator"),
    TEXT(post_row, text, "Caption", .max = TEXT_MAX),
    ENUM(post_row, state, post_states, "State"),
    INTEGER(post_row, position, "Place", .optional = true),
    WHEN(post_row, published, "When", .optional = true),
    WHEN(post_row, created, "When"),
    WHEN(post_row, edited, "When", .optional = true),
};
STATIC_SHAPE(post_row);
struct post_rows {
    struct post_row *v;
    size_t n;
};

struct post_asset {
    struct id post, asset;
};
static const struct field post_asset_fields[] = {
    ID(post_asset, post, ID_POST, "Post"),
    ID(post_asset, asset, ID_ASSET, "Asset"),
};
STATIC_SHAPE(post_asset);
struct post_asset_list {
    struct post_asset *v;
    size_t n;
};

struct post_new {
    struct str text;
    enum access_kind access;
    struct ids tiers, media;
    bool publish;
};
static const struct field post_new_fields[] = {
    TEXT(post_new, text, "Caption", .max = TEXT_MAX, .optional = true),
    ENUM(post_new, access, access_kinds, "Who may see it"),
    IDS(post_new, tiers, ID_TIER, "Your tiers that open it, with access \"tiers\"",
        .max = TIERS_MAX, .optional = true),
    IDS(post_new, media, ID_ASSET, "Your uploaded pictures, in order", .max = MEDIA_MAX,
        .optional = true),
    BOOL(post_new, publish, "Publish it now; else it is a draft", .optional = true),
};
STATIC_SHAPE(post_new);

struct post_edit {
    struct given given;
    struct str text;
    enum access_kind access;
    struct ids tiers, media;
};
static const struct field post_edit_fields[] = {
    TEXT(post_edit, text, "Caption", .max = TEXT_MAX, .optional = true),
    ENUM(post_edit, access, access_kinds, "Who may see it", .optional = true),
    IDS(post_edit, tiers, ID_TIER, "Your tiers that open it", .max = TIERS_MAX, .optional = true),
    IDS(post_edit, media, ID_ASSET, "Your uploaded pictures, in order", .max = MEDIA_MAX,
        .optional = true),
};
PATCH_SHAPE(post_edit);

struct post_path {
    struct id post;
};
static const struct field post_path_fields[] = { ID(post_path, post, ID_POST, "Post") };
STATIC_SHAPE(post_path);

struct post_handle {
    struct str handle;
};
static const struct field post_handle_fields[] = { HANDLE(post_handle, handle, "Creator") };
STATIC_SHAPE(post_handle);

struct studio_query {
    enum post_state state;
    struct str cursor;
    int64_t limit;
};
static const struct field studio_query_fields[] = {
    ENUM(studio_query, state, post_states, "Which ones", .optional = true,
         .fallback = POST_PUBLISHED),
    CURSOR(studio_query, cursor),
    LIMIT(studio_query, limit),
};
STATIC_SHAPE(studio_query);

struct post_published {
    struct id post, creator;
};
static const struct field post_published_fields[] = {
    ID(post_published, post, ID_POST, "Post"),
    ID(post_published, creator, ID_CREATOR, "Who published it"),
};
STATIC_SHAPE(post_published);

static const struct event_kind published_event = { .name = "post.published",
                                                   .shape = &post_published_shape,
                                                   .doc = "A post became visible" };

/* --- rules ------------------------------------------------------------------------------------------------------ */

static bool has_twice(const struct ids *list)
{
    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; k < i; k++)
            if (id_is(list->v[i], list->v[k]))
                return true;
    return false;
}

/* --- dressing: rows into what a viewer may see ------------------------------------------------------------------ */

struct dressing {
    size_t n;
    const struct post_row *rows;
    struct post *posts;
    struct access_rule *rules;
    struct access_viewer *viewer;
};

static enum err dress_creators(struct call *c, struct dressing *d)
{
    struct id *ids = arena_array(c->arena, struct id, d->n);
    struct creator_card **cards = arena_array(c->arena, struct creator_card *, d->n);

    for (size_t i = 0; i < d->n; i++)
        ids[i] = d->rows[i].creator;
    TRY(creator_cards(c, ids, d->n, cards));
    for (size_t i = 0; i < d->n; i++) {
        must(cards[i] != NULL);
        d->posts[i].creator = cards[i];
        depends(c, ids[i]);
    }
    return E_OK;
}

static enum err dress_rules(struct call *c, struct dressing *d)
{
    struct id *ids = arena_array(c->arena, struct id, d->n);

    for (size_t i = 0; i < d->n; i++)
        ids[i] = d->rows[i].id;
    TRY(access_rules(c, ids, d->n, d->rules));
    TRY(access_viewer_follows(c, d->rules, d->n, d->viewer));
    for (size_t i = 0; i < d->n; i++) {
        d->posts[i].access = d->rules[i].kind;
        d->posts[i].locked = !access_check(d->viewer, &d->rules[i]);
    }
    return E_OK;
}

static enum err dress_tiers(struct call *c, struct dressing *d)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < d->n; i++)
        n += d->rules[i].tiers.n;
    if (n == 0)
        return E_OK;
    struct id *ids = arena_array(c->arena, struct id, n);
    struct tier **tiers = arena_array(c->arena, struct tier *, n);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->rules[i].tiers.n; k++)
            ids[at++] = d->rules[i].tiers.v[k];
    TRY(creator_tiers(c, ids, n, tiers));
    at = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct post *p = &d->posts[i];
        p->tiers.v = arena_array(c->arena, struct tier, d->rules[i].tiers.n + 1);
        for (size_t k = 0; k < d->rules[i].tiers.n; k++, at++)
            if (tiers[at] != NULL)
                p->tiers.v[p->tiers.n++] = *tiers[at];
    }
    return E_OK;
}

static enum err dress_media(struct call *c, struct dressing *d)
{
    struct post_asset_list rows;
    struct media_signer signer;
    struct id *ids = arena_array(c->arena, struct id, d->n);

    for (size_t i = 0; i < d->n; i++)
        ids[i] = d->rows[i].id;
    TRY(db_list(c, post_asset, &rows,
                "SELECT post, asset FROM post_asset WHERE post IN_LIST($1) ORDER BY post, place",
                db_ids(c, ids, d->n)));
    struct id *assets = arena_array(c->arena, struct id, rows.n + 1);
    struct post_media *views = arena_array(c->arena, struct post_media, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++)
        assets[i] = rows.v[i].asset;
    TRY(media_views(c, assets, rows.n, views));
    media_signer_begin(c, &signer);
    for (size_t i = 0; i < d->n; i++) {
        struct post *p = &d->posts[i];
        for (size_t k = 0; k < rows.n; k++) {
            if (!id_is(rows.v[k].post, p->id))
                continue;
            if (p->media.n++ == 0)
                p->media.v = &views[k]; /* its rows stand together */
            if (!p->locked)
                media_unlock(c, &signer, &views[k]);
        }
    }
    return E_OK;
}

/* Rows into posts, a handful of queries for all of them, for a viewer that was begun. */
static enum err posts_dress(struct call *c, const struct post_row *rows, size_t n,
                            struct access_viewer *viewer, struct post *posts)
{
    struct dressing d = { .n = n, .rows = rows, .posts = posts, .viewer = viewer };

    if (n == 0)
        return E_OK;
    d.rules = arena_array(c->arena, struct access_rule, n);
    depends(c, c->who);
    for (size_t i = 0; i < n; i++)
        posts[i] = (struct post) { .id = rows[i].id,
                                   .text = rows[i].text,
                                   .state = rows[i].state,
                                   .published = rows[i].published,
                                   .created = rows[i].created,
                                   .edited = rows[i].edited };
    TRY(dress_rules(c, &d));
    TRY(dress_creators(c, &d));
    TRY(dress_tiers(c, &d));
    TRY(dress_media(c, &d));
    for (size_t i = 0; i < n; i++)
        if (posts[i].locked)
            posts[i].text = STR("");
    return E_OK;
}

static enum err post_dress(struct call *c, const struct post_row *row, struct post *result)
{
    struct access_viewer viewer;

    TRY(access_viewer_begin(c, &viewer));
    return posts_dress(c, row, 1, &viewer, result);
}

static enum err page_dress_for(struct call *c, struct access_viewer *viewer)
{
    struct post *posts = arena_array(c->arena, struct post, c->page.n + 1);

    TRY(posts_dress(c, PAGE(c, post_row), c->page.n, viewer, posts));
    c->page.v = posts;
    return E_OK;
}

/* The page of rows that db_page found, dressed. */
static enum err page_dress(struct call *c)
{
    struct access_viewer viewer;

    TRY(access_viewer_begin(c, &viewer));
    return page_dress_for(c, &viewer);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static enum err row_get(struct call *c, struct id id, struct post_row *result)
{
    return db_one(c, post_row, result,
                  "SELECT id, creator, text, state, position, published, created, edited FROM post "
                  "WHERE id = $1",
                  id);
}

/* A published post, or one's own draft: a draft of another is as good as missing. */
static enum err visible_get(struct call *c, struct id id, struct post *result)
{
    struct post_row row;

    TRY(row_get(c, id, &row));
    if (row.state != POST_PUBLISHED && !id_is(row.creator, c->who))
        return E_NOT_FOUND;
    return post_dress(c, &row, result);
}

static enum err post_read(struct call *c)
{
    return visible_get(c, PARAMS(c, post_path)->post, OUT(c, post));
}

/* For a change: locked, so that two changes of one post come one after the other, each with its pictures' counts. */
static enum err own_lock(struct call *c, struct id id, struct post_row *result)
{
    TRY(db_one(c, post_row, result,
               "SELECT id, creator, text, state, position, published, created, edited FROM post "
               "WHERE id = $1 FOR UPDATE",
               id));
    return id_is(result->creator, c->who) ? E_OK : E_NOT_FOUND;
}

static enum err post_list_of_creator(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);
    struct id creator;

    TRY(creator_by_handle(c, PARAMS(c, post_handle)->handle, &creator));
    depends(c, creator);
    depends(c, c->who);
    TRY(db_page(
        c, post_row, q->cursor, q->limit,
        "SELECT id, creator, text, state, position, published, created, edited, position AS cursor "
        "FROM post"
        " WHERE creator = $1 AND state = 'published' AND position < $cursor ORDER BY position DESC",
        creator));
    return page_dress(c);
}

static enum err post_list_own(struct call *c)
{
    const struct studio_query *q = QUERY(c, studio_query);

    TRY(db_page(c, post_row, q->cursor, q->limit,
                "SELECT id, creator, text, state, position, published, created, edited FROM post"
                " WHERE creator = $1 AND state = $2 AND id < $cursor ORDER BY id DESC",
                c->who, NAMED(post_states, q->state)));
    return page_dress(c);
}

/* --- the feed --------------------------------------------------------------------------------------------------- */

/* The rows of the places, in their order. A sort in the database would carry all texts. */
static enum err feed_rows(struct call *c, const struct ids *places, struct post_rows *result)
{
    struct post_rows found = { 0 };

    TRY(db_list(c, post_row, &found,
                "SELECT id, creator, text, state, position, published, created, edited FROM post"
                " WHERE position IN_LIST($1)",
                db_ids(c, places->v, places->n)));
    *result = (struct post_rows) { arena_array(c->arena, struct post_row, places->n), 0 };
    for (size_t i = 0; i < places->n; i++)
        for (size_t k = 0; k < found.n; k++)
            if (found.v[k].position == places->v[i].v)
                result->v[result->n++] = found.v[k];
    return E_OK;
}

static enum err post_feed(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);
    size_t limit = (size_t)q->limit;
    int64_t before = INT64_MAX;
    struct access_viewer viewer;
    struct ids places = { 0 };
    struct post_rows rows = { 0 };

    depends(c, c->who);
    if (q->cursor.p != NULL)
        TRY(db_cursor_parse(c, q->cursor, &before));
    TRY(feed_places(c, &viewer, before, limit + 1, &places));
    if (places.n > limit) {
        places.n = limit;
        c->page.next = db_cursor_print(c, places.v[limit - 1].v);
    }
    if (places.n > 0)
        TRY(feed_rows(c, &places, &rows));
    c->page.v = rows.v;
    c->page.n = rows.n;
    return page_dress_for(c, &viewer);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static enum err tiers_check(struct call *c, enum access_kind access, const struct ids *tiers)
{
    if (access == ACCESS_TIERS && tiers->n == 0)
        return fail_field(c, E_INVALID, "tiers",
                          "name at least one tier, or choose who may see it otherwise");
    if (access != ACCESS_TIERS && tiers->n > 0)
        return fail_field(c, E_INVALID, "tiers", "only a post with access \"tiers\" names tiers");
    if (has_twice(tiers))
        return fail_field(c, E_INVALID, "tiers", "a tier stands twice");
    for (size_t i = 0; i < tiers->n; i++) {
        struct tier tier;
        struct id creator;
        enum err e = creator_tier(c, tiers->v[i], &tier, &creator);
        if (e == E_NOT_FOUND || (e == E_OK && !id_is(creator, c->who)))
            return fail_field(c, E_NOT_FOUND, str_printf(c->arena, "tiers[%zu]", i).p,
                              "there is no such tier of yours");
        TRY(e);
    }
    return E_OK;
}

static enum err media_set(struct call *c, struct id post, const struct ids *media)
{
    for (size_t i = 0; i < media->n; i++)
        TRY(db_run(c, "INSERT INTO post_asset (post, place, asset) VALUES ($1, $2, $3)", post,
                   (int64_t)i, media->v[i]));
    return E_OK;
}

static enum err rule_set(struct call *c, const struct post_row *row, enum access_kind access,
                         const struct ids *tiers, const struct ids *media)
{
    struct access_rule rule = { .object = row->id,
                                .creator = c->who,
                                .kind = access,
                                .hidden = row->state == POST_DRAFT,
                                .tiers = { tiers->v, tiers->n } };

    return access_set(c, &rule, media->v, media->n);
}

static enum err content_check(struct call *c, struct str text, const struct ids *media)
{
    if (str_trim(text).n == 0 && media->n == 0)
        return fail_field(c, E_INVALID, "text", "write something or add a picture");
    if (has_twice(media))
        return fail_field(c, E_INVALID, "media", "a picture stands twice");
    return E_OK;
}

static enum err answer(struct call *c, struct id id)
{
    struct post_row row;

    TRY(row_get(c, id, &row));
    return post_dress(c, &row, OUT(c, post));
}

static enum err publish(struct call *c, struct id post)
{
    struct id position = new_id(c);
    struct post_published news = { post, c->who };

    TRY(db_hit(c,
               "UPDATE post SET state = 'published', position = $2, published = $3 WHERE id = $1 "
               "AND state = 'draft'",
               post, position, c->now));
    TRY(access_show(c, post));
    TRY(creator_published(c, c->who, position.v, 1));
    touch(c, c->who);
    return event_add(c, &published_event, c->who, &news);
}

static enum err post_create(struct call *c)
{
    const struct post_new *in = IN(c, post_new);
    struct post_row row = { .id = new_id(c), .state = POST_DRAFT };
    struct str text = in->text.p == NULL ? STR("") : in->text;

    TRY(content_check(c, text, &in->media));
    TRY(tiers_check(c, in->access, &in->tiers));
    TRY(media_use(c, c->who, in->media.v, in->media.n, 1));
    TRY(db_run(
        c, "INSERT INTO post (id, creator, text, state, created) VALUES ($1, $2, $3, 'draft', $4)",
        row.id, c->who, text, c->now));
    TRY(media_set(c, row.id, &in->media));
    TRY(rule_set(c, &row, in->access, &in->tiers, &in->media));
    if (in->publish)
        TRY(publish(c, row.id));
    return answer(c, row.id);
}

static enum err assets_of(struct call *c, struct id post, struct ids *result)
{
    struct post_asset_list rows;

    TRY(db_list(c, post_asset, &rows,
                "SELECT post, asset FROM post_asset WHERE post = $1 ORDER BY place", post));
    result->v = arena_array(c->arena, struct id, rows.n + 1);
    result->n = rows.n;
    for (size_t i = 0; i < rows.n; i++)
        result->v[i] = rows.v[i].asset;
    return E_OK;
}

/* What the post will be: the body where it says something, else what is. */
static enum err edit_fill(struct call *c, const struct post_row *row, struct post_edit *will,
                          struct ids *had)
{
    const struct post_edit *in = IN(c, post_edit);
    struct access_rule rule;

    TRY(access_rules(c, &row->id, 1, &rule));
    TRY(assets_of(c, row->id, had));
    bool tiers_go = GIVEN(post_edit, in, access) && in->access != ACCESS_TIERS;
    will->text = GIVEN(post_edit, in, text) ? in->text : row->text;
    will->access = GIVEN(post_edit, in, access) ? in->access : rule.kind;
    will->tiers = GIVEN(post_edit, in, tiers)
                      ? in->tiers
                      : (struct ids) { rule.tiers.v, tiers_go ? 0 : rule.tiers.n };
    will->media = GIVEN(post_edit, in, media) ? in->media : *had;
    return E_OK;
}

static enum err post_change(struct call *c)
{
    struct post_edit will = { 0 };
    struct post_row row;
    struct ids had;

    TRY(own_lock(c, PARAMS(c, post_path)->post, &row));
    TRY(edit_fill(c, &row, &will, &had));
    TRY(content_check(c, will.text, &will.media));
    TRY(tiers_check(c, will.access, &will.tiers));
    TRY(media_use(c, c->who, had.v, had.n, -1));
    TRY(media_use(c, c->who, will.media.v, will.media.n, 1));
    TRY(db_run(c, "DELETE FROM post_asset WHERE post = $1", row.id));
    TRY(media_set(c, row.id, &will.media));
    TRY(rule_set(c, &row, will.access, &will.tiers, &will.media));
    TRY(db_hit(c,
               "UPDATE post SET text = $2, edited = CASE WHEN state = 'published' THEN $3 ELSE "
               "edited END WHERE id = $1",
               row.id, will.text, c->now));
    touch(c, c->who);
    return answer(c, row.id);
}

static enum err post_publish(struct call *c)
{
    struct post_row row;

    TRY(own_lock(c, PARAMS(c, post_path)->post, &row));
    if (row.state == POST_PUBLISHED)
        return fail(c, E_CONFLICT, "it is published already");
    TRY(publish(c, row.id));
    return answer(c, row.id);
}

static enum err post_delete(struct call *c)
{
    int64_t newest = 0;
    struct post_row row;
    struct ids had;

    TRY(own_lock(c, PARAMS(c, post_path)->post, &row));
    TRY(assets_of(c, row.id, &had));
    TRY(media_use(c, c->who, had.v, had.n, -1));
    TRY(access_remove(c, row.id));
    TRY(db_run(c, "DELETE FROM post_asset WHERE post = $1", row.id));
    TRY(db_hit(c, "DELETE FROM post WHERE id = $1", row.id));
    touch(c, c->who);
    if (row.state != POST_PUBLISHED)
        return E_OK;
    /* Locks the page: a post that is being published is then seen here, or comes after. */
    TRY(creator_published(c, c->who, 0, 0));
    TRY(feed_next(c, c->who, INT64_MAX, &newest));
    return creator_published(c, c->who, newest, -1);
}

/* --- the post's own page ---------------------------------------------------------------------------------------- */

/* The first line of what anybody may read. */
static struct str page_description(struct call *c, const struct post *p)
{
    struct str line;

    str_split(p->text, '\n', &line);
    if (p->locked || str_trim(line).n == 0)
        return str_printf(c->arena, "A post by %.*s.", STR_FMT(p->creator->name));
    size_t cut = line.n < 200 ? line.n : 200;
    while (cut > 0 && cut < line.n && ((unsigned char)line.p[cut] & 0xC0) == 0x80)
        cut--;
    return str_cut(line, 0, cut);
}

static enum err post_page(struct call *c)
{
    struct page_head *head = OUT(c, page_head);
    struct id id = PARAMS(c, post_path)->post;
    struct post p;

    *head = (struct page_head) { .title = STR("Not found"),
                                 .description = STR("There is nothing here."),
                                 .status = 404 };
    enum err e = visible_get(c, id, &p);
    if (e == E_NOT_FOUND)
        return E_OK;
    TRY(e);
    struct str text = id_text(c->arena, ID_POST, id), json = shape_json(&post_shape, &p, c->arena);
    head->status = 200;
    head->title = str_printf(c->arena, "%.*s on Stagedoor", STR_FMT(p.creator->name));
    head->description = page_description(c, &p);
    head->image = p.media.n > 0 ? p.media.v[0].teaser_url : p.creator->avatar_url;
    /* Only for strangers: what a signed-in viewer may see, the app asks for itself. */
    if (!id_some(c->who))
        head->data =
            str_printf(c->arena, "{\"GET /v1/posts/%.*s\":%.*s}", STR_FMT(text), STR_FMT(json));
    return E_OK;
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
    { POST, "/v1/posts", post_create, "Write a post", .in = &post_new_shape, .out = &post_shape,
      .auth = CREATOR, .tx = WRITE, .status = 201, .fails = { E_NOT_READY } },
    { PATCH, "/v1/posts/{post}", post_change, "Change a post", .params = &post_path_shape,
      .in = &post_edit_shape, .out = &post_shape, .auth = CREATOR, .tx = WRITE,
      .fails = { E_NOT_READY } },
    { POST, "/v1/posts/{post}/publish", post_publish, "Publish a draft", .params = &post_path_shape,
      .out = &post_shape, .auth = CREATOR, .tx = WRITE, .fails = { E_CONFLICT } },
    { DELETE, "/v1/posts/{post}", post_delete, "Delete a post; its pictures stay in the vault",
      .params = &post_path_shape, .auth = CREATOR, .tx = WRITE },
    { GET, "/v1/posts/{post}", post_read, "A post, as you may see it", .params = &post_path_shape,
      .out = &post_shape, .auth = ANYONE, .tx = READ, .cached = true },
    { GET, "/v1/creators/{handle}/posts", post_list_of_creator, "A creator's posts, newest first",
      .params = &post_handle_shape, .query = &page_query_shape, .items = &post_shape,
      .auth = ANYONE, .tx = READ, .cached = true },
    { GET, "/v1/feed", post_feed, "Posts of those you follow or subscribe to, newest first",
      .query = &page_query_shape, .items = &post_shape, .auth = FAN, .tx = READ, .cached = true,
      .rate = { 6000, 600 } },
    { GET, "/v1/studio/posts", post_list_own, "Your posts and drafts", .query = &studio_query_shape,
      .items = &post_shape, .auth = CREATOR, .tx = READ },
    { GET, "/p/{post}", post_page, "A post's page", .params = &post_path_shape,
      .out = &page_head_shape, .auth = ANYONE, .tx = READ, .wire = WIRE_PAGE },
};

static const struct event_kind *const events[] = { &published_event };

const struct module post_module = { "post", MODULE_ROUTES(routes), MODULE_EVENTS(events) };
