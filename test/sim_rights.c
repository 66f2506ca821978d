/* sim_rights.c -- who may see what, by the model; and whether each answer, each address and each byte keeps to it.
 *
 * The rule of a post is what its creator was last told; a viewer's right is whom he follows and what he has paid for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- the model ------------------------------------------------------------------------------------------------------ */

struct post_row {
    int64_t id, creator;
    bool published;
    struct str text, access;
};

static struct sim_post *told_of(struct sim *w, int64_t id)
{
    for (size_t i = 0; i < w->posts_n && i < SIM_POSTS; i++)
        if (w->posts[i].id == id)
            return &w->posts[i];
    return NULL;
}

/* An answer to its creator: from now on this is the rule. */
void rights_told(struct sim *w, struct str reply)
{
    struct str access = reply_member(w, reply, "access"), tier;
    struct sim_post *p;
    struct id id, t;

    if (!id_parse(reply_member(w, reply, "id"), "pst", &id) || access.n >= sizeof(p->access))
        return;
    p = told_of(w, id.v);
    if (p == NULL)
        p = &w->posts[w->posts_n++ % SIM_POSTS];
    *p = (struct sim_post) { .id = id.v };
    memcpy(p->access, access.p, access.n);
    while (p->tiers_n < COUNT(p->tiers)) {
        tier = reply_member(w, reply, str_printf(&w->step, "tiers.%zu.id", p->tiers_n).p);
        if (!id_parse(tier, "tir", &t))
            break;
        p->tiers[p->tiers_n++] = t.v;
    }
}

void rights_forget(struct sim *w, struct str post)
{
    struct id id;

    if (id_parse(post, "pst", &id) && told_of(w, id.v) != NULL)
        told_of(w, id.v)->id = 0;
}

static bool by_tiers(struct sim *w, int64_t viewer, const struct post_row *p)
{
    struct sim_rows tiers = SQL(w, "SELECT tier FROM access_tier WHERE object = $1", p->id);

    for (size_t i = 0; i < tiers.n; i++)
        if (oracle_entitled(w, viewer, p->creator, CELL(tiers, i, 0)->i))
            return true;
    return false;
}

static bool may_see(struct sim *w, int person, const struct post_row *p)
{
    int64_t viewer = person == NOBODY ? 0 : w->people[person].id;

    if (viewer == p->creator)
        return true;
    if (!p->published)
        return false;
    if (str_is(p->access, "public"))
        return true;
    if (viewer == 0)
        return false;
    if (str_is(p->access, "tiers"))
        return by_tiers(w, viewer, p);
    return oracle_entitled(w, viewer, p->creator, 0) ||
           SQL(w, "SELECT id FROM follow WHERE fan = $1 AND creator = $2", viewer, p->creator).n >
               0;
}

static struct post_row *posts_read(struct sim *w, size_t *n)
{
    struct sim_rows rows = SQL(w, "SELECT p.id, p.creator, p.state, p.text, a.kind FROM post p"
                                  " LEFT JOIN access_rule a ON a.object = p.id ORDER BY p.id");
    struct post_row *posts = arena_array(&w->step, struct post_row, rows.n + 1);

    *n = rows.n;
    for (size_t i = 0; i < rows.n; i++) {
        struct sim_cell *c = CELL(rows, i, 0);
        posts[i] = (struct post_row) { .id = c[0].i,
                                       .creator = c[1].i,
                                       .published = str_is(c[2].s, "published"),
                                       .text = c[3].s,
                                       .access = c[4].s };
    }
    return posts;
}

/* The rows against what the creator was told. */
static void look_at_rule(struct sim *w, const struct post_row *p)
{
    const struct sim_post *told = told_of(w, p->id);
    struct sim_rows tiers = SQL(w, "SELECT tier FROM access_tier WHERE object = $1", p->id);
    bool same = told == NULL || (str_is(p->access, told->access) && tiers.n == told->tiers_n);

    for (size_t i = 0; same && told != NULL && i < told->tiers_n; i++) {
        bool found = false;
        for (size_t k = 0; k < tiers.n; k++)
            found |= CELL(tiers, k, 0)->i == told->tiers[i];
        same = found;
    }
    if (!same)
        sim_violated(w, "rights", "a post is %.*s with %zu tiers; its creator was told %s with %zu",
                     STR_FMT(p->access), tiers.n, told->access, told->tiers_n);
}

/* --- whatever is answered --------------------------------------------------------------------------------------------- */

static bool holds(struct str text, struct str part)
{
    return part.n > 0 && text.n >= part.n && memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* "<<full of PICTURE 12q>>": may this viewer see any post that shows it? */
static void look_at_bytes(struct sim *w, int person, struct str target, struct str reply)
{
    const char *mark = reply.n == 0 ? NULL : memmem(reply.p, reply.n, "<<", 2), *of, *end;
    size_t left = mark == NULL ? 0 : reply.n - (size_t)(mark - reply.p);
    size_t n;

    if (mark == NULL || (of = memmem(mark, left < 40 ? left : 40, " of ", 4)) == NULL ||
        strncmp(mark, "<<teaser", 8) == 0)
        return;
    end = memmem(of, reply.n - (size_t)(of - reply.p), ">>", 2);
    must(end != NULL);
    struct sha256 hash = sha256_of((struct str) { of + 4, (size_t)(end - of - 4) });
    struct str blob = hex_print(&w->step, hash.b, SHA256_BYTES);
    struct sim_rows rows =
        SQL(w, "SELECT a.id, a.owner, a.original, a.purpose, COALESCE(x.post, 0) FROM asset a"
               " LEFT JOIN post_asset x ON x.asset = a.id ORDER BY a.id");
    struct post_row *posts = posts_read(w, &n);
    for (size_t i = 0; i < rows.n; i++) {
        struct sim_cell *c = CELL(rows, i, 0);
        if (!str_eq(c[2].s, blob))
            continue;
        if (!str_is(c[3].s, "post") || (person != NOBODY && c[1].i == w->people[person].id))
            return;
        for (size_t k = 0; k < n; k++)
            if (posts[k].id == c[4].i && may_see(w, person, &posts[k]))
                return;
    }
    sim_violated(w, "rights", "%.*s gave %s the bytes of a locked picture: %.*s", STR_FMT(target),
                 person == NOBODY ? "nobody" : w->people[person].name, (int)(end - mark), mark);
}

void rights_scan(struct sim *w, int person, struct str target, struct str reply)
{
    size_t n;

    if (reply.n == 0 || w->dead)
        return;
    look_at_bytes(w, person, target, reply);
    if (!holds(reply, STR("tx")))
        return;
    struct post_row *posts = posts_read(w, &n);
    for (size_t i = 0; i < n; i++)
        if (str_starts(posts[i].text, "tx") && holds(reply, posts[i].text) &&
            !may_see(w, person, &posts[i]))
            sim_violated(w, "rights", "%.*s gave %s the text of a locked post, %.*s",
                         STR_FMT(target), person == NOBODY ? "nobody" : w->people[person].name,
                         STR_FMT(posts[i].text));
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

static void keep_url(struct sim *w, int person, struct str path, int64_t asset)
{
    struct sim_url *u = &w->urls[w->urls_n % SIM_URLS];

    if (path.n == 0 || path.n >= sizeof(u->path))
        return;
    w->urls_n++;
    *u = (struct sim_url) { .asset = asset };
    memcpy(u->path, path.p, path.n);
    u->session_of = person == NOBODY ? 0 : w->people[person].id;
}

static void look_at_picture(struct sim *w, int person, struct str reply)
{
    struct str url = reply_member(w, reply, "media.0.full_url");
    struct id asset;

    if (!id_parse(reply_member(w, reply, "media.0.id"), "ast", &asset))
        return;
    struct http_call h = people_look(w, person, url);
    if (w->dead)
        return;
    if (h.status != 200)
        sim_violated(w, "rights", "an open picture was answered %d: %.*s", h.status, STR_FMT(url));
    else
        sim_saw(w, SIGHT_SEEN_OPEN);
    keep_url(w, person, url, asset.v);
}

static void ask_for(struct sim *w, int person, const struct post_row *p)
{
    bool may = may_see(w, person, p), own = person != NOBODY && w->people[person].id == p->creator;
    int want = p->published || own ? 200 : 404;
    struct str target = str_printf(&w->step, "/v1/posts/%.*s",
                                   STR_FMT(id_text(&w->step, ID_POST, (struct id) { p->id })));
    struct http_call h = people_look(w, person, target);

    if (w->dead || h.status == 401)
        return;
    if (h.status != want) {
        sim_violated(w, "rights", "%.*s answered %d, should be %d", STR_FMT(target), h.status,
                     want);
        return;
    }
    if (want == 404)
        return;
    struct str locked = reply_member(w, h.reply, "locked"), text = reply_member(w, h.reply, "text");
    if (!str_is(locked, may ? "false" : "true") || (may && !str_eq(text, p->text)))
        sim_violated(w, "rights",
                     "%.*s is %s to %s, by what was paid it should be %s; its text is %.*s",
                     STR_FMT(target), str_is(locked, "true") ? "locked" : "open",
                     person == NOBODY ? "nobody" : w->people[person].name, may ? "open" : "locked",
                     STR_FMT(p->text));
    struct str teaser = reply_member(w, h.reply, "media.0.teaser_url");
    if (teaser.p != NULL && sim_chance(w, 30))
        people_look(w, person, teaser);
    if (w->dead)
        return;
    if (may)
        look_at_picture(w, person, h.reply);
    else
        sim_saw(w, SIGHT_SEEN_LOCKED);
}

/* An address that was handed out once: by now its right may be gone, its hour over, its bearer another. */
static void ask_old(struct sim *w, int person)
{
    size_t n = w->urls_n < SIM_URLS ? w->urls_n : SIM_URLS;

    if (n == 0)
        return;
    struct http_call h =
        people_look(w, person, str_copy(&w->step, str_of(w->urls[sim_below(w, (int64_t)n)].path)));
    if (!w->dead && (h.status == 404 || h.status == 410))
        sim_saw(w, SIGHT_URL_DEAD);
}

static void look_at_clock(struct sim *w)
{
    int64_t now = sim_now(w).us;

    for (size_t i = 0; i < w->members_n; i++)
        if (w->members[i].until != 0 && w->members[i].until < now)
            sim_saw(w, SIGHT_LAPSED_BY_CLOCK);
}

void rights_probe(struct sim *w)
{
    size_t n;
    struct post_row *posts = posts_read(w, &n);
    int person = (int)sim_below(w, SIM_PEOPLE + 1) - 1;

    for (size_t i = 0; i < n; i++)
        look_at_rule(w, &posts[i]);
    look_at_clock(w);
    if (n == 0)
        return;
    if (person != NOBODY)
        people_sign_in(w, person);
    if (person != NOBODY && w->people[person].token[0] == 0)
        return; /* whoever cannot sign in is nobody */
    for (int i = 0; i < 2 && !w->dead; i++) {
        posts = posts_read(w, &n);
        if (n > 0)
            ask_for(w, person, &posts[sim_below(w, (int64_t)n)]);
    }
    if (!w->dead)
        ask_old(w, person);
}

/* One who looks at a post, something of it or of him changes, and he looks again within the minute for which answers are kept. */
void rights_watch(struct sim *w)
{
    size_t n, at;
    struct post_row *posts = posts_read(w, &n);
    int fan = (int)sim_below(w, SIM_PEOPLE);

    people_sign_in(w, fan);
    if (n == 0 || w->dead || w->people[fan].token[0] == 0)
        return;
    at = (size_t)sim_below(w, (int64_t)n);
    int64_t post = posts[at].id, creator = posts[at].creator;
    ask_for(w, fan, &posts[at]);
    if (w->dead)
        return;
    if (sim_chance(w, 50))
        people_edit(w, post, creator);
    else
        people_follow(w, fan, creator);
    if (w->dead)
        return;
    posts = posts_read(w, &n);
    for (at = 0; at < n && posts[at].id != post;)
        at++;
    if (at < n)
        ask_for(w, fan, &posts[at]);
}

void rights_probe_all(struct sim *w)
{
    size_t n;

    for (int person = NOBODY; person < SIM_PEOPLE && !w->dead; person++) {
        if (person != NOBODY)
            people_sign_in(w, person);
        if (person != NOBODY && w->people[person].token[0] == 0)
            continue;
        struct post_row *posts = posts_read(w, &n);
        for (size_t i = 0; i < n && !w->dead; i++)
            ask_for(w, person, &posts[i]);
    }
}
