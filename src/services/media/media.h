/* media.h -- pictures: uploaded, checked by content, made into renditions by a jailed child, delivered under signed paths.
 *
 * Who may see an asset is not decided here: access asks media only for bytes and for URLs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_MEDIA_H
#define SERVICES_MEDIA_H

#include "core/module.h"

/* What a viewer gets of an asset. URLs of the renditions are absent when it is locked. */
struct post_media {
    struct id id;
    struct str type;
    int64_t width, height;
    struct str alt;
    struct str teaser_url;
    struct str thumb_url, feed_url, full_url;
};
extern const struct shape post_media_shape;
struct post_media_list {
    struct post_media *v;
    size_t n;
};

/* n views in the order of ids, with two queries. Ready assets only: another is E_NOT_FOUND. Without the URLs of
 * renditions; media_unlock adds them. */
enum err media_views(struct call *c, const struct id *ids, size_t n, struct post_media *result);
/* What the signatures of one answer have in common. */
struct media_signer {
    struct hmac_key key;
    struct str expiry, audience;
};
void media_signer_begin(struct call *c, struct media_signer *result);
/* Adds the URLs, signed for this session, for half an hour to an hour and a half. Only after access_check. */
void media_unlock(struct call *c, const struct media_signer *s, struct post_media *m);

/* The assets are owner's, for posts, and ready: else E_NOT_FOUND or E_NOT_READY naming field "media[i]". Counts one use of
 * each more (or less: change -1, which cannot fail on them). */
enum err media_use(struct call *c, struct id owner, const struct id *ids, size_t n, int change);

/* A signed path's parts: E_NOT_FOUND when the token does not fit asset and session, E_EXPIRED when its time is over. */
enum err media_token_check(struct call *c, struct str token, struct id asset);
/* Who owns the asset; E_NOT_FOUND. */
enum err media_owner(struct call *c, struct id asset, struct id *owner);
/* Answers with the bytes of "thumb.webp" and so on. The caller has decided that they may be seen. */
enum err media_send(struct call *c, struct id asset, struct str file, struct str cache);

extern const struct module media_module;

#endif
