/* module.h -- what a service declares: routes, jobs, subscribers, events, settings.
 *
 * src/modules.c lists the modules in an array; there is no registration. Every row is checked at
 * start (module_check): a route without .auth or .tx, a shape with a hole, a job twice: the program
 * does not start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MODULE_H
#define CORE_MODULE_H

#include "core/call.h"

typedef enum err handler(struct call *c);

enum method { GET, POST, PUT, PATCH, DELETE };
extern const char *const method_names[];

enum tx {
    TX_UNSET, /* refused at start: there is no default */
    NONE,     /* no database */
    READ,     /* a snapshot */
    WRITE,
};

enum auth {
    AUTH_UNSET, /* refused at start: there is no default */
    ANYONE,     /* signed in or not; c->who may be none */
    FAN,        /* any signed-in account */
    CREATOR,    /* ... that has a page */
    MODERATOR,  /* ... or admin */
    ADMIN,
    SIGNED,      /* the request proves itself by a signature, which the handler checks (webhooks) */
    DEVELOPMENT, /* anyone, but only in development mode; 404 otherwise */
};
extern const char *const auth_names[];

enum wire {
    WIRE_JSON,   /* .in and .out / .items */
    WIRE_RAW,    /* body as bytes in c->body (max .body_max); answer by reply_bytes / reply_file */
    WIRE_FILE,   /* body streamed into c->upload (max .body_max); answer is .out */
    WIRE_PAGE,   /* GET of a web page: the app's HTML with the head that .out (page_head) tells */
    WIRE_STREAM, /* server-sent events; only the server's own */
};

/* Token bucket a caller (account, else address): `burst` at once, refilled at `a_minute`. 0: the
 * default (600, 120). */
struct rate {
    int a_minute, burst;
};

enum { FAILS_MAX = 10 };

struct route {
    enum method method;
    const char *path; /* "/v1/posts/{post}": the names are fields of .params */
    handler *run;
    const char *summary;
    const struct shape *params, *query, *in, *out;
    const struct shape *items; /* instead of out: a page of these */
    enum auth auth;
    enum tx tx;
    enum wire wire;
    int status; /* of success; 0: 200, or 204 when there is nothing to answer */
    /* slow work first (password hashing, decoding), on a worker, outside any transaction */
    handler *prepare;
    bool idempotent; /* Idempotency-Key is required (money); others accept one */
    bool cookie;     /* begins or ends the browser's session: answers may have Set-Cookie */
    /* kind of the job, added by the handler, that the answer waits for (up to 10 s, then 202) */
    const char *await;
    /* READ transaction after the awaited job is done: fills out. Runs for replays too */
    handler *then;
    bool cached; /* READ: the reply may be kept until something it depends() on is touched */
    /* served first, and not turned away, when more come than can be served: health, webhooks, money */
    bool vital;
    struct rate rate;
    int64_t body_max;          /* bytes; 0: 64 KiB for JSON and raw */
    enum err fails[FAILS_MAX]; /* beyond the common ones */
};

struct job_kind {
    const char *name; /* "post.publish" */
    handler *run;
    const struct shape *in;
    enum tx tx; /* of run: WRITE, or NONE for effects that need no record */
    /* the outside effect: off any transaction, may take long; c->db reads. What it learnt goes to
     * run through c->prepared. It may run again after a crash: effects carry an idempotency key. */
    handler *prepare;
    handler *gave_up; /* WRITE: after the last try failed (dead letter) */
    int lease_ms;     /* taken from a worker that is silent for so long */
    int tries;
    int at_once; /* how many of this kind may run together on this node; 0: no limit of its own */
};

struct event_kind {
    const char *name; /* "media.ready": past tense or state */
    const struct shape *shape;
    const char *doc;
    bool inside; /* for other services only: no browser hears of it */
};

struct subscriber {
    const char *event;
    handler *run; /* WRITE; runs once for each event, in order */
    const struct shape *in;
};

enum setting_kind {
    SETTING_TEXT,
    SETTING_INT,
    SETTING_BOOL,
    SETTING_SECRET,
    SETTING_WORD, /* one of several */
    SETTING_URL,  /* http://… or https://…, or empty */
};

struct setting {
    /* "payment.fee_bp"; environment STAGEDOOR_PAYMENT_FEE_BP; command line --payment.fee_bp= */
    const char *name;
    enum setting_kind kind;
    const char *value; /* default, as text; of SETTING_WORD all words, the default first */
    const char *doc;
    int64_t min, max; /* of SETTING_INT */
};

struct module {
    const char *name;
    const struct route *routes;
    size_t routes_n;
    const struct job_kind *jobs;
    size_t jobs_n;
    const struct subscriber *subscribers;
    size_t subscribers_n;
    const struct event_kind *const *events; /* those that it emits */
    size_t events_n;
    const struct setting *settings;
    size_t settings_n;
    /* Once, after migrations, before the first call: periodic jobs are added here. */
    enum err (*start)(struct call *c);
};

#define MODULE_ROUTES(a)      .routes = (a), .routes_n = COUNT(a)
#define MODULE_JOBS(a)        .jobs = (a), .jobs_n = COUNT(a)
#define MODULE_SUBSCRIBERS(a) .subscribers = (a), .subscribers_n = COUNT(a)
#define MODULE_EVENTS(a)      .events = (a), .events_n = COUNT(a)
#define MODULE_SETTINGS(a)    .settings = (a), .settings_n = COUNT(a)

/* The query of a list that takes nothing else. */
struct page_query {
    struct str cursor;
    int64_t limit;
};
extern const struct shape page_query_shape;

/* The head of a public page: out of WIRE_PAGE routes. */
struct page_head {
    struct str title, description;
    struct str image; /* path of a public picture (teaser, avatar), or none */
    /* JSON object: {"GET /v1/creators/ana": {...}} for the app's first paint; or none */
    struct str data;
    int64_t status; /* 200, or 404 */
};
extern const struct shape page_head_shape;

void module_check(const struct module *const *modules, size_t n);

#endif
