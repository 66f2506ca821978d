/* clock.c -- time that can be moved: for everybody, or for the customers of one test clock.
 *
 * The sandbox's own clock is real time and an offset, kept in the database and so over restarts. It only goes forwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

#include <inttypes.h>

enum { ADVANCE_S_MAX = 10 * 366 * 86400, KEEP_DAYS = 30 };

static void set(struct env *e, int64_t offset_us)
{
    __atomic_store_n(&e->clock.offset_us, offset_us, __ATOMIC_RELEASE);
}

enum err clock_restore(struct call *c)
{
    int64_t offset_us = 0;
    enum err e = db_int(c, &offset_us, "SELECT offset_us FROM sandbox_clock WHERE id = 1");

    if (e == E_NOT_FOUND)
        return db_run(c, "INSERT INTO sandbox_clock (id, offset_us) VALUES (1, 0)");
    if (e == E_OK)
        set(c->env, offset_us);
    return e;
}

static enum err reply(struct call *c, int64_t offset_us)
{
    struct when real = env_real_now(c->env);
    struct render r;

    render_begin(&r, c);
    json_open(&r.o, '{');
    json_str(&r.o, "object", STR("sandbox.clock"));
    render_when(&r, "now", when_after(real, offset_us));
    json_int(&r.o, "offset_s", offset_us / SECOND);
    json_close(&r.o, '}');
    api_reply(c, buf_str(&r.buf));
    return E_OK;
}

TAKES_NOTHING(clock_get);

enum err clock_get(struct call *c)
{
    return reply(c, env_now(c->env).us - env_real_now(c->env).us);
}

TAKES(clock_advance,
      { .path = "advance_s", .kind = P_INT, .min = 1, .max = ADVANCE_S_MAX, .required = true });

enum err clock_advance(struct call *c)
{
    int64_t offset_us;

    TRY(db_int(c, &offset_us,
               "UPDATE sandbox_clock SET offset_us = offset_us + $1 WHERE id = 1"
               " RETURNING offset_us",
               in_int(c, "advance_s", 0) * SECOND));
    set(c->env, offset_us);
    c->woke_jobs = true; /* some are due now */
    return reply(c, offset_us);
}

/* --- test clocks --------------------------------------------------------------------------------- */

struct test_clock {
    struct str id, name;
    struct when frozen, created;
};

static const struct field test_clock_fields[] = { COL(test_clock, id), COL(test_clock, name),
                                                  AT(test_clock, frozen), AT(test_clock, created) };
STATIC_SHAPE(test_clock);

static enum err load(struct call *c, struct str id, const char *param, struct test_clock *result)
{
    enum err e =
        db_one(c, test_clock, result,
               "SELECT id, name, frozen, created FROM sandbox_test_clock WHERE id = $1", id);

    return or_missing(c, e, "test clock", param, id);
}

enum err test_clock_now(struct call *c, struct str id, struct when *result)
{
    struct test_clock k;

    TRY(load(c, id, "test_clock", &k));
    *result = k.frozen;
    return E_OK;
}

enum err test_clock_render(struct render *r, struct str id)
{
    struct test_clock k;

    TRY(load(r->c, id, NULL, &k));
    json_open(&r->o, '{');
    json_str(&r->o, "id", k.id);
    json_str(&r->o, "object", STR("test_helpers.test_clock"));
    render_when(r, "created", k.created);
    render_when(r, "deletes_after", when_after(k.created, KEEP_DAYS * DAY));
    render_when(r, "frozen_time", k.frozen);
    json_bool(&r->o, "livemode", false);
    json_str(&r->o, "name", k.name);
    json_str(&r->o, "status", STR("ready"));
    render_raw(r, "status_details", STR("{}"));
    json_close(&r->o, '}');
    return E_OK;
}

TAKES(test_clock_create, { .path = "frozen_time", .kind = P_INT, .min = 1, .required = true },
      { .path = "name", .kind = P_TEXT, .max = 300 });

enum err test_clock_create(struct call *c)
{
    struct str id = api_id(c, "clock");

    TRY(db_run(c,
               "INSERT INTO sandbox_test_clock (id, name, frozen, created)"
               " VALUES ($1, $2, $3, $4)",
               id, in_text(c, "name"), (struct when) { in_int(c, "frozen_time", 0) * SECOND },
               c->now));
    TRY(event_emit(c, "test_helpers.test_clock.created", test_clock_render, id));
    return api_reply_object(c, test_clock_render, id);
}

TAKES_NOTHING(test_clock_get);

enum err test_clock_get(struct call *c)
{
    struct test_clock k;

    TRY(load(c, api_of(c)->id, NULL, &k));
    return api_reply_object(c, test_clock_render, k.id);
}

TAKES(test_clock_advance, { .path = "frozen_time", .kind = P_INT, .min = 1, .required = true });

/* Stripe advances in the background; here all of it is done when the answer leaves. */
enum err test_clock_advance(struct call *c)
{
    struct when to = { in_int(c, "frozen_time", 0) * SECOND };
    struct test_clock k;

    TRY(load(c, api_of(c)->id, NULL, &k));
    if (to.us <= k.frozen.us)
        return refuse(c, NULL, "frozen_time",
                      "The time must be after the clock's present frozen time.");
    TRY(db_hit(c, "UPDATE sandbox_test_clock SET frozen = $2 WHERE id = $1", k.id, to));
    TRY(event_emit(c, "test_helpers.test_clock.advancing", test_clock_render, k.id));
    TRY(session_expire_due(c, k.id, to));
    TRY(event_emit(c, "test_helpers.test_clock.ready", test_clock_render, k.id));
    return api_reply_object(c, test_clock_render, k.id);
}

TAKES_NOTHING(test_clock_delete);

enum err test_clock_delete(struct call *c)
{
    struct test_clock k;

    TRY(load(c, api_of(c)->id, NULL, &k));
    TRY(event_emit(c, "test_helpers.test_clock.deleted", test_clock_render, k.id));
    TRY(db_run(c,
               "UPDATE sandbox_method SET customer = NULL WHERE customer IN"
               " (SELECT id FROM sandbox_customer WHERE test_clock = $1)",
               k.id));
    TRY(db_run(c,
               "UPDATE sandbox_customer SET deleted = 1, test_clock = NULL WHERE test_clock = $1",
               k.id));
    TRY(db_run(c, "UPDATE sandbox_session SET test_clock = NULL WHERE test_clock = $1", k.id));
    TRY(db_run(c, "DELETE FROM sandbox_test_clock WHERE id = $1", k.id));
    api_reply(c, str_printf(c->arena,
                            "{\"id\":\"%.*s\",\"object\":\"test_helpers.test_clock\","
                            "\"deleted\":true}",
                            STR_FMT(k.id)));
    return E_OK;
}

TAKES(test_clock_list, LIST_PARAMS);

enum err test_clock_list(struct call *c)
{
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_test_clock WHERE id < $1 ORDER BY id DESC LIMIT $2",
                r.after, r.limit));
    return api_reply_rows(c, test_clock_render, &rows, &r);
}
