/* creator.c -- pages of creators: profile, tiers, followers.
 *
 * Invariants: a creator has the number of its account, and one account one page; followers == rows of follow; a tier's
 * price only ever counts for subscriptions made after it was set (each keeps its own), and a tier is archived, never
 * deleted, because subscriptions and posts name it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/creator/creator.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"

#include <inttypes.h>

enum { BIO_MAX = 1000, TIER_TEXT_MAX = 1000, TIERS_MAX = 20, FOLLOWS_MAX = 5000 };

static const struct field creator_card_fields[] = {
    ID(creator_card, id, ID_CREATOR, "Creator"),
    HANDLE(creator_card, handle, "In the page's address: /@handle"),
    TEXT(creator_card, name, "Shown to others", .max = ACCOUNT_NAME_MAX),
    URL(creator_card, avatar_url, "Round picture", .optional = true),
};
SHAPE(creator_card);

struct card_list {
    struct creator_card *v;
    size_t n;
};

static const struct field tier_fields[] = {
    ID(tier, id, ID_TIER, "Tier"),
    TEXT(tier, name, "Name", .max = ACCOUNT_NAME_MAX),
    TEXT(tier, description, "What one gets", .max = TIER_TEXT_MAX),
    MONEY(tier, price, "A month"),
    BOOL(tier, archived, "Takes no new subscribers"),
};
SHAPE(tier);

#define TIER_COLUMNS "id, name, description, price, currency, archived"

/* A tier and whose it is. */
struct tier_row {
    struct id id, creator;
    struct str name, description;
    struct money price;
    bool archived;
};

static const struct field tier_row_fields[] = {
    ID(tier_row, id, ID_TIER, "Tier"),
    ID(tier_row, creator, ID_CREATOR, "Whose"),
    TEXT(tier_row, name, "Name", .max = ACCOUNT_NAME_MAX),
    TEXT(tier_row, description, "What one gets", .max = TIER_TEXT_MAX),
    MONEY(tier_row, price, "A month"),
    BOOL(tier_row, archived, "Takes no new subscribers"),
};
STATIC_SHAPE(tier_row);

struct tier_row_list {
    struct tier_row *v;
    size_t n;
};

static const struct field creator_fields[] = {
    ID(creator, id, ID_CREATOR, "Creator"),
    HANDLE(creator, handle, "In the page's address: /@handle", .sample = "ana"),
    TEXT(creator, name, "Shown to others", .max = ACCOUNT_NAME_MAX, .sample = "Ana"),
    TEXT(creator, bio, "About the page", .max = BIO_MAX),
    URL(creator, avatar_url, "Round picture", .optional = true),
    URL(creator, banner_url, "Wide picture", .optional = true),
    INTEGER(creator, followers, "How many follow", .max = INT64_MAX),
    INTEGER(creator, posts, "How many are published", .max = INT64_MAX),
    BOOL(creator, following, "The viewer follows"),
    BOOL(creator, own, "It is the viewer's page"),
    LIST(creator, tiers, tier, "Open ones, cheapest first", .max = TIERS_MAX),
    WHEN(creator, created, "Since when there is a page"),
};
SHAPE(creator);

/* $1 is the viewer. */
#define CREATOR_COLUMNS                                                                            \
    "id, handle, name, bio, avatar_url, banner_url, followers, posts, created,"                    \
    " CASE WHEN id = $1 THEN 1 ELSE 0 END AS own,"                                                 \
    " CASE WHEN EXISTS (SELECT 1 FROM follow WHERE fan = $1 AND creator = creator.id)"             \
    " THEN 1 ELSE 0 END AS following"

struct creator_new {
    struct str handle, name, bio;
};

static const struct field creator_new_fields[] = {
    HANDLE(creator_new, handle, "In the page's address; letters, digits and _", .sample = "ana"),
    TEXT(creator_new, name, "Shown to others", .min = 1, .max = ACCOUNT_NAME_MAX, .sample = "Ana"),
    TEXT(creator_new, bio, "About the page", .max = BIO_MAX),
};
STATIC_SHAPE(creator_new);

struct creator_edit {
    struct given given;
    struct str handle, name, bio;
};

static const struct field creator_edit_fields[] = {
    HANDLE(creator_edit, handle, "In the page's address; the old one is free for others at once",
           .optional = true),
    TEXT(creator_edit, name, "Shown to others", .min = 1, .max = ACCOUNT_NAME_MAX,
         .optional = true),
    TEXT(creator_edit, bio, "About the page", .max = BIO_MAX, .optional = true),
};
PATCH_SHAPE(creator_edit);

/* Any text, in any case: what cannot be a handle is simply nobody's. */
struct handle_ref {
    struct str handle;
};

static const struct field handle_ref_fields[] = {
    TEXT(handle_ref, handle, "Of the creator", .min = 1, .max = 60, .sample = "ana"),
};
STATIC_SHAPE(handle_ref);

struct tier_new {
    struct str name, description;
    struct money price;
};

static const struct field tier_new_fields[] = {
    TEXT(tier_new, name, "Name", .min = 1, .max = ACCOUNT_NAME_MAX, .sample = "Front row"),
    TEXT(tier_new, description, "What one gets", .max = TIER_TEXT_MAX),
    MONEY(tier_new, price, "A month; at least the currency's minimum", .min = 1, .max = MONEY_MAX),
};
STATIC_SHAPE(tier_new);

struct tier_edit {
    struct given given;
    struct str name, description;
    int64_t price;
};

static const struct field tier_edit_fields[] = {
    TEXT(tier_edit, name, "Name", .min = 1, .max = ACCOUNT_NAME_MAX, .optional = true),
    TEXT(tier_edit, description, "What one gets", .max = TIER_TEXT_MAX, .optional = true),
    INTEGER(tier_edit, price,
            "A month, in minor units of the tier's currency. New subscriptions pay it; those that "
            "there are keep the price they were made with",
            .min = 1, .max = MONEY_MAX, .optional = true),
};
PATCH_SHAPE(tier_edit);

struct tier_ref {
    struct id tier;
};

static const struct field tier_ref_fields[] = {
    ID(tier_ref, tier, ID_TIER, "Tier"),
};
STATIC_SHAPE(tier_ref);

static const struct field creator_ref_fields[] = {
    ID(creator_ref, creator, ID_CREATOR, "Creator"),
    INTEGER(creator_ref, head, "Position of the newest post"),
};
STATIC_SHAPE(creator_ref);

struct followed_row {
    struct id creator;
};

static const struct field followed_row_fields[] = {
    ID(followed_row, creator, ID_CREATOR, "Creator"),
};
STATIC_SHAPE(followed_row);

/* --- rules ------------------------------------------------------------------------------------------------------ */

/* Words that are ours in addresses or that would pass for us. Handles have at least three characters. */
static bool is_reserved(struct str handle)
{
    static const char *const words[] = {
        "abuse",    "account", "accounts",   "admin",     "administrator", "api",
        "app",      "assets",  "become",     "billing",   "blog",          "checkout",
        "config",   "contact", "creator",    "creators",  "dashboard",     "docs",
        "everyone", "explore", "feed",       "follow",    "follows",       "forgot",
        "help",     "home",    "legal",      "livez",     "login",         "logout",
        "mail",     "media",   "messages",   "metrics",   "moderator",     "news",
        "nobody",   "null",    "official",   "openapi",   "operator",      "payments",
        "post",     "posts",   "postmaster", "privacy",   "readyz",        "register",
        "reset",    "root",    "search",     "security",  "settings",      "signin",
        "signout",  "signup",  "sandbox",    "somebody",  "stagedoor",     "staff",
        "static",   "status",  "studio",     "subscribe", "subscriptions", "support",
        "system",   "team",    "terms",      "tier",      "tiers",         "undefined",
        "user",     "users",   "verify",     "webhooks",  "webmaster",     "www",
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_is(handle, words[i]))
            return true;
    return false;
}

static enum err handle_check(struct call *c, struct str handle)
{
    if (is_reserved(handle))
        return fail_field(c, E_TAKEN, "handle", "This handle is reserved. Choose another.");
    return E_OK;
}

static enum err price_check(struct call *c, int64_t price, struct currency currency)
{
    const struct currency_facts *facts = currency_facts(currency);
    struct str least = money_print(c->arena, (struct money) { facts->minimum, currency });

    if (price < facts->minimum)
        return fail_field(c, E_BELOW_MINIMUM, "price", "must be at least %.*s", STR_FMT(least));
    if (price % facts->step != 0)
        return fail_field(c, E_INVALID, "price", "must be a multiple of %" PRId64, facts->step);
    return E_OK;
}

/* --- dressing --------------------------------------------------------------------------------------------------- */

static void tier_add(struct call *c, struct creator *to, const struct tier_row *t)
{
    if (to->tiers.v == NULL)
        to->tiers.v = arena_array(c->arena, struct tier, TIERS_MAX);
    if (to->tiers.n < TIERS_MAX)
        to->tiers.v[to->tiers.n++] = (struct tier) { .id = t->id,
                                                     .name = t->name,
                                                     .description = t->description,
                                                     .price = t->price,
                                                     .archived = t->archived };
}

/* Their tiers, with one query for all. */
static enum err creators_dress(struct call *c, struct creator *creators, size_t n)
{
    struct id *ids = arena_array(c->arena, struct id, n);
    struct tier_row_list tiers = { 0 };

    for (size_t i = 0; i < n; i++) {
        ids[i] = creators[i].id;
        depends(c, ids[i]);
    }
    TRY(db_list(c, tier_row, &tiers,
                "SELECT id, creator, name, description, price, currency, archived FROM tier"
                " WHERE creator IN_LIST($1) AND archived = 0"
                " ORDER BY creator, price, id",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < tiers.n; k++)
            if (id_is(tiers.v[k].creator, ids[i]))
                tier_add(c, &creators[i], &tiers.v[k]);
    return E_OK;
}

enum err creator_of_id(struct call *c, struct id id, struct creator *result)
{
    TRY(db_one(c, creator, result, "SELECT " CREATOR_COLUMNS " FROM creator WHERE id = $2", c->who,
               id));
    return creators_dress(c, result, 1);
}

static enum err creator_of_handle(struct call *c, struct str handle, struct id viewer,
                                  struct creator *result)
{
    TRY(db_one(c, creator, result, "SELECT " CREATOR_COLUMNS " FROM creator WHERE handle = $2",
               viewer, str_lower(c->arena, handle)));
    return creators_dress(c, result, 1);
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

static enum err creator_create(struct call *c)
{
    const struct creator_new *in = IN(c, creator_new);
    struct str name;
    int64_t id = 0;

    TRY(account_name(c, "name", in->name, &name));
    TRY(handle_check(c, in->handle));
    enum err e = db_int(c, &id, "SELECT id FROM creator WHERE id = $1", c->who);
    if (e == E_OK)
        return fail(c, E_CONFLICT, "You have a page already.");
    if (e != E_NOT_FOUND)
        return e;
    e = db_int(c, &id,
               "INSERT INTO creator (id, handle, name, bio, followers, posts, head, created)"
               " VALUES ($1, $2, $3, $4, 0, 0, 0, $5)"
               " ON CONFLICT DO NOTHING RETURNING id",
               c->who, in->handle, name, in->bio, c->now);
    if (e == E_NOT_FOUND)
        return fail_field(c, E_TAKEN, "handle", NULL);
    TRY(e);
    TRY(account_set_creator(c, c->who));
    TRY(audit_add(c, "creator.created", c->who, in->handle));
    touch(c, c->who);
    return creator_of_id(c, c->who, OUT(c, creator));
}

static enum err handle_set(struct call *c, struct str handle)
{
    int64_t other = 0;

    TRY(handle_check(c, handle));
    enum err e =
        db_int(c, &other, "SELECT id FROM creator WHERE handle = $1 AND id <> $2", handle, c->who);
    if (e == E_OK)
        return fail_field(c, E_TAKEN, "handle", NULL);
    if (e != E_NOT_FOUND)
        return e;
    TRY(db_hit(c, "UPDATE creator SET handle = $2 WHERE id = $1", c->who, handle));
    return audit_add(c, "creator.handle_changed", c->who, handle);
}

static enum err creator_patch(struct call *c)
{
    const struct creator_edit *in = IN(c, creator_edit);
    struct str name = STR_NONE;

    if (GIVEN(creator_edit, in, name))
        TRY(account_name(c, "name", in->name, &name));
    if (GIVEN(creator_edit, in, handle))
        TRY(handle_set(c, in->handle));
    TRY(db_hit(c,
               "UPDATE creator SET name = coalesce($2, name), bio = coalesce($3, bio)"
               " WHERE id = $1",
               c->who, name, GIVEN(creator_edit, in, bio) ? in->bio : STR_NONE));
    touch(c, c->who);
    return creator_of_id(c, c->who, OUT(c, creator));
}

static enum err creator_me(struct call *c)
{
    return creator_of_id(c, c->who, OUT(c, creator));
}

static enum err creator_get(struct call *c)
{
    depends(c, c->who);
    return creator_of_handle(c, PARAMS(c, handle_ref)->handle, c->who, OUT(c, creator));
}

static enum err creator_explore(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    TRY(db_page(c, creator, q->cursor, q->limit,
                "SELECT " CREATOR_COLUMNS " FROM creator WHERE id < $cursor ORDER BY id DESC",
                c->who));
    return creators_dress(c, PAGE(c, creator), c->page.n);
}

/* What fits of a text's first line; never half a character. */
static struct str first_line(struct str text, size_t max)
{
    struct str line;

    str_split(text, '\n', &line);
    if (line.n <= max)
        return str_trim(line);
    while (max > 0 && ((unsigned char)line.p[max] & 0xc0) == 0x80)
        max--;
    return str_trim(str_cut(line, 0, max));
}

/* The page as the web app will ask for it first, so that it need not ask. Seen by anyone: HTML is cached by address. */
static enum err page_head_of(struct call *c, const struct creator *v, struct page_head *head)
{
    struct str json = shape_json(&creator_shape, v, c->arena);
    struct str bio = first_line(v->bio, 300);
    struct str site = setting_text(c->env->settings, "site.name");

    *head = (struct page_head) {
        .status = 200,
        .title = str_printf(c->arena, "%.*s (@%.*s)", STR_FMT(v->name), STR_FMT(v->handle)),
        .description =
            bio.n > 0 ? bio : str_printf(c->arena, "%.*s on %.*s", STR_FMT(v->name), STR_FMT(site)),
        .image = v->avatar_url,
        .data = str_printf(c->arena, "{\"GET /v1/creators/%.*s\":%.*s}", STR_FMT(v->handle),
                           STR_FMT(json)),
    };
    return E_OK;
}

static enum err creator_page(struct call *c)
{
    struct page_head *head = OUT(c, page_head);
    struct creator v = { 0 };
    enum err e = creator_of_handle(c, PARAMS(c, handle_ref)->handle, ID_NONE, &v);

    if (e != E_NOT_FOUND)
        return e == E_OK ? page_head_of(c, &v, head) : e;
    *head = (struct page_head) { .status = 404,
                                 .title = STR("Nothing here"),
                                 .description = STR("There is no page at this address.") };
    return E_OK;
}

/* --- tiers ------------------------------------------------------------------------------------------------------ */

static enum err tier_create(struct call *c)
{
    const struct tier_new *in = IN(c, tier_new);
    struct str name;
    int64_t n = 0;

    TRY(account_name(c, "name", in->name, &name));
    TRY(price_check(c, in->price.minor, in->price.currency));
    /* One at a time for each creator, so that the count holds. */
    TRY(db_int(c, &n, "SELECT id FROM creator WHERE id = $1 FOR UPDATE", c->who));
    TRY(db_int(c, &n, "SELECT count(*) FROM tier WHERE creator = $1 AND archived = 0", c->who));
    if (n >= TIERS_MAX)
        return fail(c, E_CONFLICT, "There can be %d tiers. Archive one first.", TIERS_MAX);
    touch(c, c->who);
    return db_one(c, tier, OUT(c, tier),
                  "INSERT INTO tier"
                  " (id, creator, name, description, price, currency, archived, created)"
                  " VALUES ($1, $2, $3, $4, $5, $6, 0, $7)"
                  " RETURNING " TIER_COLUMNS,
                  new_id(c), c->who, name, in->description, in->price.minor, in->price.currency,
                  c->now);
}

static enum err tier_patch(struct call *c)
{
    const struct tier_edit *in = IN(c, tier_edit);
    struct id id = PARAMS(c, tier_ref)->tier;
    struct str name = STR_NONE;
    struct tier old = { 0 };

    if (GIVEN(tier_edit, in, name))
        TRY(account_name(c, "name", in->name, &name));
    TRY(db_one(c, tier, &old,
               "SELECT " TIER_COLUMNS
               " FROM tier WHERE id = $1 AND creator = $2 AND archived = 0 FOR UPDATE",
               id, c->who));
    if (GIVEN(tier_edit, in, price))
        TRY(price_check(c, in->price, old.price.currency));
    touch(c, c->who);
    return db_one(c, tier, OUT(c, tier),
                  "UPDATE tier SET name = coalesce($2, name),"
                  " description = coalesce($3, description), price = coalesce($4, price)"
                  " WHERE id = $1"
                  " RETURNING " TIER_COLUMNS,
                  id, name, GIVEN(tier_edit, in, description) ? in->description : STR_NONE,
                  GIVEN(tier_edit, in, price) ? in->price : INT_NONE);
}

static enum err tier_archive(struct call *c)
{
    touch(c, c->who);
    return db_hit(c, "UPDATE tier SET archived = 1 WHERE id = $1 AND creator = $2 AND archived = 0",
                  PARAMS(c, tier_ref)->tier, c->who);
}

/* --- following -------------------------------------------------------------------------------------------------- */

static enum err follow_add(struct call *c, struct id fan, struct id creator)
{
    int64_t n = 0;

    if (id_is(fan, creator))
        return fail(c, E_CONFLICT, "This is your own page.");
    TRY(db_int(c, &n, "SELECT 1 FROM creator WHERE id = $1", creator));
    TRY(db_int(c, &n, "SELECT count(*) FROM follow WHERE fan = $1", fan));
    bool full = n >= FOLLOWS_MAX;
    enum err e = db_hit(c,
                        "INSERT INTO follow (id, fan, creator, created) VALUES ($1, $2, $3, $4)"
                        " ON CONFLICT (fan, creator) DO NOTHING",
                        new_id(c), fan, creator, c->now);
    if (e == E_NOT_FOUND)
        return E_OK;
    TRY(e);
    if (full)
        return fail(c, E_CONFLICT, "You follow %d creators, which is the most.", FOLLOWS_MAX);
    return db_hit(c, "UPDATE creator SET followers = followers + 1 WHERE id = $1", creator);
}

static enum err follow_remove(struct call *c, struct id fan, struct id creator)
{
    int64_t n = 0;
    enum err e = db_hit(c, "DELETE FROM follow WHERE fan = $1 AND creator = $2", fan, creator);

    if (e == E_NOT_FOUND)
        return db_int(c, &n, "SELECT 1 FROM creator WHERE id = $1", creator);
    TRY(e);
    return db_hit(c, "UPDATE creator SET followers = followers - 1 WHERE id = $1", creator);
}

enum err creator_follow(struct call *c, struct id fan, struct id creator, bool follow)
{
    touch(c, fan);
    touch(c, creator);
    return follow ? follow_add(c, fan, creator) : follow_remove(c, fan, creator);
}

static enum err follow_set(struct call *c, bool follow)
{
    struct id creator;

    TRY(creator_by_handle(c, PARAMS(c, handle_ref)->handle, &creator));
    TRY(creator_follow(c, c->who, creator, follow));
    return creator_of_id(c, creator, OUT(c, creator));
}

static enum err follow_put(struct call *c)
{
    return follow_set(c, true);
}

static enum err follow_delete(struct call *c)
{
    return follow_set(c, false);
}

static enum err follow_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    return db_page(c, creator_card, q->cursor, q->limit,
                   "SELECT f.id AS cursor, cr.id, cr.handle, cr.name, cr.avatar_url"
                   " FROM follow f JOIN creator cr ON cr.id = f.creator"
                   " WHERE f.fan = $1 AND f.id < $cursor"
                   " ORDER BY f.id DESC",
                   c->who);
}

/* --- for other services ----------------------------------------------------------------------------------------- */

enum err creator_cards(struct call *c, const struct id *ids, size_t n, struct creator_card **result)
{
    struct card_list found = { 0 };

    TRY(db_list(c, creator_card, &found,
                "SELECT id, handle, name, avatar_url FROM creator WHERE id IN_LIST($1)",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        result[i] = NULL;
        for (size_t k = 0; k < found.n && result[i] == NULL; k++)
            if (id_is(found.v[k].id, ids[i]))
                result[i] = &found.v[k];
    }
    return E_OK;
}

enum err creator_by_handle(struct call *c, struct str handle, struct id *creator)
{
    int64_t id = 0;

    TRY(db_int(c, &id, "SELECT id FROM creator WHERE handle = $1", str_lower(c->arena, handle)));
    *creator = (struct id) { id };
    return E_OK;
}

static struct tier tier_of_row(const struct tier_row *r)
{
    return (struct tier) { .id = r->id,
                           .name = r->name,
                           .description = r->description,
                           .price = r->price,
                           .archived = r->archived };
}

enum err creator_tier(struct call *c, struct id tier, struct tier *result, struct id *creator)
{
    struct tier_row row = { 0 };

    TRY(db_one(c, tier_row, &row,
               "SELECT id, creator, name, description, price, currency, archived FROM tier"
               " WHERE id = $1",
               tier));
    *result = tier_of_row(&row);
    *creator = row.creator;
    return E_OK;
}

enum err creator_tiers(struct call *c, const struct id *ids, size_t n, struct tier **result)
{
    LIST_OF(tier) found = { 0 };

    TRY(db_list(c, tier, &found, "SELECT " TIER_COLUMNS " FROM tier WHERE id IN_LIST($1)",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        result[i] = NULL;
        for (size_t k = 0; k < found.n && result[i] == NULL; k++)
            if (id_is(found.v[k].id, ids[i]))
                result[i] = &found.v[k];
    }
    return E_OK;
}

enum err creator_set_picture(struct call *c, struct id creator, bool banner, struct str url)
{
    touch(c, creator);
    if (banner)
        return db_hit(c, "UPDATE creator SET banner_url = $2 WHERE id = $1", creator, url);
    return db_hit(c, "UPDATE creator SET avatar_url = $2 WHERE id = $1", creator, url);
}

enum err creator_followed_among(struct call *c, struct id fan, const struct id *creators, size_t n,
                                struct id *result, size_t *found)
{
    LIST_OF(followed_row) rows = { 0 };

    TRY(db_list(c, followed_row, &rows,
                "SELECT creator FROM follow WHERE fan = $1 AND creator IN_LIST($2)"
                " ORDER BY creator",
                fan, db_ids(c, creators, n)));
    must(rows.n <= n);
    for (size_t i = 0; i < rows.n; i++)
        result[i] = rows.v[i].creator;
    *found = rows.n;
    return E_OK;
}

enum err creator_follows(struct call *c, struct id fan, struct creator_ref_list *result)
{
    return db_list(c, creator_ref, result,
                   "SELECT cr.id AS creator, cr.head FROM follow f"
                   " JOIN creator cr ON cr.id = f.creator"
                   " WHERE f.fan = $1"
                   " ORDER BY f.creator",
                   fan);
}

enum err creator_refs(struct call *c, const struct id *ids, size_t n,
                      struct creator_ref_list *result)
{
    return db_list(c, creator_ref, result,
                   "SELECT id AS creator, head FROM creator WHERE id IN_LIST($1)",
                   db_ids(c, ids, n));
}

enum err creator_published(struct call *c, struct id creator, int64_t position, int64_t change)
{
    must(change >= -1 && change <= 1 && position >= 0);
    touch(c, creator);
    /* Two posts may be published at once: the newer position stays, whichever comes last. */
    return db_hit(c,
                  "UPDATE creator SET posts = posts + $3,"
                  " head = CASE WHEN $3 >= 0 AND head > $2 THEN head ELSE $2 END"
                  " WHERE id = $1",
                  creator, position, change);
}

static const struct route routes[] = {
    { POST, "/v1/creators", creator_create, "Become a creator", .in = &creator_new_shape,
      .out = &creator_shape, .auth = FAN, .tx = WRITE, .status = 201,
      .fails = { E_TAKEN, E_CONFLICT } },
    { GET, "/v1/creators", creator_explore, "Creators, newest first", .query = &page_query_shape,
      .items = &creator_shape, .auth = ANYONE, .tx = READ },
    { GET, "/v1/creators/me", creator_me, "One's own page", .out = &creator_shape, .auth = CREATOR,
      .tx = READ },
    { PATCH, "/v1/creators/me", creator_patch, "Change one's page", .in = &creator_edit_shape,
      .out = &creator_shape, .auth = CREATOR, .tx = WRITE, .fails = { E_TAKEN } },
    { GET, "/v1/creators/{handle}", creator_get, "A creator's page", .params = &handle_ref_shape,
      .out = &creator_shape, .auth = ANYONE, .tx = READ, .cached = true },
    { GET, "/@{handle}", creator_page, "A creator's page, as a web page",
      .params = &handle_ref_shape, .out = &page_head_shape, .auth = ANYONE, .tx = READ,
      .wire = WIRE_PAGE },
    { POST, "/v1/creators/me/tiers", tier_create, "Add a tier", .in = &tier_new_shape,
      .out = &tier_shape, .auth = CREATOR, .tx = WRITE, .status = 201,
      .fails = { E_BELOW_MINIMUM, E_CONFLICT } },
    { PATCH, "/v1/tiers/{tier}", tier_patch,
      "Change a tier; those who are subscribed keep their price", .params = &tier_ref_shape,
      .in = &tier_edit_shape, .out = &tier_shape, .auth = CREATOR, .tx = WRITE,
      .fails = { E_BELOW_MINIMUM } },
    { DELETE, "/v1/tiers/{tier}", tier_archive,
      "Archive a tier: no new subscribers; those there are stay", .params = &tier_ref_shape,
      .auth = CREATOR, .tx = WRITE },
    { PUT, "/v1/creators/{handle}/follow", follow_put, "Follow", .params = &handle_ref_shape,
      .out = &creator_shape, .auth = FAN, .tx = WRITE, .fails = { E_CONFLICT } },
    { DELETE, "/v1/creators/{handle}/follow", follow_delete, "Follow no more",
      .params = &handle_ref_shape, .out = &creator_shape, .auth = FAN, .tx = WRITE },
    { GET, "/v1/follows", follow_list, "Whom one follows, newest first", .query = &page_query_shape,
      .items = &creator_card_shape, .auth = FAN, .tx = READ },
};

const struct module creator_module = { "creator", MODULE_ROUTES(routes) };
