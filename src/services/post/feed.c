/* feed.c -- which posts the feed of a viewer consists of.
 *
 * It merges the creators' own lists newest first. Each creator's newest position is known (creator.head), so a page of 20
 * reads some 20 places of the index, not every followed post (a join and sort reads thousands). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/creator/creator.h"
#include "services/post/parts.h"
#include "services/subscription/subscription.h"

/* A creator's list, and where we are in it. */
struct lane {
    struct id creator;
    int64_t position; /* of its next post; 0: no more */
};

enum err feed_next(struct call *c, struct id creator, int64_t before, int64_t *result)
{
    int64_t next = 0;
    enum err e = db_int(
        c, &next,
        "SELECT position FROM post WHERE creator = $1 AND state = 'published' AND position < $2"
        " ORDER BY position DESC LIMIT 1",
        creator, before);

    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    *result = next;
    return E_OK;
}

/* --- which creators ---------------------------------------------------------------------------------------------- */

static enum err lanes_add(struct call *c, struct lane *lanes, size_t *n,
                          const struct creator_ref_list *refs, int64_t before)
{
    for (size_t i = 0; i < refs->n; i++) {
        struct lane lane = { refs->v[i].creator, refs->v[i].head };
        depends(c, lane.creator);
        if (lane.position >= before)
            TRY(feed_next(c, lane.creator, before, &lane.position));
        if (lane.position > 0)
            lanes[(*n)++] = lane;
    }
    return E_OK;
}

/* Those that the viewer subscribes to without following. Both lists are sorted by creator. */
static enum err subscribed_refs(struct call *c, const struct access_viewer *v,
                                struct creator_ref_list *result)
{
    struct id *ids = arena_array(c->arena, struct id, v->entitlements_n + 1);
    size_t n = 0, k = 0;

    for (size_t i = 0; i < v->entitlements_n; i++) {
        struct id creator = v->entitlements[i].creator;
        while (k < v->creators_n && v->creators[k].v < creator.v)
            k++;
        if (k == v->creators_n || !id_is(v->creators[k], creator))
            ids[n++] = creator;
    }
    *result = (struct creator_ref_list) { 0 };
    return n == 0 ? E_OK : creator_refs(c, ids, n, result);
}

/* All whom the viewer follows, which later answers every rule's question too. */
static enum err feed_viewer(struct call *c, struct access_viewer *v,
                            struct creator_ref_list *followed)
{
    TRY(access_viewer_begin(c, v));
    TRY(creator_follows(c, c->who, followed));
    v->creators = arena_array(c->arena, struct id, followed->n + 1);
    v->creators_n = followed->n;
    v->follows_known = true;
    for (size_t i = 0; i < followed->n; i++)
        v->creators[i] = followed->v[i].creator;
    return E_OK;
}

static enum err lanes_of(struct call *c, struct access_viewer *v, int64_t before,
                         struct lane **result, size_t *n)
{
    struct creator_ref_list followed, subscribed;

    TRY(feed_viewer(c, v, &followed));
    TRY(subscribed_refs(c, v, &subscribed));
    *result = arena_array(c->arena, struct lane, followed.n + subscribed.n + 1);
    *n = 0;
    TRY(lanes_add(c, *result, n, &followed, before));
    return lanes_add(c, *result, n, &subscribed, before);
}

/* --- which posts ------------------------------------------------------------------------------------------------- */

static void sift_down(struct lane *heap, size_t n, size_t i)
{
    for (;;) {
        size_t largest = i, left = 2 * i + 1, right = left + 1;
        if (left < n && heap[left].position > heap[largest].position)
            largest = left;
        if (right < n && heap[right].position > heap[largest].position)
            largest = right;
        if (largest == i)
            return;
        struct lane swap = heap[i];
        heap[i] = heap[largest];
        heap[largest] = swap;
        i = largest;
    }
}

enum err feed_places(struct call *c, struct access_viewer *v, int64_t before, size_t most,
                     struct ids *result)
{
    struct lane *lanes;
    size_t n;

    TRY(lanes_of(c, v, before, &lanes, &n));
    *result = (struct ids) { arena_array(c->arena, struct id, most), 0 };
    for (size_t i = n / 2; i-- > 0;)
        sift_down(lanes, n, i);
    while (n > 0 && result->n < most) {
        result->v[result->n++].v = lanes[0].position;
        TRY(feed_next(c, lanes[0].creator, lanes[0].position, &lanes[0].position));
        if (lanes[0].position == 0)
            lanes[0] = lanes[--n];
        sift_down(lanes, n, 0);
    }
    return E_OK;
}
