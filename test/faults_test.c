/* faults_test.c -- each write and each sync of the pay path fails: once, and for ever; and the program dies at each.
 *
 * One person signs up, follows, subscribes and pays on a disk whose n-th write or sync fails, for n = 1, 2, ... until all of
 * it passes untouched. The program may stop (a commit whose outcome nobody knows) and is begun again. She asks again
 * with the same key until she is answered. Then, whatever happened:
 *
 *   who was told "failed" has not been lied to: no image of the disk at that moment holds what she asked for
 *   what was acknowledged stands in every image of the disk (power.h), though a process died and a sync failed meanwhile
 *   it stands there once: one account, one follow, one subscription, one charge, as the provider has it
 *   reading went on; it was written in the log; from the moment on that the disk was well again it took less than 5 s
 *
 * STAGEDOOR_FAULTS=1 tries each write, 12 each twelfth and each sync; STAGEDOOR_FAULT=7 only that one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/payers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    REFUSALS_MAX = 400,
    HEAL_MS = 150,      /* how long a disk fails that fails "for ever" */
    RECOVERY_MS = 5000, /* the promise */
    PATIENCE_MS = 20000,
    STOPPED = 70, /* sqlite.c: the outcome of a commit or a checkpoint is unknown */
    IMAGES = 4,
};

struct refusal {
    char what[100];
    size_t at; /* operations so far, when it was told */
    enum err said;
};

/* Shared by the two lives of the program and the judge. */
struct trial {
    struct payer payer;
    int step;      /* that is being asked for */
    bool asked;    /* ... and nothing was heard yet: anything may be */
    bool unheard;  /* ... in an earlier life */
    size_t second; /* operations until the second life */
    bool done;
    struct refusal refusals[REFUSALS_MAX];
    int refusals_n, reads, reads_failed;
    char lied[100];      /* an account that was refused, and is taken */
    int64_t well_us;     /* when the disk was well again */
    int64_t recovery_us; /* from then until everything was done */
};

struct kind {
    const char *name;
    struct power_fault fault;
};

/* --- one life of the program ------------------------------------------------------------------------------------ */

static bool reads(struct trial *t)
{
    struct till_reply r = till_ask_by(t->payer.p->till, &t->payer.arena, ID_NONE, GET,
                                      "/v1/creators/creator1000", NULL, NULL);

    return r.result == E_OK;
}

/* "Busy" and "this key is still at work" are no end. */
static void refused(struct trial *t, enum err e)
{
    if (t->refusals_n == REFUSALS_MAX || e == E_BUSY || e == E_KEY_IN_USE)
        return;
    struct refusal *r = &t->refusals[t->refusals_n++];
    payer_would_hear(&t->payer, (enum payer_step)t->step, r->what);
    r->at = power_now(t->payer.p->power);
    r->said = e;
}

/* An address that is taken: by her, when nobody had answered her. */
static enum err taken(struct trial *t)
{
    if (t->step != PAYER_SIGNS_UP)
        return E_TAKEN;
    if (!t->unheard)
        snprintf(t->lied, sizeof(t->lied), "%s", t->payer.email);
    return payer_finds_account(&t->payer) ? E_OK : E_INTERNAL;
}

static bool step(struct trial *t)
{
    t->unheard |= t->asked;
    t->asked = true;
    enum err e = payer_step(&t->payer, (enum payer_step)t->step);
    if (e == E_TAKEN)
        e = taken(t);
    t->reads++;
    t->reads_failed += !reads(t);
    if (e == E_OK)
        return true; /* from now on it has been asked, until it is written down as done */
    t->asked = false;
    refused(t, e);
    return false;
}

/* Until it is answered, step by step; false when patience ended. */
static bool live(struct trial *t)
{
    int64_t end = monotonic_us() + PATIENCE_MS * INT64_C(1000);

    while (t->step < PAYER_STEPS) {
        t->payer.creator = t->step == PAYER_FOLLOWS ? 0 : PAYERS_CREATORS - 1;
        if (t->step == PAYER_SUBSCRIBES)
            t->payer.ref[0] = 0;
        bool good = step(t);
        if (good && t->step == PAYER_SUBSCRIBES && t->payer.ref[0] == 0)
            good = false; /* the provider has not answered yet: ask again */
        if (good) {
            t->step++;
            t->asked = t->unheard = false;
        }
        if (!good && monotonic_us() > end)
            return false;
        if (!good)
            sleep_ms(10);
    }
    while (!payer_is_active(&t->payer)) {
        if (monotonic_us() > end)
            return false;
        sleep_ms(2);
    }
    return true;
}

/* A disk that fails "for ever" is well again after a while. */
static void *heal(void *arg)
{
    struct trial *t = arg;
    struct power *power = t->payer.p->power;

    while (power_failed(power) == 0 && !__atomic_load_n(&t->done, __ATOMIC_ACQUIRE))
        sleep_ms(1);
    sleep_ms(HEAL_MS);
    power_heal(power);
    __atomic_store_n(&t->well_us, monotonic_us(), __ATOMIC_RELEASE);
    return NULL;
}

static bool log_says(const char *word)
{
    char path[300], text[65536];

    snprintf(path, sizeof(path), "%s/log", unit_dir());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = 0;
    return strstr(text, word) != NULL;
}

/* Lines are written by a thread of their own. */
static void wait_for_log(struct power *power)
{
    for (int ms = 0; ms < 2000 && power_failed(power) > 0 && !log_says("\"sqlite."); ms++)
        sleep_ms(1);
}

static void write_log(void)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/log", unit_dir());
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

_Noreturn static void life(struct trial *t, struct power_fault fault)
{
    pthread_t healer;

    write_log();
    t->payer.arena = (struct arena) { 0 };
    t->done = false;
    payers_begin(t->payer.p, 2);
    power_fail(t->payer.p->power, fault);
    t->well_us = monotonic_us();
    if (fault.forever)
        must(pthread_create(&healer, NULL, heal, t) == 0);
    bool good = live(t);
    t->recovery_us = monotonic_us() - __atomic_load_n(&t->well_us, __ATOMIC_ACQUIRE);
    __atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
    if (fault.forever)
        pthread_join(healer, NULL);
    power_heal(t->payer.p->power); /* what comes now would not be waited for */
    wait_for_log(t->payer.p->power);
    _exit(good ? 0 : 1); /* without closing: the next one finds the WAL as it is */
}

static int life_run(struct trial *t, struct power_fault fault)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();

    must(child >= 0);
    if (child == 0)
        life(t, fault);
    must(waitpid(child, &status, 0) == child);
    power_child_died(t->payer.p->power);
    payers_child_died(t->payer.p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- the judge -------------------------------------------------------------------------------------------------- */

struct tally {
    int trials, stopped, killed, refusals, reads, images;
    int64_t recovery_us;
};

/* Refused is refused: images at the moments of the answers, which never go back in time. */
static void judge_refusals(struct trial *t, const char *name, uint64_t seed, struct tally *sum)
{
    struct images *images = images_open(t->payer.p->power, seed);

    for (int i = 0; i < t->refusals_n; i++) {
        const struct refusal *r = &t->refusals[i];
        images_forward(images, r->at);
        image_write(images, image_folder());
        sum->images++;
        if (payers_hold(image_folder(), r->what))
            FAIL("%s: a false \"failed\" (%s): %s is there", name, err_sentence(r->said), r->what);
    }
    images_close(images);
    if (t->lied[0] != 0)
        FAIL("%s: a false \"failed\" (%s): %s is taken", name,
             err_sentence(t->refusals_n == 0 ? E_OK : t->refusals[0].said), t->lied);
}

static void judge_image(struct trial *t, const char *name, struct images *images, size_t at,
                        struct tally *sum)
{
    struct told_map told = { 0 };

    told_map_open(&told, t->payer.p);
    images_forward(images, at);
    enum fate fate = image_write(images, image_folder());
    struct verdict v = payers_judge(&told, image_folder(), at);
    sum->images++;
    if (!v.whole || v.lost > 0 || v.wrong != NULL)
        FAIL("%s, then the power goes at %zu of %zu (unsynced writes %s): %s, %zu lost (%s), %s",
             name, at, power_now(t->payer.p->power), fate_names[fate],
             v.whole ? "whole" : "corrupt", v.lost, v.first, v.wrong == NULL ? "agrees" : v.wrong);
    arena_done(&told.arena);
}

/* The power goes as well: while the second life begins, and at the end. */
static void judge_images(struct trial *t, const char *name, uint64_t seed, struct tally *sum)
{
    enum { BEGINNING = 100 };
    size_t end = power_now(t->payer.p->power);
    struct images *images = images_open(t->payer.p->power, seed);

    for (size_t i = 0; t->second > 0 && i < IMAGES; i++) {
        size_t at =
            t->second + i * BEGINNING / IMAGES + (size_t)images_chance(images, BEGINNING / IMAGES);
        if (at < end)
            judge_image(t, name, images, at, sum);
    }
    for (int i = 0; i < IMAGES; i++)
        judge_image(t, name, images, end, sum);
    images_close(images);
}

static void judge_once(struct trial *t, const char *name)
{
    static const struct {
        const char *what, *sql;
    } once[] = {
        { "account", "SELECT count(*) FROM account WHERE email LIKE 'fan%'" },
        { "follow", "SELECT count(*) FROM follow WHERE creator = 1000" },
        { "subscription", "SELECT count(*) FROM subscription" },
        { "active subscription", "SELECT count(*) FROM subscription WHERE state = 'active'" },
        { "payment", "SELECT count(*) FROM payment" },
        { "charge", "SELECT count(*) FROM ledger_journal WHERE kind = 'charge'" },
    };

    for (size_t i = 0; i < COUNT(once); i++) {
        int64_t n = payers_count(unit_dir(), once[i].sql);
        if (n != 1)
            FAIL("%s: %" PRId64 " of what should be one %s", name, n, once[i].what);
    }
    if (t->payer.p->provider.taken_n != 1)
        FAIL("%s: the provider took %" PRId64 " payments", name, t->payer.p->provider.taken_n);
}

static void judge_log(const char *name, int fault, int exit_code, bool came)
{
    if (exit_code == STOPPED && !log_says("sqlite.commit_unknown") &&
        !log_says("sqlite.checkpoint_not_synced"))
        FAIL("%s: it stopped and did not say why", name);
    else if (exit_code == 0 && came && !log_says("\"sqlite."))
        FAIL("%s: nothing was logged of %s", name, sqlite3_errstr(fault));
}

static void judge_life(struct trial *t, const char *name, int code, struct tally *sum)
{
    if (code != 0)
        FAIL("%s: the last life of the program ended with %d, in step %d", name, code, t->step);
    if (t->reads_failed > 0)
        FAIL("%s: %d of %d reads failed", name, t->reads_failed, t->reads);
    if (t->recovery_us > RECOVERY_MS * INT64_C(1000))
        FAIL("%s: recovery took %" PRId64 " ms", name, t->recovery_us / 1000);
    if (t->recovery_us > sum->recovery_us)
        sum->recovery_us = t->recovery_us;
    sum->trials++;
    sum->refusals += t->refusals_n;
    sum->reads += t->reads;
}

/* --- trials ----------------------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    ssize_t n;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(in >= 0 && out >= 0);
    while ((n = read(in, block, sizeof(block))) > 0)
        must(write(out, block, (size_t)n) == n);
    close(in);
    close(out);
}

/* unit_dir()/test.db as the program leaves it when nobody has come yet. */
static void fresh(bool first)
{
    static const char *const others[] = { "test.db-wal", "test.db-shm", "log" };
    char base[300], path[300];

    snprintf(base, sizeof(base), "%s/base.db", unit_dir());
    snprintf(path, sizeof(path), "%s/test.db", unit_dir());
    copy_file(first ? path : base, first ? base : path);
    for (size_t i = 0; i < COUNT(others); i++) {
        snprintf(path, sizeof(path), "%s/%s", unit_dir(), others[i]);
        unlink(path);
    }
}

static void base_make(void)
{
    fflush(stdout);
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        struct power *power = power_open();
        power_record(power, false);
        struct payers *people = payers_new(power);
        payers_begin(people, 0);
        payers_end(people);
        _exit(0);
    }
    int status;
    must(waitpid(child, &status, 0) == child && status == 0);
    fresh(true);
}

/* True when the fault came; false: everything passed before its turn. */
static bool trial(const struct kind *k, int64_t n, uint64_t seed, struct tally *sum)
{
    struct power *power = power_open();
    struct payers *people = payers_new(power);
    struct trial *t =
        mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct power_fault fault = k->fault;
    char name[100];

    must(t != MAP_FAILED);
    fresh(false);
    snprintf(name, sizeof(name), "%s %" PRId64, k->name, n);
    power_pragma(power, "wal_autocheckpoint", "20");
    t->payer.p = people;
    people->lives = 1; /* ids are made of the time: not that of the base */
    snprintf(t->payer.email, sizeof(t->payer.email), "fan@example.org");
    fault.at = n;
    int code = life_run(t, fault);
    bool came = power_failed(power) > 0 || code == POWER_KILLED;
    sum->stopped += code == STOPPED;
    sum->killed += code == POWER_KILLED;
    judge_log(name, k->fault.code, code, power_failed(power) > 0);
    power_heal(power);
    if (code == STOPPED || code == POWER_KILLED) {
        t->second = power_now(power);
        code = life_run(t, (struct power_fault) { 0 });
    }
    power_record(power, false);
    judge_life(t, name, code, sum);
    judge_refusals(t, name, seed, sum);
    judge_images(t, name, seed, sum);
    judge_once(t, name);
    munmap(t, sizeof(*t));
    payers_free(people);
    power_close(power);
    return came;
}

#define FAULTS(test, title, ...)                                                                   \
    TEST_SECONDS(test, 600)                                                                        \
    {                                                                                              \
        faults(&(struct kind) { title, { __VA_ARGS__ } });                                         \
    }

static void faults(const struct kind *k)
{
    struct tally sum = { 0 };
    int64_t step = unit_setting("STAGEDOOR_FAULTS", 100), only = unit_setting("STAGEDOOR_FAULT", 0);
    uint64_t seed = unit_seed();
    int64_t n;

    step = k->fault.kinds == POWER_SYNC ? (step + 11) / 12 : step; /* there are fewer */
    n = 1 + (int64_t)(seed % (uint64_t)step);
    unit_dir(); /* children are to have the same */
    base_make();
    if (only > 0)
        trial(k, n = only, seed + (uint64_t)only, &sum);
    else
        while (trial(k, n, seed + (uint64_t)n, &sum))
            n += step;
    NOTE("%s: %" PRId64
         " places, %d tried: %d stopped, %d killed; %d answers \"failed\", none of them"
         " false; %d reads; %d images; longest recovery %" PRId64 " ms",
         k->name, n, sum.trials, sum.stopped, sum.killed, sum.refusals, sum.reads, sum.images,
         sum.recovery_us / 1000);
    CHECK(sum.trials > (only > 0 ? 0 : 1));
}

FAULTS(faults_full_once, "the disk is full at write", .kinds = POWER_WRITE, .code = SQLITE_FULL)
FAULTS(faults_full_for_ever, "the disk is full from write", .kinds = POWER_WRITE,
       .code = SQLITE_FULL, .forever = true)
FAULTS(faults_write_once, "an I/O error at write", .kinds = POWER_WRITE, .code = SQLITE_IOERR_WRITE)
FAULTS(faults_write_for_ever, "I/O errors from write", .kinds = POWER_WRITE,
       .code = SQLITE_IOERR_WRITE, .forever = true)
FAULTS(faults_sync_once, "an I/O error at sync", .kinds = POWER_SYNC, .code = SQLITE_IOERR_FSYNC)
FAULTS(faults_sync_for_ever, "I/O errors from sync", .kinds = POWER_SYNC,
       .code = SQLITE_IOERR_FSYNC, .forever = true)
FAULTS(faults_killed_at_write, "killed in write", .kinds = POWER_WRITE, .code = POWER_KILLS)
FAULTS(faults_killed_at_sync, "killed before sync", .kinds = POWER_SYNC, .code = POWER_KILLS)
