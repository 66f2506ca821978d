/* access.c -- rules, decisions, and the delivery of bytes that need one.
 *
 * A byte of a locked asset leaves only through asset_read below: a path signed for this asset, this session and this hour,
 * and then, each time, the question whether this viewer may see anything that shows the asset now. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/access/access.h"
#include "services/creator/creator.h"
#include "services/media/media.h"
#include "services/subscription/subscription.h"

#include <stdlib.h>

/* --- shapes ----------------------------------------------------------------------------------------------------- */

const char *const access_kinds[] = { "public", "followers", "tiers", NULL };

static const struct field access_rule_fields[] = {
    ID(access_rule, object, ID_POST, "What it guards"),
    ID(access_rule, creator, ID_CREATOR, "Whose it is"),
    ENUM(access_rule, kind, access_kinds, "Who may see it"),
    BOOL(access_rule, hidden, "A draft: the creator alone"),
};
STATIC_SHAPE(access_rule);

struct tier_row {
    struct id object, tier;
};
static const struct field tier_row_fields[] = {
    ID(tier_row, object, ID_POST, "Object"),
    ID(tier_row, tier, ID_TIER, "Tier"),
};
STATIC_SHAPE(tier_row);

struct object_row {
    struct id object;
};
static const struct field object_row_fields[] = { ID(object_row, object, ID_POST, "Object") };
STATIC_SHAPE(object_row);

struct asset_file {
    struct str token;
    struct id asset;
    struct str file;
};
static const struct field asset_file_fields[] = {
    TEXT(asset_file, token, "As the API gave it", .min = 1, .max = 200),
    ID(asset_file, asset, ID_ASSET, "Asset"),
    TEXT(asset_file, file, "thumb.webp, feed.webp or full.webp", .min = 1, .max = 40),
};
STATIC_SHAPE(asset_file);

/* --- rules ------------------------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    int64_t x = ((const struct id *)a)->v, y = ((const struct id *)b)->v;

    return x < y ? -1 : x > y;
}

static bool follows(const struct access_viewer *v, struct id creator)
{
    return v->creators_n > 0 &&
           bsearch(&creator, v->creators, v->creators_n, sizeof(creator), by_number) != NULL;
}

static bool entitled(const struct access_viewer *v, const struct access_rule *rule)
{
    for (size_t i = 0; i < v->entitlements_n; i++) {
        const struct entitlement *e = &v->entitlements[i];
        if (!id_is(e->creator, rule->creator))
            continue;
        if (rule->kind == ACCESS_FOLLOWERS)
            return true;
        for (size_t k = 0; k < rule->tiers.n; k++)
            if (id_is(rule->tiers.v[k], e->tier))
                return true;
    }
    return false;
}

bool access_check(const struct access_viewer *v, const struct access_rule *rule)
{
    if (id_some(v->who) && id_is(v->who, rule->creator))
        return true;
    if (rule->hidden)
        return false;
    switch (rule->kind) {
    case ACCESS_PUBLIC:
        return true;
    case ACCESS_FOLLOWERS:
        return follows(v, rule->creator) || entitled(v, rule);
    case ACCESS_TIERS:
        return entitled(v, rule);
    }
    return false;
}

/* --- viewers ---------------------------------------------------------------------------------------------------- */

enum err access_viewer_begin(struct call *c, struct access_viewer *result)
{
    struct entitlement_list entitlements = { 0 };

    if (id_some(c->who))
        TRY(subscription_entitlements(c, c->who, &entitlements));
    /* They lapse by the clock alone: what is decided here must not be kept longer. */
    for (size_t i = 0; i < entitlements.n; i++)
        depends_until(c, entitlements.v[i].until);
    *result = (struct access_viewer) { .who = c->who,
                                       .entitlements = entitlements.v,
                                       .entitlements_n = entitlements.n };
    return E_OK;
}

/* Only the creators in question: a fan may follow thousands. */
enum err access_viewer_follows(struct call *c, const struct access_rule *rules, size_t n,
                               struct access_viewer *v)
{
    if (v->follows_known || !id_some(c->who))
        return E_OK;
    struct id *asked = arena_array(c->arena, struct id, n + 1);
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (rules[i].kind == ACCESS_FOLLOWERS && !rules[i].hidden)
            asked[m++] = rules[i].creator;
    if (m == 0)
        return E_OK;
    v->creators = arena_array(c->arena, struct id, m);
    return creator_followed_among(c, c->who, asked, m, v->creators, &v->creators_n);
}

enum err access_viewer_load(struct call *c, const struct access_rule *rules, size_t n,
                            struct access_viewer *result)
{
    struct access_viewer v;

    TRY(access_viewer_begin(c, &v));
    TRY(access_viewer_follows(c, rules, n, &v));
    *result = v;
    return E_OK;
}

/* --- objects ---------------------------------------------------------------------------------------------------- */

enum err access_remove(struct call *c, struct id object)
{
    TRY(db_run(c, "DELETE FROM access_asset WHERE object = $1", object));
    TRY(db_run(c, "DELETE FROM access_tier WHERE object = $1", object));
    return db_run(c, "DELETE FROM access_rule WHERE object = $1", object);
}

enum err access_set(struct call *c, const struct access_rule *rule, const struct id *assets,
                    size_t n)
{
    TRY(access_remove(c, rule->object));
    TRY(db_run(c, "INSERT INTO access_rule (object, creator, kind, hidden) VALUES ($1, $2, $3, $4)",
               rule->object, rule->creator, NAMED(access_kinds, rule->kind), rule->hidden));
    for (size_t i = 0; i < rule->tiers.n; i++)
        TRY(db_run(c,
                   "INSERT INTO access_tier (object, tier) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                   rule->object, rule->tiers.v[i]));
    for (size_t i = 0; i < n; i++)
        TRY(db_run(
            c, "INSERT INTO access_asset (asset, object) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            assets[i], rule->object));
    touch(c, rule->creator);
    return E_OK;
}

enum err access_show(struct call *c, struct id object)
{
    return db_hit(c, "UPDATE access_rule SET hidden = 0 WHERE object = $1", object);
}

struct rule_rows {
    struct access_rule *v;
    size_t n;
};
struct tier_rows {
    struct tier_row *v;
    size_t n;
};

static struct access_rule *rule_of(struct access_rule *rules, size_t n, struct id object)
{
    for (size_t i = 0; i < n; i++)
        if (id_is(rules[i].object, object))
            return &rules[i];
    return NULL;
}

static enum err tiers_fill(struct call *c, const struct id *ids, size_t n,
                           struct access_rule *rules)
{
    struct tier_rows rows;

    TRY(db_list(
        c, tier_row, &rows,
        "SELECT object, tier FROM access_tier WHERE object IN_LIST($1) ORDER BY object, tier",
        db_ids(c, ids, n)));
    for (size_t i = 0; i < rows.n; i++) {
        struct access_rule *r = rule_of(rules, n, rows.v[i].object);
        if (r->tiers.v == NULL)
            r->tiers.v = arena_array(c->arena, struct id, rows.n);
        r->tiers.v[r->tiers.n++] = rows.v[i].tier;
    }
    return E_OK;
}

enum err access_rules(struct call *c, const struct id *ids, size_t n, struct access_rule *result)
{
    struct rule_rows rows;
    bool tiers = false;

    if (n == 0)
        return E_OK;
    TRY(db_list(c, access_rule, &rows,
                "SELECT object, creator, kind, hidden FROM access_rule WHERE object IN_LIST($1)",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        const struct access_rule *found = rule_of(rows.v, rows.n, ids[i]);
        result[i] =
            found != NULL ? *found : (struct access_rule) { .object = ids[i], .hidden = true };
        tiers |= result[i].kind == ACCESS_TIERS;
    }
    return tiers ? tiers_fill(c, ids, n, result) : E_OK;
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

struct object_rows {
    struct object_row *v;
    size_t n;
};

/* May the caller see anything that shows this asset? */
static enum err asset_check(struct call *c, struct id asset)
{
    struct object_rows objects;
    struct access_viewer viewer;

    TRY(db_list(c, object_row, &objects, "SELECT object FROM access_asset WHERE asset = $1",
                asset));
    struct id *ids = arena_array(c->arena, struct id, objects.n + 1);
    struct access_rule *rules = arena_array(c->arena, struct access_rule, objects.n + 1);
    for (size_t i = 0; i < objects.n; i++)
        ids[i] = objects.v[i].object;
    TRY(access_rules(c, ids, objects.n, rules));
    TRY(access_viewer_load(c, rules, objects.n, &viewer));
    for (size_t i = 0; i < objects.n; i++)
        depends(c, rules[i].creator);
    for (size_t i = 0; i < objects.n; i++)
        if (access_check(&viewer, &rules[i]))
            return E_OK;
    return E_NOT_FOUND;
}

static enum err asset_read(struct call *c)
{
    const struct asset_file *p = PARAMS(c, asset_file);
    struct id owner;

    TRY(media_token_check(c, p->token, p->asset));
    TRY(media_owner(c, p->asset, &owner));
    depends(c, owner);
    if (!id_some(c->who) || !id_is(owner, c->who))
        TRY(asset_check(c, p->asset));
    /* Kept by this browser only, and asked again within minutes, so that a right that ended is noticed. */
    return media_send(c, p->asset, p->file, STR("private, max-age=300"));
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
    { GET, "/m/{token}/{asset}/{file}", asset_read, "A picture, by its signed path",
      .params = &asset_file_shape, .auth = ANYONE, .tx = READ, .wire = WIRE_RAW, .cached = true,
      .rate = { 12000, 3000 }, .fails = { E_EXPIRED } },
};

const struct module access_module = { "access", MODULE_ROUTES(routes) };
