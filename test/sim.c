/* sim.c -- one run: its dice, its steps, what it tells. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "core/events.h"
#include "core/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const sim_sight_names[] = {
#define X(name, text) [SIGHT_##name] = text,
    SIM_SIGHTS(X)
#undef X
};

/* --- dice ------------------------------------------------------------------------------------------------------------- */

uint64_t sim_random(struct sim *w)
{
    uint64_t z = w->dice += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t sim_below(struct sim *w, int64_t n)
{
    return n <= 0 ? 0 : (int64_t)(sim_random(w) % (uint64_t)n);
}

bool sim_chance(struct sim *w, int percent)
{
    return sim_below(w, 100) < percent;
}

/* --- telling ---------------------------------------------------------------------------------------------------------- */

void sim_saw(struct sim *w, enum sim_sight sight)
{
    w->result->sights[sight]++;
}

void sim_tell(struct sim *w, const char *format, ...)
{
    struct sim_result *r = w->result;
    char text[SIM_LINE];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    sha256_add(&w->trace, text, length);
    char *line = r->line[r->lines++ % SIM_LINES];
    snprintf(line, SIM_LINE, "%4d %.*s", r->step, SIM_LINE - 8, text);
    if (w->plan.loud)
        printf("%s\n", line);
}

void sim_violated(struct sim *w, const char *rule, const char *format, ...)
{
    struct sim_result *r = w->result;
    va_list args;

    if (r->violation[0] != 0)
        return;
    snprintf(r->rule, sizeof(r->rule), "%s", rule);
    va_start(args, format);
    vsnprintf(r->violation, sizeof(r->violation), format, args);
    va_end(args);
    if (w->plan.loud)
        printf("VIOLATED %s: %s\n", r->rule, r->violation);
}

bool sim_over(const struct sim *w)
{
    return w->result->violation[0] != 0;
}

/* --- time ------------------------------------------------------------------------------------------------------------- */

/* When the next thing is due that somebody would notice; the sweeps are not. */
static int64_t next_due(struct sim *w)
{
    int64_t ahead = w->env.clock.offset_us;

    return world_int(
        w,
        "SELECT min(CASE WHEN due_business - $1 > due THEN due_business - $1 ELSE due END)"
        " FROM job WHERE state = 'waiting' AND kind NOT IN"
        " ('core.sweep', 'account.sweep', 'ledger.release', 'payment.sweep', 'audit.seal')",
        1, &ahead, INT64_MAX);
}

/* Time passes while the program does its work: it wakes for what is due, at its time. */
static void pass(struct sim *w, int64_t us)
{
    enum { WAKES = 40 };
    int64_t end = w->real.us + us;

    for (int i = 0; i < WAKES && w->real.us < end && !w->dead && !sim_over(w); i++) {
        int64_t due = next_due(w), to = due < end ? due : end;
        if (to > w->real.us)
            world_forward(w, to - w->real.us);
        else
            world_forward(w, SECOND);
        world_drain(w);
        if (w->weather == WEATHER_DOWN && w->real.us - w->down_since.us > 3 * DAY)
            w->weather = WEATHER_CALM; /* no provider is away for longer */
        pay_settle(w);
        if (!w->dead && sim_chance(w, 60))
            pay_notify(w, true);
        if (!w->dead)
            world_drain(w);
        oracle_look(w);
    }
}

static int64_t some_time(struct sim *w)
{
    static const struct {
        int weight;
        int64_t us;
    } spans[] = { { 20, MINUTE },  { 15, HOUR },     { 20, DAY },
                  { 20, 8 * DAY }, { 20, 33 * DAY }, { 5, 100 * DAY } };
    int64_t at = sim_below(w, 100);

    for (size_t i = 0; i < COUNT(spans); i++)
        if ((at -= spans[i].weight) < 0)
            return 1 + sim_below(w, spans[i].us);
    return SECOND;
}

static void time_passes(struct sim *w)
{
    int64_t us = some_time(w);

    sim_tell(w, "time passes: %" PRId64 " s", us / SECOND);
    pass(w, us);
}

/* The machine was off, or asleep. */
static void time_leaps(struct sim *w)
{
    int64_t us = some_time(w);

    sim_tell(w, "the machine sleeps: %" PRId64 " s", us / SECOND);
    world_forward(w, us);
}

/* --- steps ------------------------------------------------------------------------------------------------------------ */

static void weather_changes(struct sim *w)
{
    static const char *const names[] = { "calm", "lossy", "down", "rough" };
    static const enum sim_weather turns[] = { WEATHER_CALM, WEATHER_CALM, WEATHER_LOSSY,
                                              WEATHER_DOWN, WEATHER_ROUGH };

    w->weather = turns[sim_below(w, COUNT(turns))];
    w->down_since = w->real;
    sim_tell(w, "the provider is %s", names[w->weather]);
}

static void card_changes(struct sim *w)
{
    static const enum sim_card turns[] = { CARD_GOOD, CARD_GOOD, CARD_GOOD,
                                           CARD_BAD,  CARD_ASKS, CARD_SLOW };
    int person = (int)sim_below(w, SIM_PEOPLE);

    w->people[person].card = turns[sim_below(w, COUNT(turns))];
    sim_tell(w, "the card of %s changes to %d", w->people[person].name,
             (int)w->people[person].card);
}

static void all_notices(struct sim *w)
{
    pay_notify(w, true);
}

static void one_notice(struct sim *w)
{
    pay_notify(w, false);
}

static void jobs_run(struct sim *w)
{
    pay_settle(w);
    world_drain(w);
}

static const struct {
    int weight;
    void (*run)(struct sim *w);
} deeds[] = {
    { 9, people_subscribe }, { 12, pay_visit },      { 7, all_notices },   { 4, one_notice },
    { 6, jobs_run },         { 18, time_passes },    { 2, time_leaps },    { 3, people_leave },
    { 3, people_come_back }, { 4, weather_changes }, { 5, card_changes },  { 5, people_read },
    { 8, people_do },        { 3, people_hostile },  { 1, world_restart }, { 4, people_retry },
    { 5, people_write },     { 3, people_sell },     { 2, people_govern }, { 1, pay_forge },
    { 5, rights_probe },     { 4, rights_watch },    { 1, people_dress },  { 1, people_forget },
};

static void any_deed(struct sim *w)
{
    int64_t sum = 0;

    for (size_t i = 0; i < COUNT(deeds); i++)
        sum += deeds[i].weight;
    sum = sim_below(w, sum);
    for (size_t i = 0; i < COUNT(deeds); i++)
        if ((sum -= deeds[i].weight) < 0) {
            deeds[i].run(w);
            return;
        }
}

void sim_meanwhile(struct sim *w)
{
    static void (*const small[])(
        struct sim * w) = { people_subscribe, people_leave, people_come_back, pay_visit,
                            people_do,        one_notice,   people_sell,      people_write };

    if (w->calm || w->depth > 0 || w->dead || !sim_chance(w, 6))
        return;
    sim_saw(w, SIGHT_MEANWHILE);
    sim_tell(w, "  meanwhile:");
    w->depth++;
    small[sim_below(w, COUNT(small))](w);
    w->depth--;
}

static uint64_t dice_of(uint64_t seed, int step)
{
    uint64_t z = seed * UINT64_C(0xD6E8FEB86659FD93) + (uint64_t)step;

    z = (z ^ (z >> 32)) * UINT64_C(0xD6E8FEB86659FD93);
    return z ^ (z >> 29);
}

/* What may go wrong in this step. */
static void light_fuses(struct sim *w)
{
    w->fuse = sim_chance(w, 4) ? 1 + sim_below(w, sim_chance(w, 50) ? 30 : 300) : 0;
    w->pay_fuse = sim_chance(w, 8) ? 1 + sim_below(w, 3) : 0;
    w->hiccup = sim_chance(w, 5) ? 1 + sim_below(w, 60) : 0;
    w->stuck = sim_chance(w, 3);
}

static void after(struct sim *w)
{
    bool died = w->dead;

    if (died)
        world_restart(w);
    w->fuse = w->pay_fuse = w->hiccup = 0;
    w->stuck = false;
    /* The workers: most of the time at once. */
    if (died || sim_chance(w, 80))
        world_drain(w);
    if (w->plan.broken != NULL)
        sim_break(w);
    oracle_look(w);
    arena_reset(&w->step);
}

static void step(struct sim *w, int number)
{
    w->result->step = number;
    w->dice = dice_of(w->plan.seed, number);
    if (number < SIM_SKIPS && w->plan.skip[number])
        return;
    light_fuses(w);
    any_deed(w);
    after(w);
}

/* The people, a calm beginning. */
static void begin(struct sim *w)
{
    w->result->step = 0;
    w->dice = dice_of(w->plan.seed, 0);
    w->calm = true;
    people_arrive(w);
    w->calm = false;
    oracle_look(w);
    arena_reset(&w->step);
}

/* All faults end, and what was under way comes to its end; then the last account is taken. */
static void finish(struct sim *w)
{
    w->result->step = w->plan.steps + 1;
    w->dice = dice_of(w->plan.seed, w->plan.steps + 1);
    w->calm = true;
    w->weather = WEATHER_CALM;
    for (size_t i = 0; i < w->notices_n && i < SIM_NOTICES; i++)
        w->notices[i].due = w->real;
    for (int i = 0; i < 12 && !sim_over(w); i++) {
        pay_settle(w);
        pay_notify(w, true);
        people_govern(w);
        pass(w, 3 * DAY);
        arena_reset(&w->step);
    }
    if (!sim_over(w))
        rights_probe_all(w);
    oracle_look(w);
    if (!sim_over(w))
        oracle_end(w);
    if (!sim_over(w))
        oracle_receipts(w);
}

/* The rows that stay, so that two runs are the same to the last byte. */
static void trace_rows(struct sim *w)
{
    static const char *const tables[] = {
        "SELECT id, email, password, role, created FROM account ORDER BY id",
        "SELECT id, account, created, seen FROM session ORDER BY id",
        "SELECT id, handle, followers, posts, head FROM creator ORDER BY id",
        "SELECT journal, line, account, amount FROM ledger_entry ORDER BY journal, line",
        "SELECT id, state, provider_ref, settled FROM payment ORDER BY id",
        "SELECT id, state, period, access_until, ended FROM subscription ORDER BY id",
        "SELECT id, kind, state, due, attempt, error FROM job ORDER BY id",
        "SELECT id, action, detail, hash FROM audit ORDER BY id",
        "SELECT account, key, status, body FROM idempotency ORDER BY account, key",
        "SELECT id, creator, text, state FROM post ORDER BY id",
    };

    for (size_t t = 0; t < COUNT(tables); t++) {
        struct sim_rows rows = world_sql(w, tables[t], 0, NULL);
        for (size_t i = 0; i < rows.n * rows.columns; i++)
            sha256_add(&w->trace, rows.cells[i].none ? "-" : rows.cells[i].s.p,
                       rows.cells[i].none ? 1 : rows.cells[i].s.n + 1);
    }
}

void sim_run(const struct sim_plan *plan, struct sim_result *result)
{
    static struct sim world; /* large; a process runs one */
    struct sim *w = &world;

    *w = (struct sim) { .plan = *plan, .result = result };
    sha256_begin(&w->trace);
    world_open(w);
    begin(w);
    for (int i = 1; i <= plan->steps && !sim_over(w); i++)
        step(w, i);
    if (!sim_over(w))
        finish(w);
    trace_rows(w);
    struct sha256 hash = sha256_end(&w->trace);
    struct str hex = hex_print(&w->arena, hash.b, SHA256_BYTES);
    memcpy(result->trace, hex.p, hex.n);
    world_close(w);
    result->finished = true;
}
