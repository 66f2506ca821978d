/* till.h -- a whole program in a test, without a server: some modules, a database, a clock of its own, a payment provider
 * that does what it is told. Handlers run through the real runner; jobs and events when the test drains them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_TILL_H
#define TEST_TILL_H

#include "core/module.h"
#include "core/pay.h"
#include "test/engine.h"

#include <pthread.h>

/* What the provider does with the next calls. */
enum fake_mood {
    FAKE_PAYS,
    FAKE_DECLINES,
    FAKE_ASKS,         /* a charge has to be confirmed by the fan */
    FAKE_LOSES_AFTER,  /* does the work, but the answer is lost */
    FAKE_LOSES_BEFORE, /* the call is lost on its way */
    FAKE_DOWN,         /* surely nothing was done */
    FAKE_LIES,         /* does the work, and tells another amount */
};

enum { FAKE_OBJECTS = 4096 };

struct fake_object {
    char key[64], ref[64], reference[64];
    struct money amount;
    enum pay_state state;
    bool hosted, told; /* told: we have heard of it, so that the fan may have seen its page */
    char decline[100];
    struct when made;
};

/* Idempotent by key, like the real ones; counts what it took. */
struct fake_pay {
    struct pay pay;
    pthread_mutex_t lock;
    const struct when *now; /* hosted pages close after a day */
    enum fake_mood mood;
    size_t n;
    struct fake_object objects[FAKE_OBJECTS];
    int64_t calls, taken, taken_n; /* money that really moved, and how often */
};

struct till {
    struct env env;
    struct bed *bed;
    struct log *log;
    struct arena arena; /* of the till's life */
    struct fake_pay pay;
    struct when real;      /* moved by till_forward */
    int64_t ticks_from_us; /* monotonic; 0: the clock stands still between */
    int64_t hurry_us;      /* how far it moves each time an awaited job was looked for */
};

/* settings: "name=value", ending in NULL; or NULL. core_module is added in front. */
struct till *till_open(const char *engine, const struct module *const *modules, size_t n,
                       const char *const *settings);
/* ... which is opened again after a crash, at another time, with clocks that go. */
struct till *till_open_at(const char *engine, const struct module *const *modules, size_t n,
                          const char *const *settings, struct when real);
void till_close(struct till *t);
/* Both clocks. */
void till_forward(struct till *t, int64_t us);
/* Jobs and events until nothing is due. */
void till_drain(struct till *t);
/* ... step by step, so that whatever falls due on the way runs at its time. */
void till_pass(struct till *t, int64_t us, int64_t step_us);

enum err till_run(struct till *t, enum tx tx, handler *run, void *prepared);
/* The first integer of a query; the test ends when it fails. SQL of a test, so never in the program's cache. */
int64_t till_int(struct till *t, const char *sql);
enum err till_try(struct till *t, const char *sql);

/* One request: decoded, run and encoded as the server would. json: none for no body. */
struct till_reply {
    enum err result;
    int status;
    struct str body, detail, field;
};
struct till_reply till_ask(struct till *t, struct id who, enum method method, const char *path,
                           const char *json, const char *key);
/* ... from another thread, into an arena of its own. */
struct till_reply till_ask_by(struct till *t, struct arena *arena, struct id who,
                              enum method method, const char *path, const char *json,
                              const char *key);
/* The member `name` of the reply's object ("a.b" goes inside); none when it is not there. Integers as text. */
struct str till_member(struct till *t, struct till_reply r, const char *name);

/* What the payer does on the hosted page of this reference, or outside. */
void fake_pay_settle(struct fake_pay *p, struct str ref, enum pay_state state, const char *decline);
struct fake_object *fake_pay_newest(struct fake_pay *p);

#endif
