/* api.h -- one request to the sandbox's API: key, parameters, idempotency, faults, answers in Stripe's form.
 *
 * A GET runs in a READ transaction. A POST or DELETE goes through api_write on a slow worker: the key is claimed in one
 * transaction, the work is done in a second together with its remembered answer, and only then may a fault hold the
 * answer back. A handler answers with api_reply, or ends in refuse() and everything it did is undone; card_refused() is
 * an answer too: the failed charge stays. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "core/env.h"
#include "sandbox/fault.h"

#define API_VERSION "2026-10-28.endive"

enum param_kind {
    P_TEXT,
    P_INT,
    P_BOOL,
    P_ENUM,
    P_MAP,   /* names to texts: metadata */
    P_TEXTS, /* a list of texts */
};

struct param {
    const char *path; /* "line_items[].price_data.currency" */
    enum param_kind kind;
    int64_t min, max;         /* of P_INT; max of P_TEXT in bytes, 0: 5,000 */
    const char *const *names; /* of P_ENUM, ends in NULL */
    bool required;            /* of the topmost level */
    bool empty;               /* "" is allowed: it unsets */
};

struct params {
    const struct param *v;
    size_t n;
};

#define TAKES(handler, ...)                                                                        \
    static const struct param handler##_list[] = { __VA_ARGS__ };                                  \
    const struct params handler##_params = { handler##_list, COUNT(handler##_list) }
#define TAKES_NOTHING(handler) const struct params handler##_params = { NULL, 0 }

/* Parameters of every list, and of those that can be narrowed by time. */
#define LIST_PARAMS                                                                                \
    { .path = "limit", .kind = P_INT, .min = 1, .max = 100 },                                      \
    {                                                                                              \
        .path = "starting_after", .kind = P_TEXT                                                   \
    }
#define CREATED_PARAMS                                                                             \
    { .path = "created.gt", .kind = P_INT }, { .path = "created.gte", .kind = P_INT },             \
        { .path = "created.lt", .kind = P_INT },                                                   \
    {                                                                                              \
        .path = "created.lte", .kind = P_INT                                                       \
    }

struct api_error {
    int status;
    const char *type, *code;
    struct str message, param, decline_code, advice_code, charge;
    const char *object_name; /* "payment_intent": what is told along */
    struct str object;       /* its JSON */
};

enum { EXPAND_MAX = 20 };

/* The state of a request; hangs from call.prepared. */
struct api {
    const struct json *in;
    struct str id;        /* of the path */
    struct str url;       /* the path */
    struct str request;   /* "req_…" */
    struct str key, hash; /* of idempotency */
    bool claimed, replayed;
    struct fault fault;
    handler *run;
    struct str expand[EXPAND_MAX];
    bool expanded[EXPAND_MAX];
    size_t expand_n;
    struct api_error error;
    struct reply reply;
};

static inline struct api *api_of(const struct call *c)
{
    return c->prepared;
}

struct endpoint {
    handler *run;
    const struct params *params;
};
const struct endpoint *sandbox_endpoint(const struct route *r);

/* Runs of the routes; see endpoints.def. */
handler api_read;
handler api_write;   /* .prepare */
handler api_written; /* .run */

/* --- parameters ---------------------------------------------------------------------------------- */

bool in_given(const struct call *c, const char *path);
struct str in_text(const struct call *c, const char *path);             /* none when absent */
int64_t in_int(const struct call *c, const char *path, int64_t absent); /* checked already */
bool in_bool(const struct call *c, const char *path, bool absent);
/* metadata laid over what is there (JSON text); "" removes a name. Names up to 40, values up to 500, 50 in all. */
enum err in_metadata(struct call *c, const char *path, struct str old, struct str *result);

/* The part of a list that was asked for. SQL: id < $after AND created >= $from AND created <= $to ... LIMIT $limit. */
struct range {
    struct str after; /* greater than every id when it is the first page */
    struct when from, to;
    int64_t limit; /* one more than asked: is there a next page? */
};
struct range in_range(const struct call *c);

/* --- answers ------------------------------------------------------------------------------------- */

/* 400 invalid_request_error; returns what the handler returns. */
enum err refuse(struct call *c, const char *code, const char *param, const char *message, ...)
    FORMAT(4, 5);
/* resource_missing: "No such customer: 'cus_…'". param NULL: it stands in the path, 404. */
enum err missing(struct call *c, const char *what, const char *param, struct str id);
/* After a look into the database: missing when there was nothing, else what it said. */
enum err or_missing(struct call *c, enum err e, const char *what, const char *param, struct str id);
/* Any other; keeps nothing of the transaction. */
enum err refuse_with(struct call *c, const struct api_error *e);
/* 402 card_error; the transaction is kept. */
enum err card_refused(struct call *c, const struct api_error *e);
void api_reply(struct call *c, struct str json);

/* --- rendering ----------------------------------------------------------------------------------- */

/* Writes an object; knows where it stands, so that expand[] can be followed. */
struct render {
    struct call *c;
    struct buf buf;
    struct json_out o;
    struct str path; /* "data." or "latest_charge." */
    bool plain;      /* nothing is expanded: events */
};

typedef enum err renderer(struct render *r, struct str id);

void render_begin(struct render *r, struct call *c);
/* "customer": id, object or null. */
enum err render_ref(struct render *r, const char *name, struct str id, renderer *of);
/* Is this one asked for? For members that appear only then. */
bool render_wants(struct render *r, const char *name);
void render_null(struct render *r, const char *name);
void render_when(struct render *r, const char *name, struct when w);  /* seconds; null when none */
void render_raw(struct render *r, const char *name, struct str json); /* none: null */
void render_currency(struct render *r, const char *name, struct str code);
/* The object that the handler made or changed is its answer. */
enum err api_reply_object(struct call *c, renderer *of, struct str id);
/* The same as text, nothing expanded. */
enum err object_text(struct call *c, renderer *of, struct str id, struct str *result);
/* {"object":"list",…} of these; range.limit is one more than was asked for. */
enum err api_reply_list(struct call *c, renderer *of, const struct str *ids, size_t n,
                        const struct range *range);

/* A list of ids from SQL: struct ids ids; TRY(db_list(c, row_id, &ids, "SELECT id FROM …")). */
struct row_id {
    struct str id;
};
extern const struct shape row_id_shape;
struct row_ids {
    struct row_id *v;
    size_t n;
};
enum err api_reply_rows(struct call *c, renderer *of, const struct row_ids *rows,
                        const struct range *range);

/* "pi_01h…"; and a secret for it. */
struct str api_id(struct call *c, const char *prefix);
struct str api_secret(struct call *c, struct str id);

/* Columns of rows: the schema says what may be NULL. */
#define COL(s, m) TEXT(s, m, #m, .max = 1 << 20, .optional = true)
#define NUM(s, m) INTEGER(s, m, #m, .optional = true)
#define YES(s, m) BOOL(s, m, #m, .optional = true)
#define AT(s, m)  WHEN(s, m, #m, .optional = true)

#define API(m, p, run, doc)    handler run;
#define API_ID(m, p, run, doc) handler run;
#include "sandbox/endpoints.def"
#undef API
#undef API_ID

#endif
