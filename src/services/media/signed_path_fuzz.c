/* signed_path_fuzz.c -- the paths of locked pictures (media.c): one that was signed is good for its asset, its session and its
 * time; with any byte changed it is nothing.
 *
 * An input is a line each: the asset, the session (0: nobody's), seconds since signing, a number that picks a byte; and a token
 * as a stranger writes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/env.h"
#include "services/media/media.h"
#include "test/fuzz.h"

enum { SIGNED_S = 1700000000, HOUR_S = 3600 };

/* Real time, moved by the offset alone. */
static struct when moved(struct clock *k)
{
    return (struct when) { SIGNED_S * SECOND + k->offset_us };
}

static struct call asking(struct env *e, struct arena *a, int64_t session, int64_t late_s)
{
    e->clock = (struct clock) { .real = moved, .offset_us = late_s * SECOND };
    return (struct call) { .env = e, .arena = a, .actor = { .session = { session } } };
}

/* Of "/m/{token}/{asset}/feed.webp". */
static struct str signed_token(struct call *c, int64_t asset)
{
    struct post_media m = { .id = { asset } };
    struct media_signer signer;
    struct str token, id;

    media_signer_begin(c, &signer);
    media_unlock(c, &signer, &m);
    HOLDS(str_starts(m.feed_url, "/m/") && str_ends(m.feed_url, "/feed.webp"));
    struct str rest = str_split(str_cut(m.feed_url, 3, m.feed_url.n), '/', &token);
    str_split(rest, '/', &id);
    HOLDS(str_eq(id, id_text(c->arena, ID_ASSET, m.id)));
    return fuzz_exact(c->arena, token);
}

static enum err check(struct call *c, struct str token, int64_t asset)
{
    enum err e = media_token_check(c, token, (struct id) { asset });

    HOLDS(e == E_OK || e == E_NOT_FOUND || e == E_EXPIRED);
    return e;
}

/* The next full hour that is half an hour away. */
static bool is_over(int64_t late_s)
{
    int64_t end_s = (SIGNED_S + HOUR_S / 2 + HOUR_S - 1) / HOUR_S * HOUR_S;

    return SIGNED_S + late_s > end_s;
}

FUZZ(signed_path)
{
    struct env env = { .master = "as secret as it gets in a test" }, other = { .master = "no" };
    struct str rest = in;
    int64_t asset = fuzz_number(&rest, 1, INT64_MAX - 1);
    int64_t session = fuzz_number(&rest, 0, INT64_MAX - 1);
    int64_t late_s = fuzz_number(&rest, 0, 10000);
    uint64_t pick = (uint64_t)fuzz_number(&rest, 0, INT64_MAX);
    struct str text = fuzz_exact(a, rest.p == NULL ? STR("") : rest);
    struct call c = asking(&env, a, session, 0);
    struct str token = signed_token(&c, asset);

    struct call nobody = asking(&env, a, 0, 0);
    struct str open = signed_token(&nobody, asset);
    if (check(&c, text, asset) != E_NOT_FOUND) {
        HOLDS(str_eq(text, token) || str_eq(text, open)); /* there is no second way to write one */
        fuzz_taken();
    }
    HOLDS(check(&c, token, asset) == E_OK);
    HOLDS(check(&c, token, asset + 1) == E_NOT_FOUND);
    HOLDS(check(&c, fuzz_flipped(a, token, pick), asset) == E_NOT_FOUND);
    HOLDS(check(&c, str_cut(token, 0, pick % token.n), asset) == E_NOT_FOUND);
    c = asking(&env, a, session, late_s);
    HOLDS(check(&c, token, asset) == (is_over(late_s) ? E_EXPIRED : E_OK));
    /* Nobody's is for what everybody may see. */
    c = asking(&env, a, session + 1, 0);
    HOLDS(check(&c, token, asset) == (session == 0 ? E_OK : E_NOT_FOUND));
    c = asking(&other, a, session, 0);
    HOLDS(check(&c, token, asset) == E_NOT_FOUND);
}
