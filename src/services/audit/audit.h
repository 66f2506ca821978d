/* audit.h -- who did what to what, when and from where: append-only, hash-chained. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_AUDIT_H
#define SERVICES_AUDIT_H

#include "core/module.h"

/* One record in this transaction: no record without the deed, no deed without the record. action is a constant
 * "noun.verb_in_the_past" ("session.revoked"); its noun says what kind of object is meant: account, session, creator,
 * tier, post, subscription, payment. detail: a few words for people, never a secret; none is allowed. Actor and address
 * are the call's. At most 500 bytes of detail are kept. */
enum err audit_add(struct call *c, const char *action, struct id object_or_none, struct str detail);

struct audit_report {
    int64_t records;    /* sealed ones that were read */
    int64_t unsealed;   /* waiting for the seal: normally none older than half a minute */
    int64_t bad;        /* position of the first record that does not fit the chain; 0: all do */
    struct id bad_id;   /* ... its id; none when it is missing */
    struct str why;     /* ... and what is wrong with it */
    struct sha256 head; /* the last good hash: compare it with one that was noted elsewhere */
};

/* Walks the whole chain; any transaction. E_OK also when the chain is broken: look at .bad. */
enum err audit_verify(struct call *c, struct audit_report *result);

extern const struct module audit_module;

#endif
