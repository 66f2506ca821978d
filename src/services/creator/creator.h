/* creator.h -- pages of creators: profile, tiers, followers. A creator has the same number as the account behind it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_CREATOR_H
#define SERVICES_CREATOR_H

#include "core/module.h"

struct creator_card {
    struct id id;
    struct str handle, name, avatar_url;
};
extern const struct shape creator_card_shape;

struct tier {
    struct id id;
    struct str name, description;
    struct money price; /* a month */
    bool archived;      /* takes no new subscribers */
};
extern const struct shape tier_shape;

struct tier_list {
    struct tier *v;
    size_t n;
};

/* A creator's page, as one viewer sees it. */
struct creator {
    struct id id;
    struct str handle, name, bio, avatar_url, banner_url;
    int64_t followers, posts;
    bool following, own;
    struct tier_list tiers;
    struct when created;
};
extern const struct shape creator_shape;
/* One's own page. E_NOT_FOUND. */
enum err creator_of_id(struct call *c, struct id id, struct creator *result);

/* n pointers in the order of ids, with one query; NULL where there is no such creator. */
enum err creator_cards(struct call *c, const struct id *ids, size_t n,
                       struct creator_card **result);
/* The handle in lower case. E_NOT_FOUND. */
enum err creator_by_handle(struct call *c, struct str handle, struct id *creator);

/* Archived ones too. E_NOT_FOUND. */
enum err creator_tier(struct call *c, struct id tier, struct tier *result, struct id *creator);
/* n pointers in the order of ids, with one query; archived ones too, NULL where there is none. */
enum err creator_tiers(struct call *c, const struct id *ids, size_t n, struct tier **result);

/* url: a path of ours to a public rendition; none removes the picture. E_NOT_FOUND. */
enum err creator_set_picture(struct call *c, struct id creator, bool banner, struct str url);

/* Idempotent. E_NOT_FOUND; E_CONFLICT on one's own page and beyond 5,000 followed ones. */
enum err creator_follow(struct call *c, struct id fan, struct id creator, bool follow);
/* Those of n creators that fan follows, by number, into result[n]; how many into *found. One query. */
enum err creator_followed_among(struct call *c, struct id fan, const struct id *creators, size_t n,
                                struct id *result, size_t *found);

/* A creator and the position of its newest published post (0: none): where a feed starts to read. */
struct creator_ref {
    struct id creator;
    int64_t head;
};
struct creator_ref_list {
    struct creator_ref *v;
    size_t n;
};
/* Those that fan follows, at most 5,000, by number. */
enum err creator_follows(struct call *c, struct id fan, struct creator_ref_list *result);
/* The same of given creators (subscribed ones); missing ones are left out. */
enum err creator_refs(struct call *c, const struct id *ids, size_t n,
                      struct creator_ref_list *result);

/* From the post service, in the transaction that publishes (change 1: head becomes position if that is newer), edits
 * (change 0: the same) or deletes (change -1: position is the newest that is left, 0 for none). E_NOT_FOUND. */
enum err creator_published(struct call *c, struct id creator, int64_t position, int64_t change);

extern const struct module creator_module;

#endif
