/* audit.c -- who did what to what, when and from where.
 *
 * A record is a row of the transaction that did the deed. Sealing is a job: in one transaction it holds the chain's head
 * and gives each record that has none the next position and its hash. A record that commits late is sealed late, so
 * nothing has to be known about transactions that are still open, and writers never wait for each other.
 * Invariants (audit_verify): positions are 1..n without a hole; each hash is that of its record after the one before;
 * audit_head is the last of them. Whoever can write to the database can also write a whole new chain: note the head
 * elsewhere (it is logged at each sealing) to notice that, and a cut tail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"
#include "core/jobs.h"

#include <inttypes.h>

enum { SEAL_MAX = 1000, VERIFY_PAGE = 1000, DETAIL_MAX = 500, HEAD_ID = 1 };

/* Before the first record; also in the schema. */
#define ZERO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* One seal job for all records of a span of time; it runs when the span is over and its transactions have ended. */
#define SEAL_SPAN  (10 * SECOND)
#define SEAL_SLACK (5 * SECOND)

struct audit_record {
    struct id id;
    struct when at;
    struct id actor;
    struct str action, object, detail, address;
    int64_t position;
    struct str hash;
};

static const struct field audit_record_fields[] = {
    ID(audit_record, id, ID_AUDIT, "Record"),
    WHEN(audit_record, at, "When it was done"),
    ID(audit_record, actor, ID_USER, "Who did it; absent for the program and for strangers",
       .optional = true),
    TEXT(audit_record, action, "What was done: noun.verb", .max = 60, .sample = "session.revoked"),
    TEXT(audit_record, object, "What it was done to", .max = 30, .optional = true),
    TEXT(audit_record, detail, "More of it", .max = DETAIL_MAX),
    TEXT(audit_record, address, "Address of the client", .max = 60),
    INTEGER(audit_record, position, "Place in the chain; absent until it is sealed", .min = 1,
            .optional = true),
    TEXT(audit_record, hash, "SHA-256 of the hash before and this record", .max = SHA256_HEX,
         .optional = true),
};
STATIC_SHAPE(audit_record);

struct audit_record_list {
    struct audit_record *v;
    size_t n;
};

struct chain_head {
    int64_t position;
    struct str hash;
};

static const struct field chain_head_fields[] = {
    INTEGER(chain_head, position, "Of the last record"),
    TEXT(chain_head, hash, "Of the last record", .max = SHA256_HEX),
};
STATIC_SHAPE(chain_head);

struct audit_span {
    int64_t span;
};

static const struct field audit_span_fields[] = {
    INTEGER(audit_span, span, "Which span of time its records are of"),
};
STATIC_SHAPE(audit_span);

/* --- rules ------------------------------------------------------------------------------------------------------ */

/* The action's noun tells what kind of thing its object is. */
static enum id_kind kind_of(struct str action)
{
    static const struct {
        const char *noun;
        enum id_kind kind;
    } nouns[] = {
        { "account", ID_USER }, { "session", ID_SESSION }, { "creator", ID_CREATOR },
        { "tier", ID_TIER },    { "asset", ID_ASSET },     { "post", ID_POST },
        { "job", ID_JOB },      { "payment", ID_PAYMENT }, { "subscription", ID_SUBSCRIPTION },
    };
    struct str noun;

    str_split(action, '.', &noun);
    for (size_t i = 0; i < COUNT(nouns); i++)
        if (str_is(noun, nouns[i].noun))
            return nouns[i].kind;
    return ID_KIND_NONE;
}

/* Each part with its length in front, so that no two records have one form. */
static void part_add(struct buf *b, struct str s)
{
    buf_printf(b, "%zu:", s.n);
    if (s.n > 0)
        buf_add(b, s);
    buf_char(b, ',');
}

static void number_add(struct buf *b, int64_t n)
{
    buf_printf(b, "%" PRId64 ",", n);
}

/* The form that is hashed. It may never change: old records have to verify for ever. */
static struct str canonical(struct arena *a, struct str before, int64_t position,
                            const struct audit_record *r)
{
    struct buf b = { .arena = a };

    part_add(&b, before);
    number_add(&b, position);
    number_add(&b, r->id.v);
    number_add(&b, r->at.us);
    number_add(&b, r->actor.v);
    part_add(&b, r->action);
    part_add(&b, r->object);
    part_add(&b, r->detail);
    part_add(&b, r->address);
    return buf_str(&b);
}

static struct str chain_hash(struct arena *a, struct str before, int64_t position,
                             const struct audit_record *r)
{
    struct sha256 hash = sha256_of(canonical(a, before, position, r));

    return hex_print(a, hash.b, sizeof(hash.b));
}

/* The longest beginning that fits and does not end inside a character. */
static struct str shortened(struct str s, size_t max)
{
    if (s.n <= max)
        return s.p == NULL ? STR("") : s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
        max--;
    return str_cut(s, 0, max);
}

/* --- adding and sealing ----------------------------------------------------------------------------------------- */

static enum err seal_later(struct call *c)
{
    struct audit_span in = { .span = c->now.us / SEAL_SPAN };
    struct when at = { (in.span + 1) * SEAL_SPAN + SEAL_SLACK };

    return job_add_named(c, "audit.seal", str_printf(c->arena, "audit.seal:%" PRId64, in.span), at,
                         &in);
}

enum err audit_add(struct call *c, const char *action, struct id object_or_none, struct str detail)
{
    enum id_kind kind = kind_of(str_of(action));

    must(!id_some(object_or_none) || kind != ID_KIND_NONE);
    TRY(db_run(c,
               "INSERT INTO audit (id, at, actor, action, object, detail, address)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7)",
               new_id(c), c->now, c->who, str_of(action),
               id_some(object_or_none) ? id_text(c->arena, kind, object_or_none) : STR_NONE,
               shortened(detail, DETAIL_MAX), shortened(c->address, 60)));
    return seal_later(c);
}

static enum err seal_one(struct call *c, const struct audit_record *r, struct chain_head *head)
{
    struct str hash = chain_hash(c->arena, head->hash, head->position + 1, r);

    *head = (struct chain_head) { head->position + 1, hash };
    return db_hit(c, "UPDATE audit SET position = $1, hash = $2 WHERE id = $3 AND position IS NULL",
                  head->position, head->hash, r->id);
}

static enum err audit_seal(struct call *c)
{
    struct audit_record_list rows = { 0 };
    struct chain_head head = { 0 };

    TRY(db_one(c, chain_head, &head,
               "SELECT position, hash FROM audit_head WHERE id = $1 FOR UPDATE", (int)HEAD_ID));
    TRY(db_list(c, audit_record, &rows,
                "SELECT id, at, actor, action, object, detail, address, position, hash FROM audit"
                " WHERE position IS NULL"
                " ORDER BY id LIMIT $1",
                (int)SEAL_MAX));
    if (rows.n == 0)
        return E_OK;
    /* The head that an earlier transaction committed: kept by whoever collects the logs, it shows a chain cut off. */
    log_info(c->env->log, "audit.head", L_INT("position", head.position), L_STR("hash", head.hash));
    for (size_t i = 0; i < rows.n; i++)
        TRY(seal_one(c, &rows.v[i], &head));
    TRY(db_hit(c, "UPDATE audit_head SET position = $1, hash = $2 WHERE id = $3", head.position,
               head.hash, (int)HEAD_ID));
    return rows.n < SEAL_MAX ? E_OK : job_add(c, "audit.seal", JOB_NOW, IN(c, audit_span), NULL);
}

/* Records whose job was lost, or that committed too late for theirs, wait no longer than until the next start. */
static enum err audit_start(struct call *c)
{
    return seal_later(c);
}

/* --- verifying -------------------------------------------------------------------------------------------------- */

static void blame_record(struct audit_report *result, int64_t position, struct id id,
                         const char *why)
{
    result->bad = position;
    result->bad_id = id;
    result->why = str_of(why);
}

/* False at the first record that does not follow from `at`; otherwise `at` is moved on to it. */
static bool follows(struct call *c, const struct audit_record *r, struct chain_head *at,
                    struct audit_report *result)
{
    struct str hash = chain_hash(c->arena, at->hash, at->position + 1, r);

    if (r->position != at->position + 1) {
        blame_record(result, at->position + 1, ID_NONE, "it is missing");
        return false;
    }
    if (!str_eq(hash, r->hash)) {
        blame_record(result, r->position, r->id,
                     "its hash does not fit: it or its hash was changed");
        return false;
    }
    *at = (struct chain_head) { r->position, hash };
    result->records++;
    return true;
}

static enum err verify_page(struct call *c, struct chain_head *at, struct audit_report *result,
                            bool *more)
{
    struct audit_record_list rows = { 0 };

    TRY(db_list(c, audit_record, &rows,
                "SELECT id, at, actor, action, object, detail, address, position, hash FROM audit"
                " WHERE position > $1"
                " ORDER BY position LIMIT $2",
                at->position, (int)VERIFY_PAGE));
    *more = rows.n == VERIFY_PAGE;
    for (size_t i = 0; i < rows.n; i++)
        if (!follows(c, &rows.v[i], at, result)) {
            *more = false;
            break;
        }
    return E_OK;
}

/* All pages; the memory of each is given back before the next, because a chain has no upper bound. */
static enum err verify_chain(struct call *c, struct chain_head *at, struct audit_report *result)
{
    struct arena *kept = c->arena, page = { 0 };
    enum err e = E_OK;

    for (bool more = true; more && e == E_OK;) {
        c->arena = &page;
        e = verify_page(c, at, result, &more);
        c->arena = kept;
        at->hash = str_copy(kept, at->hash);
        arena_reset(&page);
    }
    arena_done(&page);
    return e == E_OK ? E_OK : fail(c, e, NULL);
}

/* Read after the walk: a record and the head that tells of it are committed together, so the head is never behind what
 * was seen. It may be ahead by what was sealed meanwhile: then the walk goes on. */
static enum err verify_head(struct call *c, struct chain_head *at, struct audit_report *result)
{
    struct chain_head head = { 0 }, record = { 0 };

    TRY(db_one(c, chain_head, &head, "SELECT position, hash FROM audit_head WHERE id = $1",
               (int)HEAD_ID));
    if (head.position < at->position) {
        blame_record(result, at->position, ID_NONE, "the noted end of the chain stands before it");
        return E_OK;
    }
    TRY(verify_chain(c, at, result));
    if (result->bad != 0 || head.position == 0)
        return E_OK;
    enum err e = db_one(c, chain_head, &record,
                        "SELECT position, hash FROM audit WHERE position = $1", head.position);
    if (e == E_NOT_FOUND)
        blame_record(result, at->position + 1, ID_NONE, "it is missing: the chain was longer");
    else if (e == E_OK && !str_eq(record.hash, head.hash))
        blame_record(result, head.position, ID_NONE, "the noted end of the chain has another hash");
    return e == E_NOT_FOUND ? E_OK : e;
}

enum err audit_verify(struct call *c, struct audit_report *result)
{
    struct audit_report r = { 0 };
    struct chain_head at = { 0, STR(ZERO_HASH) };

    TRY(verify_chain(c, &at, &r));
    if (r.bad == 0)
        TRY(verify_head(c, &at, &r));
    TRY(db_int(c, &r.unsealed, "SELECT count(*) FROM audit WHERE position IS NULL"));
    must(hex_parse(at.hash, r.head.b, sizeof(r.head.b)));
    *result = r;
    return E_OK;
}

/* --- routes ----------------------------------------------------------------------------------------------------- */

static enum err audit_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    return db_page(
        c, audit_record, q->cursor, q->limit,
        "SELECT id, at, actor, action, object, detail, address, position, hash FROM audit"
        " WHERE id < $cursor"
        " ORDER BY id DESC");
}

static const struct route routes[] = {
    { GET, "/v1/admin/audit", audit_list, "Who did what, newest first", .query = &page_query_shape,
      .items = &audit_record_shape, .auth = ADMIN, .tx = READ },
};

static const struct job_kind jobs[] = {
    { "audit.seal", audit_seal, .in = &audit_span_shape, .tx = WRITE, .lease_ms = 30000, .tries = 8,
      .at_once = 1 },
};

const struct module audit_module = { "audit", MODULE_ROUTES(routes), MODULE_JOBS(jobs),
                                     .start = audit_start };
