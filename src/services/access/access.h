/* access.h -- the one rule of who may see what. Posts, files, and all that comes ask here and nowhere else.
 *
 * A page loads the viewer once and the rules of all its rows at once; the decision itself is a pure function. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_ACCESS_H
#define SERVICES_ACCESS_H

#include "core/module.h"

enum access_kind {
    ACCESS_PUBLIC,
    ACCESS_FOLLOWERS, /* those who follow or subscribe */
    ACCESS_TIERS,     /* subscribers of the named tiers */
};
extern const char *const access_kinds[];

struct access_tiers {
    struct id *v;
    size_t n;
};

struct access_rule {
    struct id object, creator;
    enum access_kind kind;
    bool hidden; /* a draft: the creator alone, whatever the kind */
    struct access_tiers tiers;
};

/* What decisions on some rules need to know of a viewer. */
struct access_viewer {
    struct id who; /* none: anonymous */
    struct id
        *creators; /* of the rules' creators those that are followed, sorted; perhaps others */
    size_t creators_n;
    bool follows_known;               /* creators are all that are followed, whatever the rules */
    struct entitlement *entitlements; /* that hold at c->now, sorted by creator */
    size_t entitlements_n;
};

/* What n rules ask of c->who, in two queries; nothing for an anonymous caller. The result is for these rules only. It is
 * the first half, which no rule is needed for, and the second, which looks up who of the rules' creators is followed. */
enum err access_viewer_load(struct call *c, const struct access_rule *rules, size_t n,
                            struct access_viewer *result);
enum err access_viewer_begin(struct call *c, struct access_viewer *result);
enum err access_viewer_follows(struct call *c, const struct access_rule *rules, size_t n,
                               struct access_viewer *v);
bool access_check(const struct access_viewer *v, const struct access_rule *rule);

/* Sets the object's rule and assets in place of what it had. The tiers are the creator's (the caller has checked). */
enum err access_set(struct call *c, const struct access_rule *rule, const struct id *assets,
                    size_t n);
/* Takes .hidden off: it is published. E_NOT_FOUND. */
enum err access_show(struct call *c, struct id object);
enum err access_remove(struct call *c, struct id object);
/* n rules in the order of ids, with two queries; a hidden one of nobody's where there is none. */
enum err access_rules(struct call *c, const struct id *ids, size_t n, struct access_rule *result);

extern const struct module access_module;

#endif
