/* call.h -- one unit of work: a request, a job or an event being handled.
 *
 * A handler runs straight through inside the transaction that its route, job or subscriber
 * declared; it returns an error and everything it did is undone. It does no I/O but SQL: outside
 * effects are jobs (jobs.h), facts for others are events (events.h). A WRITE handler may be run
 * more than once (retries), so it must not keep anything outside *c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CALL_H
#define CORE_CALL_H

#include "base/crypto.h"
#include "base/log.h"
#include "core/db.h"
#include "core/err.h"
#include "core/shape.h"

struct env;
struct route;
struct job_kind;

enum role { ROLE_USER, ROLE_MODERATOR, ROLE_ADMIN };
extern const char *const role_names[];

/* Who calls. All none for an anonymous one; for jobs and events the account they were made for, if
 * any. */
struct actor {
    struct id account;
    struct id session;
    enum role role;
    bool creator;   /* has a page; its creator id is the account's number */
    bool verified;  /* the e-mail address is confirmed */
    bool by_cookie; /* cookie session (CSRF rules apply), not a bearer token */
};

struct header {
    const char *name;
    struct str value;
};
enum { REPLY_HEADERS_MAX = 8 };

/* For routes that do not answer with a shape. */
struct reply {
    int status;      /* 0: the route's */
    struct str type; /* Content-Type of body or file */
    struct str body;
    int fd;           /* >= 0: send this file (closed by the server); whole, or a Range of it */
    struct str etag;  /* without quotes; none: made from the body */
    struct str cache; /* Cache-Control; none: the route's default (no-store for private JSON) */
    size_t headers_n;
    struct header headers[REPLY_HEADERS_MAX];
};

/* The body of a WIRE_FILE route: a temporary file, complete, hashed while it came in. */
struct upload {
    /* removed after the call, unless a blob store took it (blob_keep renames it) */
    struct str path;
    int64_t size;
    struct sha256 hash;
};

struct page {
    void *v; /* array of the shape's struct */
    size_t n;
    struct str next; /* none at the end */
};

enum { CALL_TOUCHED_MAX = 64 };

struct call {
    struct env *env;
    struct arena *arena; /* lives until the answer has left */
    struct db *db;       /* in `.prepare`: a read connection outside a transaction */
    struct when now;     /* business time, the same during the whole call */
    struct actor actor;
    struct id who;             /* actor.account */
    const struct route *route; /* NULL for jobs and events */
    const struct job_kind *job_kind;

    /* decoded input; use IN, PARAMS, QUERY */
    const void *in, *params, *query;
    struct str body;       /* WIRE_RAW: as it came */
    struct str query_text; /* WIRE_RAW without .query: what stands behind '?', as it came */
    struct upload upload;
    struct str agent, address, origin; /* of the client, for sessions and audit */
    struct str request_id;
    /* request header or none; NULL outside HTTP */
    struct str (*header)(const struct call *c, const char *name);
    struct str idempotency_key;

    /* output; use OUT, PAGE, reply_* */
    void *out;
    struct page page;
    struct reply reply;
    struct problem problem;

    /* kept from `.prepare` to the handler */
    void *prepared;

    /* of method, path, query and body: what an idempotency key is bound to */
    struct sha256 request_hash;

    /* the runner's */
    enum err (*run)(struct call *c); /* what is run, and under what (an enum tx) */
    unsigned tx;
    bool vital;       /* not turned away under load, as others are: route.vital, jobs, events */
    bool turned_away; /* E_BUSY because of a queue, which is counted there */
    int64_t queued_us;
    bool replayed;     /* the answer of an earlier request with the same key */
    struct id awaited; /* job that the answer waits for */
    size_t touched_n;
    uint32_t touched[CALL_TOUCHED_MAX]; /* revision stripes to bump after the commit */
    bool depends_on;                    /* reply cache: recording */
    size_t depends_n, depends_size;
    uint32_t *depends;
    struct when depends_until; /* none: for as long as nothing changes */
    bool woke_jobs, woke_events;
    int64_t began_us;
    void *server; /* the server's own state of this request */
    void (*done)(struct call *c);
    struct call *next; /* in a queue */
    enum err result;
    int job_attempt; /* 1 on the first try */
    int job_tries;   /* how many there are */
    struct id job;
};

/* const struct tip_new *in = IN(c, tip_new);  must() when the route declared another shape. */
#define IN(c, s)     ((const struct s *)call_in((c), &s##_shape))
#define PARAMS(c, s) ((const struct s *)call_params((c), &s##_shape))
#define QUERY(c, s)  ((const struct s *)call_query((c), &s##_shape))
#define OUT(c, s)    ((struct s *)call_out((c), &s##_shape))
/* The rows that db_page found, to be dressed: struct post *posts = PAGE(c, post); size
 * c->page.n. */
#define PAGE(c, s) ((struct s *)(c)->page.v)
const void *call_in(const struct call *c, const struct shape *s);
const void *call_params(const struct call *c, const struct shape *s);
const void *call_query(const struct call *c, const struct shape *s);
void *call_out(struct call *c, const struct shape *s);

/* return fail(c, E_BELOW_MINIMUM, "the least is %" PRId64, least);
 * fail(c, E_CONFLICT, NULL) takes the code's sentence. */
enum err fail(struct call *c, enum err e, const char *detail, ...) FORMAT(3, 4);
/* ... and names the member, parameter or header to blame. */
enum err fail_field(struct call *c, enum err e, const char *field, const char *detail, ...)
    FORMAT(4, 5);

/* The answer as JSON, in c->reply.body: .out, or a page of .items. Nothing when a handler made its
 * own. */
void call_encode(struct call *c);
/* Forgets what a failed run left, so that the handler can be run again. */
void call_reset(struct call *c);

struct id new_id(struct call *c);
/* 256 random bits as base64url, for tokens; store only its sha256. */
struct str new_token(struct call *c);

void reply_bytes(struct call *c, int status, struct str type, struct str body);
void reply_file(struct call *c, int fd, struct str type, struct str etag);
void reply_header(struct call *c, const char *name, struct str value);

/* Reply cache and sessions: after this transaction commits, whatever was computed from id is stale.
 * Say it in every function that changes what others may see: rights, posts, profiles. More than
 * CALL_TOUCHED_MAX touches everything. */
void touch(struct call *c, struct id id);
/* ... and what an actor of this account may do (role, page, confirmed address): his sessions are
 * looked up again. An ended session is touched itself. */
void touch_actor(struct call *c, struct id account);
/* In a handler of a route with .cached: the answer was computed from id. */
void depends(struct call *c, struct id id);
/* ... and it holds until then at most: a right lapses by time alone. */
void depends_until(struct call *c, struct when end);

#endif
