/* payers.h -- people who sign up, follow, subscribe and pay through the whole program (a till), remember what they were told,
 * and an oracle that looks for it in a database, whatever happened to that in between.
 *
 * What somebody was told is a text that the database can be asked for: "account:…" (an address is signed up), "key:…" (an
 * Idempotency-Key has its answer), "notice:…" (the provider's notification was taken), "paid:…" (a subscription was seen to
 * be active, so its charge is in the books), "journal:…" (a journal of the books was seen). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_PAYERS_H
#define TEST_PAYERS_H

#include "base/map.h"
#include "test/power.h"
#include "test/till.h"

enum { PAYERS_CREATORS = 6, PAYERS_FOLLOWED = 2, PAYERS_TOLD_MAX = 20000 };

/* What was told, and how many operations the disk had seen by then: nothing later was needed for it. */
struct told {
    size_t at;
    char what[100];
};

/* In memory that is shared with children: who dies has told. */
struct payers {
    struct power *power;
    struct till *till; /* of the process that is at it */
    struct mailer mailer;
    struct fake_pay provider; /* another machine: it forgets nothing */
    pthread_mutex_t lock;
    struct told told[PAYERS_TOLD_MAX];
    size_t told_n;
    int lives;    /* how often the program was begun: an hour apart */
    bool resting; /* atomic: no more jobs */
};

struct payers *payers_new(struct power *power);
void payers_free(struct payers *p);
/* Opens the till on unit_dir()/test.db, which may be there already; with so many threads for jobs. */
void payers_begin(struct payers *p, int workers);
void payers_end(struct payers *p);
/* The process that had begun is dead. */
void payers_child_died(struct payers *p);
/* So many people at once, one after the other in each place, each through every step; then a month passes for all. */
void payers_live(struct payers *p, int at_once, int lives);

/* One person, step by step; each may be asked again. */
enum payer_step { PAYER_SIGNS_UP, PAYER_FOLLOWS, PAYER_SUBSCRIBES, PAYER_PAYS, PAYER_STEPS };
struct payer {
    struct payers *p;
    struct arena arena;
    char email[60], ref[64], subscription[40];
    struct id id;
    int creator; /* whom the next step is about */
};
enum err payer_step(struct payer *f, enum payer_step step);
/* What payer_step would be told, as the texts above. */
void payer_would_hear(const struct payer *f, enum payer_step step, char what[100]);
/* She was told nothing when she signed up, and asks whether there is an account. */
bool payer_finds_account(struct payer *f);
bool payer_is_active(struct payer *f); /* and has told, when she is */

/* --- the oracle ------------------------------------------------------------------------------------------------- */

/* What must be true of the rows at any moment, and what would make it untrue. */
struct payers_rule {
    const char *name, *sql; /* how many rows are wrong */
    const char *tampering;
};
extern const struct payers_rule payers_rules[];
extern const size_t payers_rules_n;

struct verdict {
    bool opened, whole; /* by the driver; integrity_check and foreign_key_check */
    size_t wanted, lost;
    const char *wrong; /* a rule's name, or what the check said */
    char first[100];   /* that was lost */
};

/* Which texts there are to look for. */
struct told_map {
    struct arena arena;
    struct map map;
    const struct payers *p;
};
void told_map_open(struct told_map *m, const struct payers *p);
/* The database in this folder, opened by the real driver; what was told by `at` must be there. */
struct verdict payers_judge(const struct told_map *m, const char *folder, size_t at);
/* Is this text there? */
bool payers_hold(const char *folder, const char *what);
/* A number that the database gives, or -1. */
int64_t payers_count(const char *folder, const char *sql);
/* Does the rule notice its tampering? On a copy that may be spoilt. */
bool payers_rule_notices(const char *folder, const struct payers_rule *rule);

#endif
