/* env.h -- everything that a run has: drivers, clock, randomness, settings. Passed down; there are
 * no globals.
 *
 * Two clocks: business time (periods, renewals, publishing) can be moved in development and in the
 * simulator; real time (leases, sessions, signatures) cannot. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ENV_H
#define CORE_ENV_H

#include "base/id.h"
#include "base/log.h"
#include "core/blob.h"
#include "core/images.h"
#include "core/mailer.h"
#include "core/module.h"
#include "core/pay.h"
#include "core/settings.h"

struct exec;
struct hub;
struct jobs;
struct limiter;
struct metrics;
struct revisions;

struct clock {
    struct when (*real)(struct clock *k);
    int64_t offset_us; /* business time = real + offset; atomic */
    /* of the machine; NULL: as it is. The simulator has its own. */
    int64_t (*monotonic)(struct clock *k);
    void (*sleep)(struct clock *k, int64_t ms);
};

struct env {
    const struct module *const *modules;
    size_t modules_n;
    struct settings *settings;
    struct log *log;
    struct clock clock;
    struct id_maker ids;
    void (*random)(void *p, size_t n);
    struct engine *engine;
    struct blobs *blobs;
    struct mailer *mailer;
    struct pay *pay;
    struct images *images;
    /* from core; made by env_start */
    struct exec *exec;
    struct hub *hub;   /* NULL: none runs */
    struct jobs *jobs; /* NULL: none runs here */
    struct limiter *limiter;
    struct metrics *metrics;
    struct revisions *revisions;
    unsigned char master[32]; /* from data/secret.key; only env_key reads it */
    struct reserve *reserve;  /* of memory, for the arenas of calls */
    bool development;
    struct str public_url; /* "http://127.0.0.1:8080", no slash at the end */
    struct str data;       /* the data folder */
    /* A token's session, from the account service: E_OK and *result, or E_SIGNED_OUT. c has a read
     * connection. */
    enum err (*authenticate)(struct call *c, struct str token, struct actor *result);
    /* The simulator's: no threads, everything runs on the calling one. Where a thread would wait for a job this is asked to
     * move the world on; false: the patience of whoever waits is over. NULL: threads. */
    bool (*step)(struct env *e);
};

struct when env_now(struct env *e);      /* business */
struct when env_real_now(struct env *e); /* real */
int64_t env_monotonic_us(struct env *e);
void env_sleep_ms(struct env *e, int64_t ms);
/* A key for one purpose, derived from the master key: HMAC(master, purpose). */
struct sha256 env_key(const struct env *e, const char *purpose);

const struct job_kind *env_job_kind(const struct env *e, struct str name); /* NULL when unknown */
/* NULL when unknown */
const struct event_kind *env_event_kind(const struct env *e, struct str name);

#endif
