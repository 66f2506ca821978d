/* sim_pay.c -- a payment provider with a memory of its own: what stands here as taken is the money that really moved.
 *
 * Like the real ones it knows a call again by its key, for a day; its answers get lost before or after the work, come late,
 * are old or wrong; its notifications come twice, late, in another order, or are forged by others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "core/jobs.h"
#include "test/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const states[] = {
    [PAY_PENDING] = "pending",     [PAY_ACTION_REQUIRED] = "action required",
    [PAY_SUCCEEDED] = "succeeded", [PAY_DECLINED] = "declined",
    [PAY_EXPIRED] = "expired",     [PAY_UNKNOWN] = "unknown"
};

static struct sim *of_pay(struct pay *p)
{
    return (struct sim *)((char *)p - offsetof(struct sim, pay));
}

static void put(char *to, size_t size, struct str s)
{
    must(s.n < size);
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    to[s.n] = 0;
}

/* --- objects -------------------------------------------------------------------------------------------------------- */

static struct sim_object *object_of_key(struct sim *w, struct str key)
{
    for (size_t i = 0; i < w->objects_n; i++) {
        struct sim_object *o = &w->objects[i];
        bool forgotten = w->real.us - o->made.us > DAY || o->key_forgotten;
        if (str_is(key, o->key) && !forgotten)
            return o;
    }
    return NULL;
}

static struct sim_object *object_of_ref(struct sim *w, struct str ref, bool *part)
{
    *part = false;
    for (size_t i = 0; i < w->objects_n; i++) {
        struct sim_object *o = &w->objects[i];
        *part = str_is(ref, o->part);
        if (*part || str_is(ref, o->ref))
            return o;
    }
    return NULL;
}

struct sim_object *pay_of_reference(struct sim *w, struct str reference, size_t *from)
{
    for (; *from < w->objects_n; (*from)++)
        if (str_is(reference, w->objects[*from].reference))
            return &w->objects[(*from)++];
    return NULL;
}

static void notice(struct sim *w, const char *ref)
{
    struct sim_notice *n = &w->notices[w->notices_n % SIM_NOTICES];
    static const int64_t late[] = { 0, 0, 0, SECOND, MINUTE, 3 * HOUR, 2 * DAY, 20 * DAY };

    if (!w->calm && sim_chance(w, 10))
        return; /* it never comes */
    w->notices_n++;
    *n = (struct sim_notice) { .made = w->real };
    n->due = when_after(w->real, w->calm ? 0 : late[sim_below(w, COUNT(late))]);
    snprintf(n->event, sizeof(n->event), "evt_%" PRId64, ++w->events);
    snprintf(n->ref, sizeof(n->ref), "%s", ref);
}

static void become(struct sim *w, struct sim_object *o, enum pay_state state, const char *decline)
{
    if (state == PAY_SUCCEEDED && !o->taken)
        sim_tell(w, "  the provider takes %" PRId64 " %s by %s for %s", o->amount, o->currency,
                 o->ref, o->reference);
    o->taken |= state == PAY_SUCCEEDED;
    o->state = state;
    o->changed = w->real;
    snprintf(o->decline, sizeof(o->decline), "%s", decline);
    notice(w, o->hosted && sim_chance(w, 40) ? o->part : o->ref);
}

static enum sim_card card_of(struct sim *w, const char *payer)
{
    struct id id;

    if (!id_parse(str_of(payer), "usr", &id) || people_of(w, id.v) == NOBODY)
        return CARD_GOOD;
    return w->people[people_of(w, id.v)].card;
}

static void charge_card(struct sim *w, struct sim_object *o)
{
    switch (card_of(w, o->payer)) {
    case CARD_BAD:
        sim_saw(w, SIGHT_DECLINED);
        become(w, o, PAY_DECLINED, "The card was declined.");
        break;
    case CARD_ASKS:
        sim_saw(w, SIGHT_ASKED);
        become(w, o, PAY_ACTION_REQUIRED, "");
        break;
    case CARD_SLOW:
        become(w, o, PAY_PENDING, "");
        break;
    case CARD_GOOD:
    case CARDS:
        become(w, o, PAY_SUCCEEDED, "");
    }
}

static struct sim_object *object_make(struct sim *w, const struct pay_request *r, bool hosted)
{
    struct sim_object *o = object_of_key(w, r->key);

    if (o != NULL) {
        if (o->amount != r->amount.minor || !str_is(r->reference, o->reference))
            sim_violated(w, "provider-key", "%s names another request", o->key);
        return o;
    }
    must(w->objects_n < SIM_OBJECTS);
    o = &w->objects[w->objects_n++];
    *o = (struct sim_object) { .amount = r->amount.minor, .hosted = hosted, .made = w->real };
    o->fee = 25 + o->amount * 29 / 1000;
    put(o->key, sizeof(o->key), r->key);
    put(o->reference, sizeof(o->reference), r->reference);
    put(o->payer, sizeof(o->payer), r->payer);
    put(o->currency, sizeof(o->currency), str_of(r->amount.currency.code));
    snprintf(o->ref, sizeof(o->ref), "%s_%zu", hosted ? "cs" : "pi", w->objects_n);
    snprintf(o->part, sizeof(o->part), "%s_%zu", hosted ? "pi" : "none", w->objects_n);
    if (hosted)
        o->state = PAY_PENDING;
    else
        charge_card(w, o);
    o->key_forgotten = w->plan.broken != NULL && strcmp(w->plan.broken, "provider-keys") == 0;
    return o;
}

/* --- answers -------------------------------------------------------------------------------------------------------- */

static void describe(struct arena *a, const struct sim_object *f, bool part, struct pay_outcome *o)
{
    *o = (struct pay_outcome) { .state = f->state, .fee = -1, .amount = { .minor = f->amount } };
    memcpy(o->amount.currency.code, f->currency, sizeof(f->currency));
    o->provider_ref = str_copy(a, str_of(part ? f->part : f->ref));
    o->reference = str_copy(a, str_of(f->reference));
    o->customer = str_printf(a, "cus_%s", f->payer);
    if (part && f->state == PAY_PENDING && f->decline[0] != 0)
        o->state = PAY_DECLINED;
    if (f->decline[0] != 0 && f->state != PAY_SUCCEEDED)
        o->decline = str_copy(a, str_of(f->decline));
    if (f->state == PAY_SUCCEEDED) {
        o->method = str_printf(a, "pm_%s", f->payer);
        o->fee = f->fee;
    }
    if ((f->hosted && f->state == PAY_PENDING) || f->state == PAY_ACTION_REQUIRED)
        o->url = str_printf(a, "http://pay.test/%s", f->ref);
}

/* Not the truth: another amount, or how it was a moment ago. */
static void distort(struct sim *w, const struct sim_object *f, struct pay_outcome *o)
{
    if (w->plan.broken != NULL && strcmp(w->plan.broken, "provider-lies") == 0)
        o->state = PAY_SUCCEEDED; /* a control: money that nobody took */
    if (w->calm || w->weather != WEATHER_ROUGH || f->state != PAY_SUCCEEDED)
        return;
    if (sim_chance(w, 15)) {
        o->amount.minor += 100;
        sim_saw(w, SIGHT_LIED);
        sim_tell(w, "  the provider lies about the amount of %s", f->ref);
    } else if (sim_chance(w, 20) && w->real.us - f->changed.us < MINUTE) {
        o->state = PAY_PENDING;
        o->method = STR_NONE;
        sim_saw(w, SIGHT_STALE);
    }
}

/* The wire: true when the call goes through to the provider. */
static bool goes_out(struct sim *w, enum err *e, struct pay_outcome *o, struct str key)
{
    int fault = w->calm ? 0 : w->weather == WEATHER_LOSSY ? 35 : 8;

    *e = E_OK;
    if (!w->calm && w->weather == WEATHER_DOWN) {
        sim_saw(w, SIGHT_PROVIDER_DOWN);
        *e = E_PROVIDER_UNAVAILABLE;
        return false;
    }
    if (!sim_chance(w, fault))
        return true;
    sim_saw(w, SIGHT_LOST_BEFORE);
    sim_tell(w, "  the call to the provider is lost");
    *o = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
    o->provider_ref = str_printf(&w->step, "find:%.*s", STR_FMT(key));
    return false;
}

static bool comes_back(struct sim *w, struct sim_object *f, struct pay_outcome *o, struct str key)
{
    int fault = w->calm ? 0 : w->weather == WEATHER_LOSSY ? 35 : 8;

    if (!sim_chance(w, fault))
        return true;
    f->lost = true;
    sim_tell(w, "  the provider's answer on %s is lost", f->ref);
    *o = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
    o->provider_ref = str_printf(&w->step, "find:%.*s", STR_FMT(key));
    return false;
}

/* It takes so long that another takes the job over meanwhile. */
static void dawdle(struct sim *w)
{
    if (w->calm || w->depth > 1 || !sim_chance(w, 2))
        return;
    sim_saw(w, SIGHT_LEASE_LOST);
    sim_tell(w, "  the provider takes five minutes; the lease is over");
    world_forward(w, 5 * MINUTE);
    w->depth += 2;
    jobs_drain(&w->env);
    w->depth -= 2;
}

static enum err call(struct sim *w, struct arena *a, const struct pay_request *r, bool hosted,
                     struct pay_outcome *o)
{
    enum err e;

    w->in_pay = true;
    bool dead = world_touch(w), went = !dead && goes_out(w, &e, o, r->key);
    if (went) {
        struct sim_object *f = object_make(w, r, hosted);
        sim_tell(w, "  provider: %s %s -> %s", hosted ? "page" : "charge", f->key,
                 states[f->state]);
        dead = world_touch(w);
        if (!dead && comes_back(w, f, o, r->key)) {
            f->told = true;
            describe(a, f, false, o);
            distort(w, f, o);
        }
    }
    w->in_pay = false;
    if (dead)
        return E_PROVIDER_UNAVAILABLE;
    dawdle(w);
    sim_meanwhile(w);
    return went ? E_OK : e;
}

static enum err sim_checkout(struct pay *p, struct arena *a, const struct pay_request *r,
                             struct pay_outcome *o)
{
    return call(of_pay(p), a, r, true, o);
}

static enum err sim_charge(struct pay *p, struct arena *a, const struct pay_request *r,
                           struct pay_outcome *o)
{
    must(r->customer.p != NULL && r->method.p != NULL);
    return call(of_pay(p), a, r, false, o);
}

static void age(struct sim *w, struct sim_object *f)
{
    if (f->hosted && f->state == PAY_PENDING && w->real.us - f->made.us > DAY)
        f->state = PAY_EXPIRED;
    if (f->state == PAY_ACTION_REQUIRED && w->real.us - f->made.us > 25 * DAY) {
        f->state = PAY_DECLINED;
        snprintf(f->decline, sizeof(f->decline), "Nobody answered the bank's question.");
    }
}

static enum err sim_query(struct pay *p, struct arena *a, struct str ref, struct pay_outcome *o)
{
    struct sim *w = of_pay(p);
    bool by_key = str_starts(ref, "find:"), part = false, lost;
    enum err e;

    w->in_pay = true;
    bool dead = world_touch(w), went = !dead && goes_out(w, &e, o, ref);
    w->in_pay = false;
    if (dead)
        return E_PROVIDER_UNAVAILABLE;
    if (!went)
        return e == E_OK ? E_PROVIDER_UNAVAILABLE : e;
    struct sim_object *f = NULL;
    for (size_t i = 0; by_key && i < w->objects_n; i++)
        if (str_is(str_cut(ref, 5, ref.n), w->objects[i].key))
            f = &w->objects[i];
    if (!by_key)
        f = object_of_ref(w, ref, &part);
    if (f == NULL)
        return E_NOT_FOUND;
    age(w, f);
    lost = f->lost;
    f->told = true;
    describe(a, f, part, o);
    distort(w, f, o);
    if (lost && f->taken && by_key)
        sim_saw(w, SIGHT_LOST_FOUND);
    sim_tell(w, "  provider: asked about %.*s -> %s", STR_FMT(ref), states[o->state]);
    return E_OK;
}

/* "evt_1 cs_1", signed "good". */
static enum err sim_verify(struct pay *p, struct arena *a, struct str body, struct str signature,
                           struct when now, struct str *event, struct str *provider_ref)
{
    (void)p, (void)now, (void)a;
    if (!str_is(signature, "good"))
        return E_BAD_SIGNATURE;
    *provider_ref = str_split(body, ' ', event);
    return E_OK;
}

const struct pay_ops sim_pay_ops = {
    .name = "stripe",
    .capabilities = PAY_CAN_HOSTED | PAY_CAN_OFF_SESSION,
    .checkout = sim_checkout,
    .charge = sim_charge,
    .query = sim_query,
    .verify = sim_verify,
};

/* --- what happens there without us ------------------------------------------------------------------------------------ */

/* An object that its payer can act on: its page was told to us, and is open. */
static struct sim_object *visitable(struct sim *w)
{
    size_t open[SIM_OBJECTS], n = 0;

    for (size_t i = 0; i < w->objects_n; i++) {
        struct sim_object *o = &w->objects[i];
        age(w, o);
        if (o->told && (o->state == PAY_ACTION_REQUIRED || (o->hosted && o->state == PAY_PENDING)))
            open[n++] = i;
    }
    if (n == 0)
        return NULL;
    /* The newest rather than those long forgotten. */
    return &w->objects[open[sim_chance(w, 70) ? n - 1 : (size_t)sim_below(w, (int64_t)n)]];
}

void pay_visit(struct sim *w)
{
    struct sim_object *o = visitable(w);

    if (o == NULL)
        return;
    bool asked = o->state == PAY_ACTION_REQUIRED;
    int64_t what = sim_below(w, 10);
    sim_tell(w, "at the provider: %s, %s", o->ref, what < 7 ? "pays" : "is refused");
    if (what < 7) {
        if (asked)
            sim_saw(w, SIGHT_CONFIRMED);
        become(w, o, PAY_SUCCEEDED, "");
    } else if (o->hosted) {
        snprintf(o->decline, sizeof(o->decline), "The card was declined.");
        notice(w, o->part); /* the page stays open for another card */
    } else {
        become(w, o, PAY_DECLINED, "The payment was not confirmed.");
    }
}

/* The slowest banks take five days. */
void pay_settle(struct sim *w)
{
    for (size_t i = 0; i < w->objects_n; i++) {
        struct sim_object *o = &w->objects[i];
        bool late = w->calm || w->real.us - o->made.us > 5 * DAY;
        if (o->hosted || o->state != PAY_PENDING || (!late && !sim_chance(w, 20)))
            continue;
        if (sim_chance(w, 70))
            become(w, o, PAY_SUCCEEDED, "");
        else
            become(w, o, PAY_DECLINED, "The bank said no after all.");
    }
}

/* As the provider posts it. */
static int post_notice(struct sim *w, struct str body, struct str signature)
{
    struct http_call h = { .method = "POST",
                           .target = STR("/v1/webhooks/stripe"),
                           .type = STR("text/plain"),
                           .body = body };

    h.headers[h.headers_n++] = (struct header) { "Stripe-Signature", signature };
    server_call(w->server, &w->step, &h);
    if (!w->dead)
        people_cover(w, "POST", h.target, h.status);
    return h.status;
}

static void notify_one(struct sim *w, struct sim_notice *n)
{
    struct str body = str_printf(&w->step, "%s %s", n->event, n->ref);
    int status = post_notice(w, body, STR("good"));

    sim_tell(w, "notification %.*s -> %d", STR_FMT(body), status);
    if (w->dead || status != 200)
        return; /* it will come again */
    if (n->sent > 0)
        sim_saw(w, SIGHT_NOTICE_TWICE);
    if (w->real.us - n->made.us > DAY)
        sim_saw(w, SIGHT_NOTICE_LATE);
    n->sent++;
}

void pay_notify(struct sim *w, bool all)
{
    size_t n = w->notices_n < SIM_NOTICES ? w->notices_n : SIM_NOTICES;
    size_t start = n == 0 ? 0 : (size_t)sim_below(w, (int64_t)n);

    for (size_t i = 0; i < n && !w->dead; i++) {
        struct sim_notice *o = &w->notices[(start + i) % n];
        bool again = o->sent == 1 && !w->calm && sim_chance(w, 5);
        if (o->due.us > w->real.us || (o->sent > 0 && !again))
            continue;
        notify_one(w, o);
        if (!all)
            return;
    }
}

void pay_forge(struct sim *w)
{
    struct str body = str_printf(&w->step, "evt_forged_%" PRId64 " cs_1", ++w->events);
    int status = post_notice(w, body, STR("bad"));

    sim_tell(w, "a forged notification -> %d", status);
    if (w->dead)
        return;
    if (status == 400)
        sim_saw(w, SIGHT_NOTICE_FORGED);
    else
        sim_violated(w, "forged", "a forged notification was answered %d", status);
}
