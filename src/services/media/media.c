/* media.c -- uploads, their renditions, and their delivery.
 *
 * An upload is kept as a blob, an asset row and a job; the job has the jailed child decode it and stores what the child made.
 * The upload's answer awaits that job, so that a file which is no picture is refused at once. Originals are kept for
 * renditions to come and are served by no route.
 * Invariants: a ready asset has all renditions of its purpose; a teaser is public, from a few dozen pixels, and under a name
 * of its own; a rendition's URL holds a token for one asset, one session and an hour, and the right is asked again at delivery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/media/media.h"
#include "core/exec.h"
#include "core/events.h"
#include "core/jobs.h"
#include "services/creator/creator.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { UPLOAD_MAX = 64 << 20, OPEN_MAX = 40, TOKEN_PARTS = 4, SIGNATURE_BYTES = 16 };

/* --- shapes ----------------------------------------------------------------------------------------------------- */

enum purpose { PURPOSE_POST, PURPOSE_AVATAR, PURPOSE_BANNER };
static const char *const purposes[] = { "post", "avatar", "banner", NULL };
enum asset_state { ASSET_PROCESSING, ASSET_READY, ASSET_FAILED };
static const char *const asset_states[] = { "processing", "ready", "failed", NULL };

struct asset {
    struct id id;
    enum purpose purpose;
    enum asset_state state;
    int64_t progress;
    struct str error, filename, type;
    int64_t bytes, width, height;
    struct str alt;
    int64_t uses;
    struct str teaser_url, thumb_url, feed_url, full_url;
    struct when created;
};

static const struct field asset_fields[] = {
    ID(asset, id, ID_ASSET, "Asset"),
    ENUM(asset, purpose, purposes, "What it is for"),
    ENUM(asset, state, asset_states, "processing until the renditions are made"),
    INTEGER(asset, progress, "Percent", .max = 100),
    TEXT(asset, error, "Why it failed", .max = 300, .optional = true),
    TEXT(asset, filename, "As uploaded", .max = 200),
    TEXT(asset, type, "By its content", .max = 40, .optional = true),
    INTEGER(asset, bytes, "Of the upload", .max = UPLOAD_MAX),
    INTEGER(asset, width, "Pixels, upright", .max = 100000, .optional = true),
    INTEGER(asset, height, "Pixels, upright", .max = 100000, .optional = true),
    TEXT(asset, alt, "Described for those who cannot see it", .max = 500),
    INTEGER(asset, uses, "Posts that show it", .max = INT32_MAX),
    URL(asset, teaser_url, "Public blurred teaser", .optional = true),
    URL(asset, thumb_url, "320 pixels; signed for this session", .optional = true),
    URL(asset, feed_url, "1080 pixels", .optional = true),
    URL(asset, full_url, "2160 pixels", .optional = true),
    WHEN(asset, created, "When it was uploaded"),
};
STATIC_SHAPE(asset);

/* The row: with what no reply shows. */
struct asset_row {
    struct id id, owner, teaser;
    enum purpose purpose;
    enum asset_state state;
    struct str error, filename, type, original;
    int64_t bytes, width, height, uses;
    struct str alt;
    struct when created;
};

static const struct field asset_row_fields[] = {
    ID(asset_row, id, ID_ASSET, "Asset"),
    ID(asset_row, owner, ID_USER, "Owner"),
    ID(asset_row, teaser, ID_ASSET, "The teaser's name"),
    ENUM(asset_row, purpose, purposes, "What it is for"),
    ENUM(asset_row, state, asset_states, "State"),
    TEXT(asset_row, error, "Why it failed", .max = 300, .optional = true),
    TEXT(asset_row, filename, "As uploaded", .max = 200),
    TEXT(asset_row, type, "By its content", .max = 40, .optional = true),
    TEXT(asset_row, original, "Blob", .max = 64, .optional = true),
    INTEGER(asset_row, bytes, "Of the upload", .max = UPLOAD_MAX),
    INTEGER(asset_row, width, "Pixels", .max = 100000, .optional = true),
    INTEGER(asset_row, height, "Pixels", .max = 100000, .optional = true),
    TEXT(asset_row, alt, "Description", .max = 500),
    INTEGER(asset_row, uses, "Posts", .max = INT32_MAX),
    WHEN(asset_row, created, "When"),
};
STATIC_SHAPE(asset_row);
struct asset_rows {
    struct asset_row *v;
    size_t n;
};

/* Of the row what a post shows. */
struct asset_view {
    struct id id, teaser;
    enum asset_state state;
    int64_t width, height;
    struct str alt;
};
static const struct field asset_view_fields[] = {
    ID(asset_view, id, ID_ASSET, "Asset"),
    ID(asset_view, teaser, ID_ASSET, "The teaser's name"),
    ENUM(asset_view, state, asset_states, "State"),
    INTEGER(asset_view, width, "Pixels", .max = 100000, .optional = true),
    INTEGER(asset_view, height, "Pixels", .max = 100000, .optional = true),
    TEXT(asset_view, alt, "Description", .max = 500),
};
STATIC_SHAPE(asset_view);

static const struct field post_media_fields[] = {
    ID(post_media, id, ID_ASSET, "Asset"),
    TEXT(post_media, type, "image", .max = 10),
    INTEGER(post_media, width, "Pixels, upright", .max = 100000),
    INTEGER(post_media, height, "Pixels, upright", .max = 100000),
    TEXT(post_media, alt, "Described for those who cannot see it", .max = 500),
    URL(post_media, teaser_url, "Blurred, made from a few dozen pixels; anyone may see it"),
    URL(post_media, thumb_url, "320 pixels; absent when locked", .optional = true),
    URL(post_media, feed_url, "1080 pixels; absent when locked", .optional = true),
    URL(post_media, full_url, "2160 pixels; absent when locked", .optional = true),
};
SHAPE(post_media);

struct media_query {
    enum purpose purpose;
    struct str filename;
};
static const struct field media_query_fields[] = {
    ENUM(media_query, purpose, purposes, "What it is for", .optional = true),
    TEXT(media_query, filename, "Name of the file", .min = 1, .max = 200),
};
STATIC_SHAPE(media_query);

struct asset_path {
    struct id asset;
};
static const struct field asset_path_fields[] = { ID(asset_path, asset, ID_ASSET, "Asset") };
STATIC_SHAPE(asset_path);

struct asset_edit {
    struct str alt;
};
static const struct field asset_edit_fields[] = {
    TEXT(asset_edit, alt, "Described for those who cannot see it", .max = 500),
};
STATIC_SHAPE(asset_edit);

struct picture_choice {
    struct id asset;
    struct given given;
};
static const struct field picture_choice_fields[] = {
    ID(picture_choice, asset, ID_ASSET, "An uploaded avatar or banner; null removes the picture",
       .nullable = true),
};
PATCH_SHAPE(picture_choice);

struct public_file {
    struct id asset;
    struct str file;
};
static const struct field public_file_fields[] = {
    ID(public_file, asset, ID_ASSET, "Avatar, banner or teaser"),
    TEXT(public_file, file, "thumb.webp", .min = 1, .max = 40),
};
STATIC_SHAPE(public_file);

struct asset_ref {
    struct id asset;
};
static const struct field asset_ref_fields[] = { ID(asset_ref, asset, ID_ASSET, "Asset") };
STATIC_SHAPE(asset_ref);

struct blob_ref {
    struct str blob;
};
static const struct field blob_ref_fields[] = { TEXT(blob_ref, blob, "SHA-256", .max = 64) };
STATIC_SHAPE(blob_ref);

struct shown_blob {
    struct id owner;
    struct str blob;
};
static const struct field shown_blob_fields[] = {
    ID(shown_blob, owner, ID_CREATOR, "Whose it is"),
    TEXT(shown_blob, blob, "SHA-256", .max = 64),
};
STATIC_SHAPE(shown_blob);

struct media_progress {
    struct id asset;
    int64_t progress;
};
static const struct field media_progress_fields[] = {
    ID(media_progress, asset, ID_ASSET, "Asset"),
    INTEGER(media_progress, progress, "Percent", .max = 100),
};
STATIC_SHAPE(media_progress);

struct media_failed {
    struct id asset;
    struct str error;
};
static const struct field media_failed_fields[] = {
    ID(media_failed, asset, ID_ASSET, "Asset"),
    TEXT(media_failed, error, "Sentence for people", .max = 300),
};
STATIC_SHAPE(media_failed);

static const struct event_kind progress_event = { .name = "media.progress",
                                                  .shape = &media_progress_shape,
                                                  .doc = "A picture is being prepared" };
static const struct event_kind ready_event = { .name = "media.ready",
                                               .shape = &asset_ref_shape,
                                               .doc = "A picture can be used" };
static const struct event_kind failed_event = { .name = "media.failed",
                                                .shape = &media_failed_shape,
                                                .doc = "A picture was refused" };

/* --- rules ------------------------------------------------------------------------------------------------------ */

/* The next full hour at least half an hour away: the same URL for everybody who asks within the hour, so that browsers
 * can keep the picture, and never valid for longer than an hour and a half. */
static int64_t token_expiry(struct when real_now)
{
    int64_t s = real_now.us / SECOND + 1800;

    return (s + 3599) / 3600 * 3600;
}

/* The session under another name: a path in a log does not tell whose it is. */
static struct str audience(struct call *c, const struct hmac_key *key)
{
    char text[ID_TEXT_MAX];

    if (!id_some(c->actor.session))
        return STR("0");
    size_t n = id_print(text, "aud", c->actor.session);
    struct sha256 h = hmac_with(key, (struct str) { text, n });
    return base64url_print(c->arena, h.b, 9);
}

static struct str decimal(struct arena *a, int64_t n)
{
    struct buf b = { .arena = a };

    buf_int(&b, n);
    return buf_str(&b);
}

static struct str signature(struct call *c, const struct hmac_key *key, struct id asset,
                            struct str expiry, struct str aud)
{
    struct str text =
        STR_JOIN(c->arena, STR("1|"), decimal(c->arena, asset.v), STR("|"), expiry, STR("|"), aud);
    struct sha256 h = hmac_with(key, text);

    return base64url_print(c->arena, h.b, SIGNATURE_BYTES);
}

static struct hmac_key url_key(const struct call *c)
{
    struct sha256 key = env_key(c->env, "media-url-1");

    return hmac_key_of(&key);
}

void media_signer_begin(struct call *c, struct media_signer *result)
{
    result->key = url_key(c);
    result->expiry = decimal(c->arena, token_expiry(env_real_now(c->env)));
    result->audience = audience(c, &result->key);
}

static struct str public_url(struct call *c, struct id asset, struct str name)
{
    return STR_JOIN(c->arena, STR("/media/"), id_text(c->arena, ID_ASSET, asset), STR("/"), name,
                    STR(".webp"));
}

/* /m/1.<expiry>.<audience>.<signature>/<asset>/<file> */
void media_unlock(struct call *c, const struct media_signer *s, struct post_media *m)
{
    struct str sig = signature(c, &s->key, m->id, s->expiry, s->audience);
    struct str prefix = STR_JOIN(c->arena, STR("/m/1."), s->expiry, STR("."), s->audience, STR("."),
                                 sig, STR("/"), id_text(c->arena, ID_ASSET, m->id));

    m->thumb_url = STR_JOIN(c->arena, prefix, STR("/thumb.webp"));
    m->feed_url = STR_JOIN(c->arena, prefix, STR("/feed.webp"));
    m->full_url = STR_JOIN(c->arena, prefix, STR("/full.webp"));
}

enum err media_token_check(struct call *c, struct str token, struct id asset)
{
    struct hmac_key key = url_key(c);
    struct str part[TOKEN_PARTS];
    int64_t expiry;

    for (int i = 0; i < TOKEN_PARTS; i++)
        token = str_split(token, '.', &part[i]);
    if (token.p != NULL || !str_is(part[0], "1") || !str_int(part[1], &expiry))
        return E_NOT_FOUND;
    struct str wanted = signature(c, &key, asset, part[1], part[2]);
    if (part[3].n != wanted.n || !bytes_equal(part[3].p, wanted.p, wanted.n))
        return E_NOT_FOUND;
    /* A URL made for nobody in particular shows only what anybody may see; access asks that next. */
    if (!str_is(part[2], "0") && !str_eq(part[2], audience(c, &key)))
        return E_NOT_FOUND;
    int64_t left_us = expiry * SECOND - env_real_now(c->env).us; /* by the real clock */
    if (left_us < 0)
        return fail(c, E_EXPIRED, NULL);
    depends_until(c, (struct when) { c->now.us + left_us });
    return E_OK;
}

/* What the owner sees. */
static void asset_dress(struct call *c, const struct asset_row *row, struct asset *a)
{
    bool mine = row->purpose == PURPOSE_POST;
    struct post_media view = { .id = row->id };
    struct media_signer signer;

    *a = (struct asset) { .id = row->id,
                          .purpose = row->purpose,
                          .state = row->state,
                          .progress = row->state == ASSET_PROCESSING ? 0 : 100,
                          .error = row->error,
                          .filename = row->filename,
                          .type = row->type,
                          .bytes = row->bytes,
                          .width = row->width,
                          .height = row->height,
                          .alt = row->alt,
                          .uses = row->uses,
                          .created = row->created };
    if (row->state != ASSET_READY)
        return;
    if (mine) {
        media_signer_begin(c, &signer);
        media_unlock(c, &signer, &view);
    }
    a->thumb_url = mine ? view.thumb_url : public_url(c, row->id, STR("thumb"));
    a->feed_url = view.feed_url;
    a->full_url = mine ? view.full_url : public_url(c, row->id, STR("full"));
    a->teaser_url = mine ? public_url(c, row->teaser, STR("teaser")) : STR_NONE;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static enum err asset_get(struct call *c, struct id owner, struct id id, struct asset_row *result)
{
    return db_one(c, asset_row, result,
                  "SELECT id, owner, teaser, purpose, state, error, filename, type, original, "
                  "bytes, width, height,"
                  " alt, uses, created FROM asset WHERE id = $1 AND owner = $2",
                  id, owner);
}

/* For a change: nobody else uses, changes or deletes it meanwhile. */
static enum err asset_lock(struct call *c, struct id owner, struct id id, struct asset_row *result)
{
    return db_one(c, asset_row, result,
                  "SELECT id, owner, teaser, purpose, state, error, filename, type, original, "
                  "bytes, width, height,"
                  " alt, uses, created FROM asset WHERE id = $1 AND owner = $2 FOR UPDATE",
                  id, owner);
}

static enum err asset_read(struct call *c)
{
    struct asset_row row;

    TRY(asset_get(c, c->who, PARAMS(c, asset_path)->asset, &row));
    asset_dress(c, &row, OUT(c, asset));
    return E_OK;
}

static enum err asset_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    TRY(db_page(c, asset_row, q->cursor, q->limit,
                "SELECT id, owner, teaser, purpose, state, error, filename, type, original, bytes, "
                "width, height,"
                " alt, uses, created FROM asset"
                " WHERE owner = $1 AND state <> 'failed' AND id < $cursor ORDER BY id DESC",
                c->who));
    struct asset *assets = arena_array(c->arena, struct asset, c->page.n + 1);
    for (size_t i = 0; i < c->page.n; i++)
        asset_dress(c, &PAGE(c, asset_row)[i], &assets[i]);
    c->page.v = assets;
    return E_OK;
}

static const struct asset_row *asset_in(const struct asset_rows *rows, struct id id)
{
    for (size_t i = 0; i < rows->n; i++)
        if (id_is(rows->v[i].id, id))
            return &rows->v[i];
    return NULL;
}

static const struct asset_view *view_in(const struct asset_view *v, size_t n, struct id id)
{
    for (size_t i = 0; i < n; i++)
        if (id_is(v[i].id, id))
            return &v[i];
    return NULL;
}

enum err media_views(struct call *c, const struct id *ids, size_t n, struct post_media *result)
{
    LIST_OF(asset_view) rows = { 0 };

    if (n > 0)
        TRY(db_list(c, asset_view, &rows,
                    "SELECT id, teaser, state, width, height, alt FROM asset WHERE id IN_LIST($1)",
                    db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        const struct asset_view *a = view_in(rows.v, rows.n, ids[i]);
        if (a == NULL || a->state != ASSET_READY)
            return E_NOT_FOUND;
        result[i] = (struct post_media) { .id = a->id,
                                          .type = STR("image"),
                                          .width = a->width,
                                          .height = a->height,
                                          .alt = a->alt,
                                          .teaser_url = public_url(c, a->teaser, STR("teaser")) };
    }
    return E_OK;
}

enum err media_owner(struct call *c, struct id asset, struct id *owner)
{
    return db_int(c, &owner->v,
                  "SELECT owner FROM asset WHERE id = $1 AND state = 'ready' AND purpose = 'post'",
                  asset);
}

/* Locked, so that none is deleted before it is counted; in one order, so that two posts never wait for each other. */
static enum err assets_lock(struct call *c, const struct id *ids, size_t n, struct asset_rows *rows)
{
    return db_list(c, asset_row, rows,
                   "SELECT id, owner, teaser, purpose, state, error, filename, type, original, "
                   "bytes, width, height,"
                   " alt, uses, created FROM asset WHERE id IN_LIST($1) ORDER BY id FOR UPDATE",
                   db_ids(c, ids, n));
}

enum err media_use(struct call *c, struct id owner, const struct id *ids, size_t n, int change)
{
    struct asset_rows rows = { 0 };

    if (n == 0)
        return E_OK;
    TRY(assets_lock(c, ids, n, &rows));
    for (size_t i = 0; i < n && change > 0; i++) {
        const struct asset_row *a = asset_in(&rows, ids[i]);
        const char *field = str_printf(c->arena, "media[%zu]", i).p;
        if (a == NULL || !id_is(a->owner, owner) || a->purpose != PURPOSE_POST ||
            a->state == ASSET_FAILED)
            return fail_field(c, E_NOT_FOUND, field, "there is no such picture of yours");
        if (a->state != ASSET_READY)
            return fail_field(c, E_NOT_READY, field, NULL);
    }
    return db_run(c, "UPDATE asset SET uses = uses + $2 WHERE id IN_LIST($1)", db_ids(c, ids, n),
                  change);
}

/* --- uploading -------------------------------------------------------------------------------------------------- */

/* The bytes are durable before the row that speaks of them. */
static enum err upload_keep(struct call *c)
{
    if (c->upload.size == 0)
        return fail_field(c, E_UNSUPPORTED_IMAGE, "body", "the file is empty");
    return c->env->blobs->ops->keep(c->env->blobs, c->upload.path, &c->upload.hash);
}

static enum err upload_create(struct call *c)
{
    const struct media_query *q = QUERY(c, media_query);
    struct asset_ref ref = { new_id(c) };
    struct str hash = hex_print(c->arena, c->upload.hash.b, SHA256_BYTES);
    int64_t waiting;
    struct id job;

    TRY(db_int(c, &waiting, "SELECT count(*) FROM asset WHERE owner = $1 AND state = 'processing'",
               c->who));
    if (waiting >= OPEN_MAX)
        return fail(c, E_BUSY, "%d of your pictures are still being prepared; please wait for them",
                    OPEN_MAX);
    TRY(job_add(c, "media.process", JOB_NOW, &ref, &job));
    return db_run(c,
                  "INSERT INTO asset (id, owner, purpose, state, filename, bytes, original, alt, "
                  "teaser, job, uses, created)"
                  " VALUES ($1, $2, $3, 'processing', $4, $5, $6, '', $7, $8, 0, $9)",
                  ref.asset, c->who, NAMED(purposes, q->purpose), q->filename, c->upload.size, hash,
                  new_id(c), job, c->now);
}

/* Also for a repeated request: only the job is known then. */
static enum err upload_answer(struct call *c)
{
    struct asset_row row;

    TRY(db_one(c, asset_row, &row,
               "SELECT id, owner, teaser, purpose, state, error, filename, type, original, bytes, "
               "width, height,"
               " alt, uses, created FROM asset WHERE job = $1 AND owner = $2",
               c->awaited, c->who));
    if (row.state == ASSET_FAILED)
        return fail_field(c, E_UNSUPPORTED_IMAGE, "body", "%.*s", STR_FMT(row.error));
    asset_dress(c, &row, OUT(c, asset));
    return E_OK;
}

/* --- making renditions ------------------------------------------------------------------------------------------ */

struct made {
    struct asset_row asset;
    struct image_made image;
    struct sha256 hashes[RENDITIONS_MAX];
    bool refused;
};

struct progress_context {
    struct call *call;
    struct id asset;
    int told;
};

static enum err progress_record(struct call *c)
{
    struct media_progress *p = c->prepared;

    return event_add(c, &progress_event, c->who, p);
}

/* Browsers are told at each quarter: a bar needs no more. */
static void progress_tell(void *context, int percent)
{
    struct progress_context *p = context;
    struct media_progress news = { p->asset, percent };
    struct arena a = { 0 };
    struct call own;

    if (percent < p->told + 25 || percent >= 100)
        return;
    p->told = percent;
    call_begin(&own, p->call->env, &a);
    own.who = p->call->who;
    own.prepared = &news;
    exec_transaction(p->call->env->exec, &own, WRITE,
                     progress_record); /* a lost percent is no harm */
    arena_done(&a);
}

static enum err renditions_keep(struct call *c, struct made *m)
{
    for (size_t i = 0; i < m->image.n; i++)
        TRY(blob_keep_file(c->env->blobs, m->image.renditions[i].path, &m->hashes[i]));
    return E_OK;
}

static enum err process_prepare(struct call *c)
{
    struct made *m = arena_new(c->arena, struct made);
    struct progress_context p = { c, IN(c, asset_ref)->asset, 0 };
    struct sha256 hash;
    struct str path;

    c->prepared = m;
    enum err e = asset_get(c, c->who, p.asset, &m->asset);
    if (e == E_NOT_FOUND || (e == E_OK && m->asset.state != ASSET_PROCESSING))
        return E_OK; /* deleted meanwhile, or done already */
    TRY(e);
    must(hex_parse(m->asset.original, hash.b, SHA256_BYTES));
    TRY(c->env->blobs->ops->path(c->env->blobs, &hash, c->arena, &path));
    e = c->env->images->make(c->env->images, c->arena, path, purposes[m->asset.purpose],
                             progress_tell, &p, &m->image);
    m->refused = e == E_UNSUPPORTED_IMAGE;
    if (m->refused)
        return E_OK;
    TRY(e);
    return renditions_keep(c, m);
}

static enum err record_refused(struct call *c, struct id asset, struct str why)
{
    struct media_failed news = { asset, why };
    struct asset_row a;

    TRY(asset_get(c, c->who, asset, &a));
    TRY(db_run(c, "UPDATE asset SET state = 'failed', error = $2, original = NULL WHERE id = $1",
               asset, why));
    if (a.original.p != NULL)
        TRY(job_add(c, "media.blob_sweep", JOB_NOW, &(struct blob_ref) { a.original }, NULL));
    return event_add(c, &failed_event, c->who, &news);
}

static enum err record_ready(struct call *c, const struct made *m)
{
    struct asset_ref ref = { m->asset.id };

    for (size_t i = 0; i < m->image.n; i++) {
        const struct rendition *r = &m->image.renditions[i];
        TRY(db_run(c,
                   "INSERT INTO rendition (asset, name, blob, width, height, bytes) VALUES ($1, "
                   "$2, $3, $4, $5, $6)"
                   " ON CONFLICT (asset, name) DO NOTHING",
                   ref.asset, r->name, hex_print(c->arena, m->hashes[i].b, SHA256_BYTES), r->width,
                   r->height, r->bytes));
    }
    TRY(db_run(c,
               "UPDATE asset SET state = 'ready', type = $2, width = $3, height = $4 WHERE id = $1",
               ref.asset, m->image.type, m->image.width, m->image.height));
    touch(c, c->who);
    return event_add(c, &ready_event, c->who, &ref);
}

/* What was made for nothing: the asset was deleted meanwhile, or another run was faster (then its rows keep them). */
static enum err made_drop(struct call *c, const struct made *m)
{
    for (size_t i = 0; i < m->image.n; i++)
        TRY(job_add(c, "media.blob_sweep", JOB_NOW,
                    &(struct blob_ref) { hex_print(c->arena, m->hashes[i].b, SHA256_BYTES) },
                    NULL));
    return E_OK;
}

static enum err process_record(struct call *c)
{
    const struct made *m = c->prepared;
    struct asset_row now;
    enum err e = asset_lock(c, c->who, IN(c, asset_ref)->asset, &now);

    if (e == E_NOT_FOUND || (e == E_OK && now.state != ASSET_PROCESSING))
        return made_drop(c, m);
    TRY(e);
    if (m->refused)
        return record_refused(c, now.id, m->image.refused);
    return record_ready(c, m);
}

static enum err process_gave_up(struct call *c)
{
    enum err e = record_refused(c, IN(c, asset_ref)->asset,
                                STR("The picture could not be prepared. Please upload it again."));

    return e == E_NOT_FOUND ? E_OK : e;
}

/* --- blobs that nothing names any more -------------------------------------------------------------------------- */

static enum err blob_sweep_prepare(struct call *c)
{
    struct str blob = IN(c, blob_ref)->blob;
    struct sha256 hash;
    int64_t n;

    TRY(db_int(c, &n,
               "SELECT (SELECT count(*) FROM asset WHERE original = $1) + (SELECT count(*) FROM "
               "rendition WHERE blob = $1)",
               blob));
    if (n > 0 || !hex_parse(blob, hash.b, SHA256_BYTES))
        return E_OK;
    return c->env->blobs->ops->remove(c->env->blobs, &hash);
}

static enum err blob_sweep_record(struct call *c)
{
    (void)c;
    return E_OK;
}

/* --- editing ---------------------------------------------------------------------------------------------------- */

static enum err asset_change(struct call *c)
{
    struct id id = PARAMS(c, asset_path)->asset;
    struct asset_row row;

    TRY(db_hit(c, "UPDATE asset SET alt = $3 WHERE id = $1 AND owner = $2", id, c->who,
               IN(c, asset_edit)->alt));
    touch(c, c->who);
    TRY(asset_get(c, c->who, id, &row));
    asset_dress(c, &row, OUT(c, asset));
    return E_OK;
}

static enum err renditions_drop(struct call *c, struct id asset)
{
    struct {
        struct blob_ref *v;
        size_t n;
    } blobs;

    TRY(db_list(c, blob_ref, &blobs, "DELETE FROM rendition WHERE asset = $1 RETURNING blob",
                asset));
    for (size_t i = 0; i < blobs.n; i++)
        TRY(job_add(c, "media.blob_sweep", JOB_NOW, &blobs.v[i], NULL));
    return E_OK;
}

/* Is it the avatar or banner now? */
static enum err shown_on_page(struct call *c, const struct asset_row *a, bool *result)
{
    struct str url = public_url(c, a->id, STR("full"));
    struct creator page = { 0 };

    *result = false;
    if (a->purpose == PURPOSE_POST)
        return E_OK;
    TRY(creator_of_id(c, c->who, &page));
    *result = str_eq(page.avatar_url, url) || str_eq(page.banner_url, url);
    return E_OK;
}

static enum err asset_delete(struct call *c)
{
    struct id id = PARAMS(c, asset_path)->asset;
    struct asset_row a;
    bool shown;

    TRY(asset_lock(c, c->who, id, &a));
    TRY(shown_on_page(c, &a, &shown));
    if (shown)
        return fail(c, E_CONFLICT, "it is your %s; choose another first", purposes[a.purpose]);
    if (a.uses > 0)
        return fail(c, E_CONFLICT,
                    "it stands in %" PRId64 " of your posts; take it out of them first", a.uses);
    TRY(renditions_drop(c, id));
    TRY(db_hit(c, "DELETE FROM asset WHERE id = $1 AND owner = $2", id, c->who));
    touch(c, c->who);
    if (a.original.p == NULL)
        return E_OK;
    return job_add(c, "media.blob_sweep", JOB_NOW, &(struct blob_ref) { a.original }, NULL);
}

/* --- avatar and banner ------------------------------------------------------------------------------------------ */

static enum err picture_set(struct call *c, enum purpose purpose)
{
    const struct picture_choice *in = IN(c, picture_choice);
    struct str url = STR_NONE;
    struct asset_row a;

    if (id_some(in->asset)) {
        enum err e = asset_lock(c, c->who, in->asset, &a);
        if (e == E_NOT_FOUND || (e == E_OK && a.purpose != purpose))
            return fail_field(c, E_NOT_FOUND, "asset", "there is no such %s of yours",
                              purposes[purpose]);
        TRY(e);
        if (a.state != ASSET_READY)
            return fail_field(c, E_NOT_READY, "asset", NULL);
        url = public_url(c, a.id, STR("full"));
    }
    touch(c, c->who);
    TRY(creator_set_picture(c, c->who, purpose == PURPOSE_BANNER, url));
    return creator_of_id(c, c->who, OUT(c, creator));
}

static enum err avatar_set(struct call *c)
{
    return picture_set(c, PURPOSE_AVATAR);
}

static enum err banner_set(struct call *c)
{
    return picture_set(c, PURPOSE_BANNER);
}

/* --- delivery --------------------------------------------------------------------------------------------------- */

static enum err send_blob(struct call *c, struct str blob, struct str cache)
{
    struct sha256 hash;
    int64_t size;
    int fd;

    must(hex_parse(blob, hash.b, SHA256_BYTES));
    TRY(c->env->blobs->ops->open(c->env->blobs, &hash, &fd, &size));
    reply_file(c, fd, STR("image/webp"), blob);
    c->reply.cache = cache;
    return E_OK;
}

static bool rendition_name(struct str file, struct str *name)
{
    return str_is(str_split(file, '.', name), "webp");
}

enum err media_send(struct call *c, struct id asset, struct str file, struct str cache)
{
    struct blob_ref r;
    struct str name;

    if (!rendition_name(file, &name) || str_is(name, "teaser"))
        return E_NOT_FOUND;
    TRY(db_one(c, blob_ref, &r, "SELECT blob FROM rendition WHERE asset = $1 AND name = $2", asset,
               name));
    return send_blob(c, r.blob, cache);
}

/* Avatars and banners by their asset, teasers by their own name; nothing else has a public path. */
static enum err public_read(struct call *c)
{
    const struct public_file *p = PARAMS(c, public_file);
    struct shown_blob r;
    struct str name;

    if (!rendition_name(p->file, &name))
        return E_NOT_FOUND;
    TRY(db_one(
        c, shown_blob, &r,
        "SELECT a.owner, r.blob FROM asset a JOIN rendition r ON r.asset = a.id AND r.name = $2"
        " WHERE (a.teaser = $1 AND $2 = 'teaser')"
        " OR (a.id = $1 AND a.purpose <> 'post' AND $2 <> 'teaser')",
        p->asset, name));
    depends(c, r.owner);
    return send_blob(c, r.blob, STR("public, max-age=86400, immutable"));
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
    { POST, "/v1/media", upload_create, "Upload a picture", .query = &media_query_shape,
      .out = &asset_shape, .auth = CREATOR, .tx = WRITE, .wire = WIRE_FILE, .status = 201,
      .prepare = upload_keep, .await = "media.process", .then = upload_answer,
      .body_max = UPLOAD_MAX, .rate = { 120, 60 }, .fails = { E_UNSUPPORTED_IMAGE } },
    { GET, "/v1/media", asset_list, "Your pictures", .query = &page_query_shape,
      .items = &asset_shape, .auth = CREATOR, .tx = READ },
    { GET, "/v1/media/{asset}", asset_read, "One of your pictures", .params = &asset_path_shape,
      .out = &asset_shape, .auth = CREATOR, .tx = READ },
    { PATCH, "/v1/media/{asset}", asset_change, "Describe a picture", .params = &asset_path_shape,
      .in = &asset_edit_shape, .out = &asset_shape, .auth = CREATOR, .tx = WRITE },
    { DELETE, "/v1/media/{asset}", asset_delete, "Delete a picture that no post shows",
      .params = &asset_path_shape, .auth = CREATOR, .tx = WRITE, .fails = { E_CONFLICT } },
    { PUT, "/v1/creators/me/avatar", avatar_set, "Set or remove the avatar",
      .in = &picture_choice_shape, .out = &creator_shape, .auth = CREATOR, .tx = WRITE,
      .fails = { E_NOT_READY } },
    { PUT, "/v1/creators/me/banner", banner_set, "Set or remove the banner",
      .in = &picture_choice_shape, .out = &creator_shape, .auth = CREATOR, .tx = WRITE,
      .fails = { E_NOT_READY } },
    { GET, "/media/{asset}/{file}", public_read, "An avatar, a banner or a teaser",
      .params = &public_file_shape, .auth = ANYONE, .tx = READ, .wire = WIRE_RAW, .cached = true,
      .rate = { 6000, 2000 } },
};

static const struct job_kind jobs[] = {
    { "media.process", process_record, .in = &asset_ref_shape, .tx = WRITE,
      .prepare = process_prepare, .gave_up = process_gave_up, .lease_ms = 120000, .tries = 4,
      .at_once = 2 },
    { "media.blob_sweep", blob_sweep_record, .in = &blob_ref_shape, .tx = NONE,
      .prepare = blob_sweep_prepare, .lease_ms = 30000, .tries = 10 },
};

static const struct event_kind *const events[] = { &progress_event, &ready_event, &failed_event };

const struct module media_module = { "media", MODULE_ROUTES(routes), MODULE_JOBS(jobs),
                                     MODULE_EVENTS(events) };
