/* sim.h -- the simulator: the whole program in one thread of one process, its clock, chance, provider, mails and bytes in
 * our hand, and a crowd of people who do what comes to their mind.
 *
 * A run is a function of its seed. Each step draws from a stream of its own (seed, number of the step), so that a step can
 * be left out without changing what the others draw: that is how a failing run is made shorter.
 *
 *   sim.c          a run, its steps, its report; `tests --as sim`
 *   sim_world.c    the program's drivers and their faults; crash and restart; SQL of our own
 *   sim_pay.c      the provider: what money really moved
 *   sim_asking.c   one request: made up, sent, looked at
 *   sim_people.c   what people ask for
 *   sim_oracle.c   money, subscriptions and what is due for them, told without the program's code
 *   sim_rights.c   who may see what, and whether the answers keep to it
 *   sim_runs.c     many seeds, controls that must fail, shorter traces */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include "base/crypto.h"
#include "core/env.h"
#include "core/pay.h"
#include "server/server.h"

enum {
    SIM_PEOPLE = 9,
    SIM_OBJECTS = 2048,
    SIM_NOTICES = 256,
    SIM_SENT = 24,
    SIM_LINES = 64,
    SIM_LINE = 300,
    SIM_COVER = 600,
    SIM_POSTS = 512,
    SIM_URLS = 128,
    SIM_SUBSCRIPTIONS = 512,
    SIM_SKIPS = 4096,
};

/* --- what a run tells -------------------------------------------------------------------------------------------- */

/* Things that must have happened somewhere in a whole set of runs, else it proves little. */
#define SIM_SIGHTS(X)                                                                              \
    X(PAID_FIRST, "a first payment")                                                               \
    X(RENEWAL, "a renewal")                                                                        \
    X(PAST_DUE, "active -> past_due")                                                              \
    X(RECOVERED, "past_due -> active")                                                             \
    X(LAPSED, "past_due -> expired")                                                               \
    X(FINISHED, "cancelled, and ended with the period")                                            \
    X(RESUMED, "a cancellation taken back")                                                        \
    X(LEFT_UNPAID, "cancelled before it was paid")                                                 \
    X(ABANDONED, "a page that nobody paid on was forgotten")                                       \
    X(REVIVED, "money came after the end")                                                         \
    X(DOUBLE_REFUSED, "a second subscription refused")                                             \
    X(MONTH_SKIPPED, "a month that passed without us is not billed")                               \
    X(PRICE_KEPT, "a renewal at the old price of a tier that changed")                             \
    X(ARCHIVED_RENEWED, "a renewal of an archived tier")                                           \
    X(DECLINED, "a charge declined")                                                               \
    X(ASKED, "a charge that the fan had to confirm")                                               \
    X(CONFIRMED, "... and did")                                                                    \
    X(LOST_FOUND, "a lost answer of the provider found again")                                     \
    X(LOST_BEFORE, "a call to the provider lost on its way")                                       \
    X(PROVIDER_DOWN, "the provider was down")                                                      \
    X(LIED, "the provider told another amount")                                                    \
    X(STALE, "the provider told an old state")                                                     \
    X(NOTICE_TWICE, "a notification twice")                                                        \
    X(NOTICE_LATE, "a notification after days")                                                    \
    X(NOTICE_FORGED, "a forged notification refused")                                              \
    X(LEASE_LOST, "a job taken from a runner that was too slow")                                   \
    X(CRASHED, "a crash in the middle")                                                            \
    X(CRASHED_PAYING, "a crash while the provider was spoken to")                                  \
    X(RESTARTED, "a restart")                                                                      \
    X(RETRIED, "a lost answer asked for again with its key")                                       \
    X(REPLAYED, "the same key gave the same answer")                                               \
    X(KEY_REUSED, "a key used for another request was refused")                                    \
    X(TRANSACTION_AGAIN, "a transaction run again")                                                \
    X(AWAITED_LONG, "an answer 202, because its job took long")                                    \
    X(MEANWHILE, "a request while another was waiting")                                            \
    X(JOB_DEAD, "a job put aside")                                                                 \
    X(JOB_AGAIN, "... and run again by an admin")                                                  \
    X(SEEN_OPEN, "a picture seen by who may")                                                      \
    X(SEEN_LOCKED, "a post locked to who may not")                                                 \
    X(URL_DEAD, "a picture's address that no longer opens")                                        \
    X(LAPSED_BY_CLOCK, "a right that ended by the clock alone")                                    \
    X(RECEIPT, "a fan's receipts that are the money taken from her")                               \
    X(EARNED, "a creator's earnings that are in the books")                                        \
    X(HOSTILE, "a malformed body refused")

enum sim_sight {
#define X(name, text) SIGHT_##name,
    SIM_SIGHTS(X)
#undef X
        SIGHTS
};
extern const char *const sim_sight_names[];

struct sim_cover {
    int route, status; /* route: number in the order of the modules' tables */
    int64_t n;
};

/* In memory that the parent shares: a run that crashes has told what it did. */
struct sim_result {
    bool finished;
    int step; /* the one at hand */
    int64_t simulated_us, requests;
    int64_t sights[SIGHTS];
    char violation[1200]; /* none when empty */
    char rule[40];        /* which one: "ledger", "rights", … */
    char trace[SHA256_HEX + 1];
    size_t covers;
    struct sim_cover cover[SIM_COVER];
    size_t lines;
    char line[SIM_LINES][SIM_LINE];
};

struct sim_plan {
    uint64_t seed;
    int steps;
    const char *engine; /* "sqlite", "postgres" */
    const char *broken; /* a guard taken away by the test: see sim_runs.c; NULL */
    const char *dir;    /* an empty folder */
    bool loud;          /* each command on standard output */
    unsigned char skip[SIM_SKIPS];
};

/* --- the world ---------------------------------------------------------------------------------------------------- */

enum sim_role { SIM_FAN, SIM_CREATOR, SIM_MODERATOR, SIM_ADMIN };
/* What the bank does with a charge that the payer does not see. */
enum sim_card { CARD_GOOD, CARD_BAD, CARD_ASKS, CARD_SLOW, CARDS };

struct sim_person {
    enum sim_role role;
    char name[20], email[60], password[60], token[60], handle[32];
    char mailed[80]; /* token of the newest mail */
    char reset[80];
    int64_t id;
    enum sim_card card;
};

/* A charge or a hosted page, as the provider has it. */
struct sim_object {
    char key[64], ref[24], part[24], reference[32], payer[32], decline[80];
    int64_t amount, fee;
    char currency[4];
    enum pay_state state;
    bool hosted, taken, told, key_forgotten, lost;
    struct when made, changed;
};

struct sim_notice {
    char event[24], ref[24];
    struct when due, made;
    int sent;
};

/* A request that changes something, for asking again. */
struct sim_sent {
    int person, status; /* status 0: the answer was lost */
    struct when at;
    char method[8], target[200], key[48], type[30], id[32];
    char body[1600];
};

struct sim_url {
    char path[200];
    int64_t asset, session_of; /* account that it was made for; 0: nobody */
};

/* What a creator was told of a post: the rule that must hold until she changes it. */
struct sim_post {
    int64_t id;
    char access[12];
    int64_t tiers[8];
    size_t tiers_n;
};

/* A subscription as it was after the step before. */
struct sim_membership {
    int64_t id, fan, creator, tier, price, period, anchor, period_end, until;
    char state[12];
    bool cancel;
    int64_t left_us; /* the fan's cancellation was acknowledged then; 0: not, or taken back */
};

enum sim_weather { WEATHER_CALM, WEATHER_LOSSY, WEATHER_DOWN, WEATHER_ROUGH };

struct sim {
    struct sim_plan plan;
    struct sim_result *result;
    struct arena arena, step; /* of the run; of one step */
    uint64_t dice;            /* of the step */
    uint64_t noise;           /* behind env.random */
    char dir[200];
    /* the program */
    struct env env;
    struct server *server;
    struct log *log;
    struct engine *engine;
    struct when real, began;
    bool open;
    /* faults */
    bool dead;           /* crashed: nothing has any effect from here on */
    int64_t fuse;        /* so many touches of the outside until then; 0: none is lit */
    int64_t pay_fuse;    /* the same, of touches of the provider */
    int nowhere;         /* /dev/null */
    int64_t hiccup;      /* so many statements until one has to be run again */
    bool in_pay;         /* the provider is being spoken to */
    int depth;           /* of requests inside requests */
    bool calm;           /* no faults, while the people arrive and at the end */
    bool stuck;          /* jobs take longer than anybody waits */
    int64_t patience_us; /* of who waits for a job */
    /* drivers */
    struct pay pay;
    struct mailer mailer;
    struct images images;
    struct blobs blobs;
    int64_t files;
    /* the provider */
    enum sim_weather weather;
    struct when down_since;
    size_t objects_n;
    struct sim_object objects[SIM_OBJECTS];
    size_t notices_n;
    struct sim_notice notices[SIM_NOTICES];
    int64_t events;
    /* the people */
    struct sim_person people[SIM_PEOPLE];
    size_t sent_n;
    struct sim_sent sent[SIM_SENT];
    bool asking_again;
    size_t urls_n;
    struct sim_url urls[SIM_URLS];
    size_t posts_n;
    struct sim_post posts[SIM_POSTS];
    char cursor[48];
    int64_t names; /* so many were given */
    /* the oracle's memory */
    size_t members_n;
    struct sim_membership members[SIM_SUBSCRIPTIONS];
    struct sha256_stream trace;
    void *sql; /* see sim_world.c */
};

/* --- sim.c -------------------------------------------------------------------------------------------------------- */

void sim_run(const struct sim_plan *plan, struct sim_result *result);
uint64_t sim_random(struct sim *w);
int64_t sim_below(struct sim *w, int64_t n); /* 0 … n-1; 0 when n is 0 */
bool sim_chance(struct sim *w, int percent);
void sim_saw(struct sim *w, enum sim_sight sight);
/* A line of the trace. */
void sim_tell(struct sim *w, const char *format, ...) FORMAT(2, 3);
/* A rule does not hold: the first one is kept, and the run ends after the step. */
void sim_violated(struct sim *w, const char *rule, const char *format, ...) FORMAT(3, 4);
bool sim_over(const struct sim *w);
/* Something small that somebody else does while a call is on its way. */
void sim_meanwhile(struct sim *w);
struct when sim_now(struct sim *w); /* business time */

/* --- sim_world.c -------------------------------------------------------------------------------------------------- */

void world_open(struct sim *w);
void world_close(struct sim *w);
/* Closes what is left, and opens it again on the same database. */
void world_restart(struct sim *w);
void world_forward(struct sim *w, int64_t us);
/* Jobs and events until nothing is due. */
void world_drain(struct sim *w);
/* A touch of the outside: true when the program is dead from here on. */
bool world_touch(struct sim *w);

struct sim_cell {
    bool none;
    int64_t i;
    struct str s;
};
struct sim_rows {
    size_t n, columns;
    struct sim_cell *cells;
};
/* By a connection of our own. $1 … are integers. Lives until the step ends. */
struct sim_rows world_sql(struct sim *w, const char *sql, size_t n, const int64_t *args);
#define SQL(w, ...)                      SQL_PICK_(__VA_ARGS__, SQL3_, SQL2_, SQL1_, SQL0_, 0)(w, __VA_ARGS__)
#define SQL_PICK_(q, a, b, c, NAME, ...) NAME
#define SQL0_(w, q)                      world_sql((w), (q), 0, NULL)
#define SQL1_(w, q, a)                   world_sql((w), (q), 1, (const int64_t[]) { (a) })
#define SQL2_(w, q, a, b)                world_sql((w), (q), 2, (const int64_t[]) { (a), (b) })
#define SQL3_(w, q, a, b, c)             world_sql((w), (q), 3, (const int64_t[]) { (a), (b), (c) })
#define CELL(rows, row, column)          (&(rows).cells[(row) * (rows).columns + (column)])
/* The first cell; `otherwise` when there is no row. */
int64_t world_int(struct sim *w, const char *sql, size_t n, const int64_t *args, int64_t otherwise);

/* --- sim_pay.c ---------------------------------------------------------------------------------------------------- */

extern const struct pay_ops sim_pay_ops;
/* Somebody sits before a page of the provider and pays, is refused, or closes it. */
void pay_visit(struct sim *w);
/* Notifications that are due, one or all; some twice, some late, some in another order. */
void pay_notify(struct sim *w, bool all);
void pay_forge(struct sim *w);
/* Slow charges come to their end. */
void pay_settle(struct sim *w);
struct sim_object *pay_of_reference(struct sim *w, struct str reference, size_t *from);

/* --- sim_asking.c -------------------------------------------------------------------------------------------------- */

struct route;
int ask_routes(void);
const struct route *ask_route(int number);
/* A word that no row has yet. */
struct str ask_word(struct sim *w, const char *what);
struct str ask_key(struct sim *w);
/* own: of this account; 0: anybody's. */
struct str ask_id(struct sim *w, enum id_kind kind, int64_t own);
struct str ask_id_from(struct sim *w, enum id_kind kind, struct sim_rows rows);
struct str ask_body(struct sim *w, int person, const struct shape *s);
struct str ask_target(struct sim *w, int person, const struct route *r);
void ask_money(struct sim *w, const struct field *f, struct json_out *o);
/* The id of what a request made. */
struct str ask_made(struct sim *w, struct str reply);
void ask_keep(char *to, size_t size, struct str s);

/* --- sim_people.c ------------------------------------------------------------------------------------------------- */

enum { NOBODY = -1 };

void people_arrive(struct sim *w);
/* One request of a random kind by a random person. */
void people_do(struct sim *w);
void people_read(struct sim *w);
void people_hostile(struct sim *w);
void people_subscribe(struct sim *w);
void people_leave(struct sim *w);
void people_come_back(struct sim *w);
void people_sell(struct sim *w);
void people_write(struct sim *w);
void people_edit(struct sim *w, int64_t post, int64_t creator);
void people_follow(struct sim *w, int fan, int64_t creator);
void people_dress(struct sim *w);
void people_forget(struct sim *w);
void people_retry(struct sim *w);
void people_govern(struct sim *w);
void people_sign_in(struct sim *w, int person);
struct http_call people_send(struct sim *w, int person, const char *method, struct str target,
                             struct str body, struct str key);
/* The same without faults, notes or retries: for looking. */
struct http_call people_look(struct sim *w, int person, struct str target);
int people_of(const struct sim *w, int64_t account); /* NOBODY */
void people_cover(struct sim *w, const char *method, struct str target, int status);
/* A member of a reply as text; none when it is not there. */
struct str reply_member(struct sim *w, struct str reply, const char *path);

/* --- sim_oracle.c ------------------------------------------------------------------------------------------------- */

void oracle_look(struct sim *w);
/* When nothing is under way any more: all money that moved is booked. */
void oracle_end(struct sim *w);
/* What people are shown of it. */
void oracle_receipts(struct sim *w);
/* Is there a paid period (or its grace) of this fan for this creator now? tier: 0, any. */
bool oracle_entitled(struct sim *w, int64_t fan, int64_t creator, int64_t tier);
void oracle_acknowledged(struct sim *w, struct str subscription, bool left);

/* --- sim_rights.c ------------------------------------------------------------------------------------------------- */

/* A reply that somebody got: nothing in it that is locked to him. */
void rights_scan(struct sim *w, int person, struct str target, struct str reply);
void rights_probe(struct sim *w); /* some viewer, some post */
void rights_watch(struct sim *w);
void rights_probe_all(struct sim *w); /* each viewer, each post */
/* A creator's own call on a post was answered. */
void rights_told(struct sim *w, struct str reply);
void rights_forget(struct sim *w, struct str post);

/* --- sim_runs.c --------------------------------------------------------------------------------------------------- */

/* In a process of its own. False: it could not be run to its end, or a rule was broken; the result says which. */
bool sim_try(const struct sim_plan *plan, struct sim_result *result);
void sim_break(struct sim *w); /* after a step: what plan.broken says */
void sim_blind(struct sim *w); /* after a request */
/* Each control has to be noticed. How many were not. */
int sim_controls(int *passed);
bool sim_same(uint64_t seed, const char *engine);

#endif
