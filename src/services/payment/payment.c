/* payment.c -- from the wish to pay to its end.
 *
 * A provider's word is a state, not a change: each answer, notification or query is the whole present truth, put through
 * one function (observe) that may run any number of times. So it does not matter which of them comes first, twice or never.
 * Invariants: a provider's key is stored before it is used; a new key is made only after a definite decline; a payment
 * that succeeded has one charge in the ledger, made in the same transaction; success is believed in every state and final.
 * A lost notification heals: an open payment is asked about at growing intervals (payment.watch). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/payment/payment.h"
#include "core/env.h"
#include "core/events.h"
#include "core/jobs.h"
#include "services/account/account.h"
#include "services/ledger/ledger.h"

#include <inttypes.h>
#include <string.h>

const char *const payment_purposes[] = { "subscription", NULL };
const char *const payment_states[] = { "created",   "requires_action", "processing", "unknown",
                                       "succeeded", "declined",        "expired",    NULL };

static const enum ledger_kind sold_as[] = { [PAYMENT_SUBSCRIPTION] = LEDGER_SUBSCRIPTION };

static const struct field payment_fields[] = {
    ID(payment, id, ID_PAYMENT, "Payment"),
    ENUM(payment, kind, payment_purposes, "What it is for"),
    MONEY(payment, amount, "What the fan pays"),
    ENUM(payment, state, payment_states, "How far it is"),
    TEXT(payment, description, "What it is for, in words", .max = 500),
    TEXT(payment, decline, "Why the last try was refused", .max = 500, .optional = true),
    URL(payment, checkout_url, "Where the fan pays or confirms", .optional = true),
    WHEN(payment, created, "When it was begun"),
};
SHAPE(payment);

static const struct field payment_settled_fields[] = {
    ID(payment_settled, payment, ID_PAYMENT, "Payment"),
    ID(payment_settled, subject, ID_SUBJECT, "What it is for"),
    ENUM(payment_settled, purpose, payment_purposes, "Of which service the subject is"),
    ENUM(payment_settled, state, payment_states, "What became of it"),
    TEXT(payment_settled, decline, "Why it was refused", .max = 500, .optional = true),
};
SHAPE(payment_settled);

static const struct event_kind settled_event = {
    .name = "payment.settled",
    .shape = &payment_settled_shape,
    .doc = "A payment has succeeded, was declined or expired",
    .inside = true
};
static const struct event_kind action_event = { .name = "payment.action_required",
                                                .shape = &payment_settled_shape,
                                                .doc = "A charge that the fan has to confirm",
                                                .inside = true };

/* All that we know of one; never sent. */
struct record {
    struct id id, fan, creator, subject;
    enum payment_purpose purpose;
    struct money amount;
    int64_t fee_bp, tax_bp;
    struct str description, provider;
    bool off_session, save_method;
    struct str return_path;
    enum payment_state state;
    int64_t attempt;
    struct str provider_ref, decline, checkout_url;
};
static const struct field record_fields[] = {
    ID(record, id, ID_PAYMENT, "Payment"),
    ID(record, fan, ID_USER, "Who pays"),
    ID(record, creator, ID_CREATOR, "Who earns"),
    ID(record, subject, ID_SUBJECT, "What it is for"),
    ENUM(record, purpose, payment_purposes, "Of which service"),
    MONEY(record, amount, "How much"),
    INTEGER(record, fee_bp, "The platform's share", .max = 10000),
    INTEGER(record, tax_bp, "Contained tax", .max = 10000),
    TEXT(record, description, "In words", .max = 500),
    TEXT(record, provider, "Driver", .max = 40),
    BOOL(record, off_session, "Without the fan"),
    BOOL(record, save_method, "Keep the method"),
    TEXT(record, return_path, "Page of ours", .max = 500, .optional = true),
    ENUM(record, state, payment_states, "How far"),
    INTEGER(record, attempt, "Its number", .max = 1000),
    TEXT(record, provider_ref, "The provider's", .max = 500, .optional = true),
    TEXT(record, decline, "Why", .max = 500, .optional = true),
    TEXT(record, checkout_url, "Where the fan acts", .max = 2000, .optional = true),
};
STATIC_SHAPE(record);
#define RECORDS                                                                                    \
    "SELECT id, fan, creator, subject, purpose, amount, currency, fee_bp, tax_bp, description,"    \
    " provider, off_session, save_method, return_path, state, attempt, provider_ref, decline,"     \
    " checkout_url"
#define PAYMENTS                                                                                   \
    "SELECT id, purpose AS kind, amount, currency, state, description, decline, checkout_url,"     \
    " created"

struct attempt {
    struct str provider_key;
    struct when began;
    struct str customer, method;
};
static const struct field attempt_fields[] = {
    TEXT(attempt, provider_key, "Idempotency key", .max = 100),
    WHEN(attempt, began, "Real time"),
    TEXT(attempt, customer, "The provider's customer", .max = 200, .optional = true,
         .secret = true),
    TEXT(attempt, method, "The provider's method", .max = 200, .optional = true, .secret = true),
};
STATIC_SHAPE(attempt);

/* One try to learn how an attempt stands. */
struct payment_work {
    struct id payment;
    int64_t attempt, round;
};
static const struct field payment_work_fields[] = {
    ID(payment_work, payment, ID_PAYMENT, "Which"),
    INTEGER(payment_work, attempt, "Its number", .max = 1000),
    INTEGER(payment_work, round, "How often it was asked about", .max = 1000),
};
STATIC_SHAPE(payment_work);

struct payment_hint {
    struct str provider_ref;
};
static const struct field payment_hint_fields[] = {
    TEXT(payment_hint, provider_ref, "What a notification was about", .max = 500),
};
STATIC_SHAPE(payment_hint);

struct notice_sweep {
    int64_t days;
};
static const struct field notice_sweep_fields[] = {
    INTEGER(notice_sweep, days, "Age of what goes", .min = 1, .max = 3650),
};
STATIC_SHAPE(notice_sweep);

/* --- rules ------------------------------------------------------------------------------------------------------ */

bool payment_is_settled(enum payment_state state)
{
    return state == PAYMENT_SUCCEEDED || state == PAYMENT_DECLINED || state == PAYMENT_EXPIRED;
}

/* next[state][what the provider says]. A settled payment only hears of success; not hearing changes nothing that we know. */
enum payment_state payment_next(enum payment_state state, enum pay_state said)
{
    static const enum payment_state becomes[] = {
        [PAY_PENDING] = PAYMENT_PROCESSING,  [PAY_ACTION_REQUIRED] = PAYMENT_REQUIRES_ACTION,
        [PAY_SUCCEEDED] = PAYMENT_SUCCEEDED, [PAY_DECLINED] = PAYMENT_DECLINED,
        [PAY_EXPIRED] = PAYMENT_EXPIRED,     [PAY_UNKNOWN] = PAYMENT_UNKNOWN,
    };

    must((unsigned)said < COUNT(becomes));
    if (said == PAY_SUCCEEDED)
        return PAYMENT_SUCCEEDED;
    if (payment_is_settled(state) || (said == PAY_UNKNOWN && state == PAYMENT_REQUIRES_ACTION))
        return state;
    return becomes[said];
}

/* How long until an open payment is asked about again: dense at first, because a fan is waiting; then daily for a month,
 * because a charge that waits for its fan has no end of its own. 0: a person has to look. */
static int64_t watch_delay_us(int64_t round)
{
    static const int minutes[] = { 1, 2, 5, 10, 30, 60, 120, 240, 480, 720 };
    enum { ROUNDS = 40 };

    if (round < (int64_t)COUNT(minutes))
        return minutes[round] * MINUTE;
    return round < ROUNDS ? DAY : 0;
}

/* Providers forget an idempotency key after a day; then a repeated call would be a second charge. */
static bool key_is_fresh(const struct attempt *a, struct when real_now)
{
    return real_now.us - a->began.us < 23 * HOUR;
}

static enum pay_state said_by(const struct pay_outcome *o)
{
    return o->state == PAY_PENDING && o->url.p != NULL ? PAY_ACTION_REQUIRED : o->state;
}

/* --- making one ------------------------------------------------------------------------------------------------- */

static enum err amount_check(struct call *c, struct money amount)
{
    const struct currency_facts *f = currency_facts(amount.currency);

    must(f != NULL);
    if (amount.minor < f->minimum)
        return fail(c, E_BELOW_MINIMUM, "the least is %.*s",
                    STR_FMT(money_print(c->arena, (struct money) { f->minimum, f->currency })));
    if (amount.minor > MONEY_MAX || amount.minor % f->step != 0)
        return fail(c, E_INVALID, "this amount cannot be charged");
    return E_OK;
}

static enum err attempt_begin(struct call *c, struct id payment, int64_t number, const char *job)
{
    struct payment_work work = { .payment = payment, .attempt = number };
    struct id id;
    struct str key = str_printf(c->arena, "%.*s:%" PRId64,
                                STR_FMT(id_text(c->arena, ID_PAYMENT, payment)), number);

    TRY(job_add(c, job, JOB_NOW, &work, &id));
    return db_run(
        c,
        "INSERT INTO payment_attempt (payment, number, provider_key, began, customer, method, job)"
        " SELECT p.id, $2, $3, $4, m.customer, m.method, $5 FROM payment p"
        " LEFT JOIN payment_method m ON m.fan = p.fan AND m.provider = p.provider"
        " WHERE p.id = $1",
        payment, number, key, env_real_now(c->env), id);
}

static enum err payment_make(struct call *c, const struct payment_new *n, bool off_session,
                             struct id *payment)
{
    struct id id = new_id(c);

    must(id_some(n->fan) && id_some(n->creator) && id_some(n->subject));
    must(n->description.p != NULL && (off_session || str_starts(n->return_path, "/")));
    TRY(amount_check(c, n->amount));
    TRY(db_run(c,
               "INSERT INTO payment (id, fan, creator, purpose, subject, amount, currency, fee_bp,"
               " tax_bp, description, provider, off_session, save_method, return_path, state,"
               " attempt, created)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, 'created',"
               " 1, $14)",
               id, n->fan, n->creator, NAMED(payment_purposes, n->purpose), n->subject,
               n->amount.minor, n->amount.currency, setting_int(c->env->settings, "payment.fee_bp"),
               n->description, str_of(c->env->pay->ops->name), off_session, n->save_method,
               n->return_path, c->now));
    TRY(attempt_begin(c, id, 1, off_session ? "payment.charge" : "payment.checkout"));
    *payment = id;
    return E_OK;
}

enum err payment_checkout(struct call *c, const struct payment_new *n, struct id *payment)
{
    return payment_make(c, n, false, payment);
}

enum err payment_charge(struct call *c, const struct payment_new *n, struct id *payment)
{
    return payment_make(c, n, true, payment);
}

enum err payment_retry(struct call *c, struct id payment)
{
    int64_t attempt;
    enum err e = db_int(c, &attempt,
                        "UPDATE payment SET state = 'created', attempt = attempt + 1,"
                        " provider_ref = NULL, checkout_url = NULL, settled = NULL"
                        " WHERE id = $1 AND state = 'declined' AND off_session = 1"
                        " RETURNING attempt",
                        payment);

    if (e == E_NOT_FOUND)
        return fail(c, E_CONFLICT, "this payment cannot be tried again");
    TRY(e);
    return attempt_begin(c, payment, attempt, "payment.charge");
}

/* --- what became of it ------------------------------------------------------------------------------------------ */

/* What a job's .prepare learnt, for its transaction. */
struct observed {
    struct id payment;
    int64_t attempt;
    struct pay_outcome said;
};

static enum err tell(struct call *c, const struct event_kind *kind, const struct record *r,
                     enum payment_state state, struct str decline)
{
    struct payment_settled told = { .payment = r->id,
                                    .subject = r->subject,
                                    .purpose = r->purpose,
                                    .state = state,
                                    .decline = decline };

    return event_add(c, kind, ID_NONE, &told);
}

static enum err watch(struct call *c, struct id payment, int64_t attempt, int64_t round)
{
    struct payment_work work = { .payment = payment, .attempt = attempt, .round = round };
    struct str id = id_text(c->arena, ID_PAYMENT, payment);
    int64_t delay_us = watch_delay_us(round);

    if (delay_us == 0) {
        log_error(c->env->log, "payment.unresolved", L_STR("payment", id));
        return E_OK;
    }
    return job_add_named(c, "payment.watch",
                         str_printf(c->arena, "payment.watch:%.*s:%" PRId64 ":%" PRId64,
                                    STR_FMT(id), attempt, round),
                         when_after(c->now, delay_us), &work);
}

static enum err method_save(struct call *c, const struct record *r, const struct pay_outcome *o)
{
    if (!r->save_method || o->customer.p == NULL || o->method.p == NULL)
        return E_OK;
    return db_run(c,
                  "INSERT INTO payment_method (fan, provider, customer, method, changed)"
                  " VALUES ($1, $2, $3, $4, $5)"
                  " ON CONFLICT (fan, provider) DO UPDATE SET customer = excluded.customer,"
                  " method = excluded.method, changed = excluded.changed",
                  r->fan, r->provider, o->customer, o->method, c->now);
}

static enum err settle_books(struct call *c, const struct record *r, const struct pay_outcome *o)
{
    struct ledger_charge charge = { .payment = r->id,
                                    .fan = r->fan,
                                    .creator = r->creator,
                                    .kind = sold_as[r->purpose],
                                    .gross = r->amount,
                                    .fee_bp = r->fee_bp,
                                    .tax_bp = r->tax_bp,
                                    .provider = r->provider,
                                    .description = r->description };

    TRY(ledger_charge(c, &charge));
    if (o->fee > 0)
        TRY(ledger_provider_fee(c, r->id, r->provider,
                                (struct money) { o->fee, r->amount.currency }));
    return method_save(c, r, o);
}

/* The provider speaks of other money than we asked for: a person has to look. Nothing is unlocked by it, and it is no
 * answer: it will be asked again. */
static bool amount_differs(struct call *c, const struct record *r, const struct pay_outcome *o)
{
    if (o->state != PAY_SUCCEEDED || !money_some(o->amount) ||
        (o->amount.minor == r->amount.minor && currency_is(o->amount.currency, r->amount.currency)))
        return false;
    log_error(c->env->log, "payment.amount_differs",
              L_STR("payment", id_text(c->arena, ID_PAYMENT, r->id)),
              L_STR("asked", money_print(c->arena, r->amount)), L_INT("charged", o->amount.minor),
              L_STR("currency", str_of(o->amount.currency.code)));
    return true;
}

static enum err record_update(struct call *c, const struct record *r, enum payment_state next,
                              const struct pay_outcome *o)
{
    bool settled = payment_is_settled(next);
    struct str decline = next == PAYMENT_SUCCEEDED ? STR_NONE : o->decline;

    TRY(db_hit(c,
               "UPDATE payment SET state = $3, provider_ref = COALESCE($4, provider_ref),"
               " checkout_url = CASE WHEN $5 = 1 THEN NULL ELSE COALESCE($6, checkout_url) END,"
               " decline = CASE WHEN $3 = 'succeeded' THEN NULL ELSE COALESCE($7, decline) END,"
               " settled = $8"
               " WHERE id = $1 AND state = $2",
               r->id, NAMED(payment_states, r->state), NAMED(payment_states, next), o->provider_ref,
               (int)settled, o->url, decline, settled ? c->now : (struct when) { 0 }));
    if (!settled)
        return E_OK;
    return db_run(c,
                  "UPDATE payment_attempt SET ended = $3, outcome = $4, decline = $5"
                  " WHERE payment = $1 AND number = $2",
                  r->id, r->attempt, env_real_now(c->env), NAMED(payment_states, next), decline);
}

static enum err record_lock(struct call *c, struct id payment, struct record *r)
{
    return db_one(c, record, r, RECORDS " FROM payment WHERE id = $1 FOR UPDATE", payment);
}

/* Everything that a provider says comes through here, and may do so many times. */
static enum err observe(struct call *c, const struct observed *seen)
{
    struct pay_outcome said = seen->said, *o = &said;
    struct record r = { 0 };

    TRY(record_lock(c, seen->payment, &r));
    if (amount_differs(c, &r, o))
        said = (struct pay_outcome) { PAY_UNKNOWN, .provider_ref = said.provider_ref, .fee = -1 };
    enum payment_state next = payment_next(r.state, said_by(o));
    /* An older attempt's end is known already, unless money moved after all. */
    if (seen->attempt != r.attempt && next != PAYMENT_SUCCEEDED)
        return E_OK;
    if (next == r.state && payment_is_settled(next))
        return E_OK;
    TRY(record_update(c, &r, next, o));
    if (next == r.state)
        return E_OK;
    if (next == PAYMENT_SUCCEEDED)
        TRY(settle_books(c, &r, o));
    if (payment_is_settled(next))
        return tell(c, &settled_event, &r, next, o->decline);
    if (next == PAYMENT_REQUIRES_ACTION && r.off_session)
        TRY(tell(c, &action_event, &r, next, o->decline));
    return r.state == PAYMENT_CREATED ? watch(c, r.id, r.attempt, 0) : E_OK;
}

static enum err observe_run(struct call *c)
{
    const struct observed *seen = c->prepared;

    return seen == NULL ? E_OK : observe(c, seen);
}

/* --- speaking with the provider (off any transaction) ----------------------------------------------------------- */

static enum err record_read(struct call *c, struct id payment, struct record *r)
{
    return db_one(c, record, r, RECORDS " FROM payment WHERE id = $1", payment);
}

static enum err attempt_read(struct call *c, const struct record *r, struct attempt *result)
{
    return db_one(c, attempt, result,
                  "SELECT provider_key, began, customer, method FROM payment_attempt"
                  " WHERE payment = $1 AND number = $2",
                  r->id, r->attempt);
}

static enum err request_of(struct call *c, const struct record *r, const struct attempt *a,
                           struct pay_request *result)
{
    struct account_contact contact;

    TRY(account_contact(c, r->fan, &contact));
    *result = (struct pay_request) { .key = a->provider_key,
                                     .reference = id_text(c->arena, ID_PAYMENT, r->id),
                                     .amount = r->amount,
                                     .description = r->description,
                                     .payer = id_text(c->arena, ID_USER, r->fan),
                                     .payer_email = contact.email,
                                     .customer = a->customer,
                                     .method = a->method,
                                     .save_method = r->save_method };
    return E_OK;
}

static void keep(struct call *c, const struct record *r, const struct pay_outcome *o)
{
    struct observed *seen = arena_new(c->arena, struct observed);

    *seen = (struct observed) { .payment = r->id, .attempt = r->attempt, .said = *o };
    c->prepared = seen;
}

static struct str page_of(struct call *c, const struct record *r, const char *more)
{
    struct str url = c->env->public_url, path = r->return_path;

    if (more == NULL)
        return str_printf(c->arena, "%.*s%.*s", STR_FMT(url), STR_FMT(path));
    return str_printf(c->arena, "%.*s%.*s%c%s", STR_FMT(url), STR_FMT(path),
                      memchr(path.p, '?', path.n) != NULL ? '&' : '?', more);
}

/* A hosted page that nobody has seen can be asked for again under its key, whatever the wire did. */
static enum err checkout_prepare(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct pay_outcome o = { .fee = -1 };
    struct pay_request request;
    struct record r = { 0 };
    struct attempt a;

    TRY(record_read(c, in->payment, &r));
    if (r.state != PAYMENT_CREATED || r.attempt != in->attempt)
        return E_OK;
    TRY(attempt_read(c, &r, &a));
    TRY(request_of(c, &r, &a, &request));
    request.success_url = page_of(c, &r, NULL);
    request.cancel_url = page_of(c, &r, "canceled=1");
    TRY(c->env->pay->ops->checkout(c->env->pay, c->arena, &request, &o));
    if (o.state == PAY_UNKNOWN)
        return E_PROVIDER_UNAVAILABLE;
    keep(c, &r, &o);
    return E_OK;
}

static enum err charge_call(struct call *c, const struct record *r, struct pay_outcome *o)
{
    struct pay_request request;
    struct attempt a;

    TRY(attempt_read(c, r, &a));
    if (a.method.p == NULL) {
        o->state = PAY_DECLINED;
        o->decline = STR("There is no saved card to charge.");
        return E_OK;
    }
    if (!key_is_fresh(&a, env_real_now(c->env)))
        return E_CONFLICT;
    TRY(request_of(c, r, &a, &request));
    return c->env->pay->ops->charge(c->env->pay, c->arena, &request, o);
}

static enum err charge_prepare(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct pay_outcome o = { .fee = -1 };
    struct record r = { 0 };

    TRY(record_read(c, in->payment, &r));
    if (r.state != PAYMENT_CREATED || r.attempt != in->attempt)
        return E_OK;
    enum err e = charge_call(c, &r, &o);
    if (e == E_CONFLICT)
        o = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
    else
        TRY(e);
    keep(c, &r, &o);
    return E_OK;
}

/* The provider never got the call: it is made again under its key, or, when the key is too old to be safe, given up. */
static enum err ask_again(struct call *c, const struct record *r, struct pay_outcome *o)
{
    enum err e = r->off_session ? charge_call(c, r, o) : E_CONFLICT;

    if (e != E_CONFLICT)
        return e;
    *o = (struct pay_outcome) { .state = PAY_DECLINED, .fee = -1 };
    o->decline = STR("The payment provider could not be reached. Nothing was charged.");
    return E_OK;
}

/* Never fails: not knowing is an answer, and the next round will come. */
static struct pay_outcome ask(struct call *c, const struct record *r)
{
    struct pay_outcome o = { .state = PAY_UNKNOWN, .fee = -1 };
    enum err e = E_PROVIDER_UNAVAILABLE;

    if (r->provider_ref.p != NULL)
        e = c->env->pay->ops->query(c->env->pay, c->arena, r->provider_ref, &o);
    else if (r->off_session)
        e = charge_call(c, r, &o);
    if (e == E_NOT_FOUND)
        e = ask_again(c, r, &o);
    if (e != E_OK)
        o = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
    return o;
}

static enum err watch_prepare(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct record r = { 0 };

    TRY(record_read(c, in->payment, &r));
    if (payment_is_settled(r.state) || r.attempt != in->attempt)
        return E_OK;
    struct pay_outcome o = ask(c, &r);
    keep(c, &r, &o);
    return E_OK;
}

static enum err watch_run(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct record r = { 0 };

    if (c->prepared == NULL)
        return E_OK;
    TRY(observe(c, c->prepared));
    TRY(record_lock(c, in->payment, &r));
    if (payment_is_settled(r.state) || r.attempt != in->attempt)
        return E_OK;
    return watch(c, r.id, r.attempt, in->round + 1);
}

/* A notification names an object of the provider: perhaps the one we hold, perhaps a part of it or of an older attempt,
 * perhaps none of ours. Of another than the one we hold only success counts. */
static enum err hint_resolve(struct call *c, struct str ref, struct record *r,
                             struct pay_outcome *o)
{
    struct pay *pay = c->env->pay;
    struct id payment;

    TRY(pay->ops->query(pay, c->arena, ref, o));
    if (!id_parse(o->reference, id_prefix(ID_PAYMENT), &payment))
        return E_NOT_FOUND;
    TRY(record_read(c, payment, r));
    if (o->state == PAY_SUCCEEDED || str_eq(r->provider_ref, ref))
        return E_OK;
    if (r->provider_ref.p == NULL)
        return E_NOT_FOUND; /* a call is under way: it will tell */
    *o = (struct pay_outcome) { .fee = -1 };
    return pay->ops->query(pay, c->arena, r->provider_ref, o);
}

static enum err query_prepare(struct call *c)
{
    struct pay_outcome o = { .fee = -1 };
    struct record r = { 0 };
    enum err e = hint_resolve(c, IN(c, payment_hint)->provider_ref, &r, &o);

    if (e == E_NOT_FOUND)
        return E_OK;
    TRY(e);
    if (r.provider_ref.p != NULL)
        o.provider_ref =
            STR_NONE; /* the reference we hold is of our own call; a part's would hide it */
    keep(c, &r, &o);
    return E_OK;
}

/* The page never came to be, so nobody can have paid on it. */
static enum err checkout_gave_up(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct observed seen = { .payment = in->payment, .attempt = in->attempt };

    seen.said = (struct pay_outcome) { .state = PAY_DECLINED, .fee = -1 };
    seen.said.decline = STR("The payment provider cannot be reached. Nothing was charged.");
    return observe(c, &seen);
}

/* Whether a charge was made is not known: the watcher finds out. */
static enum err charge_gave_up(struct call *c)
{
    const struct payment_work *in = IN(c, payment_work);
    struct observed seen = { .payment = in->payment, .attempt = in->attempt };

    seen.said = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
    return observe(c, &seen);
}

/* --- handlers --------------------------------------------------------------------------------------------------- */

enum err payments_get(struct call *c, const struct id *ids, size_t n, struct payment **result)
{
    LIST_OF(payment) rows;

    TRY(db_list(c, payment, &rows, PAYMENTS " FROM payment WHERE id IN_LIST($1)",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        result[i] = NULL;
        for (size_t k = 0; k < rows.n && result[i] == NULL; k++)
            if (id_is(rows.v[k].id, ids[i]))
                result[i] = &rows.v[k];
    }
    return E_OK;
}

enum err payment_get(struct call *c, struct id payment, struct payment *result)
{
    return db_one(c, payment, result, PAYMENTS " FROM payment WHERE id = $1", payment);
}

enum err payment_awaited(struct call *c, struct id *subject)
{
    return db_int(c, &subject->v,
                  "SELECT p.subject FROM payment_attempt a JOIN payment p ON p.id = a.payment"
                  " WHERE a.job = $1",
                  c->awaited);
}

static enum err payment_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    return db_page(c, payment, q->cursor, q->limit,
                   PAYMENTS " FROM payment"
                            " WHERE fan = $1 AND id < $cursor"
                            " ORDER BY id DESC",
                   c->who);
}

/* A notification is a hint that something has changed: it is kept, answered at once, and the truth is fetched by a job. */
static enum err stripe_notice(struct call *c)
{
    struct pay *pay = c->env->pay;
    struct str event = STR_NONE, ref = STR_NONE, signature = c->header(c, "Stripe-Signature");
    struct when now = env_real_now(c->env);
    struct payment_hint hint;
    int64_t fresh = 0;

    if (!str_is(str_of(pay->ops->name), "stripe"))
        return E_NOT_FOUND;
    if (signature.p == NULL || !str_is_utf8(c->body) ||
        pay->ops->verify(pay, c->arena, c->body, signature, now, &event, &ref) != E_OK)
        return E_BAD_SIGNATURE;
    enum err e = db_int(c, &fresh,
                        "INSERT INTO payment_notice (provider, event, provider_ref, received, body)"
                        " VALUES ($1, $2, $3, $4, $5)"
                        " ON CONFLICT (provider, event) DO NOTHING RETURNING 1",
                        STR("stripe"), event, ref, now, c->body);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    hint.provider_ref = ref;
    if (e == E_OK && ref.p != NULL)
        TRY(job_add(c, "payment.query", JOB_NOW, &hint, &(struct id) { 0 }));
    reply_bytes(c, 200, STR("application/json"), STR("{\"received\":true}"));
    return E_OK;
}

/* Providers repeat a notification for three days; we keep it for thirty, for people who have to look into something. */
static enum err notices_sweep_again(struct call *c)
{
    struct notice_sweep next = { 30 };

    return job_add_named(c, "payment.sweep", STR("payment.sweep"), when_after(c->now, DAY), &next);
}

static enum err notices_sweep(struct call *c)
{
    struct when before = when_after(env_real_now(c->env), -IN(c, notice_sweep)->days * DAY);

    TRY(db_run(c, "DELETE FROM payment_notice WHERE received < $1", before));
    return notices_sweep_again(c);
}

static const struct route routes[] = {
    { GET, "/v1/payments", payment_list, "Your payments, newest first", .query = &page_query_shape,
      .items = &payment_shape, .auth = FAN, .tx = READ },
    { POST, "/v1/webhooks/stripe", stripe_notice, "Notifications from Stripe", .auth = SIGNED,
      .tx = WRITE, .wire = WIRE_RAW, .body_max = 1 << 18, .vital = true, .rate = { 60000, 6000 },
      .fails = { E_BAD_SIGNATURE } },
};

static const struct job_kind jobs[] = {
    { "payment.checkout", observe_run, .in = &payment_work_shape, .tx = WRITE,
      .prepare = checkout_prepare, .gave_up = checkout_gave_up, .lease_ms = 60000, .tries = 5 },
    { "payment.charge", observe_run, .in = &payment_work_shape, .tx = WRITE,
      .prepare = charge_prepare, .gave_up = charge_gave_up, .lease_ms = 120000, .tries = 8,
      .at_once = 8 },
    { "payment.watch", watch_run, .in = &payment_work_shape, .tx = WRITE, .prepare = watch_prepare,
      .lease_ms = 120000, .tries = 20, .at_once = 4 },
    { "payment.query", observe_run, .in = &payment_hint_shape, .tx = WRITE,
      .prepare = query_prepare, .lease_ms = 120000, .tries = 12, .at_once = 8 },
    { "payment.sweep", notices_sweep, .in = &notice_sweep_shape, .tx = WRITE, .lease_ms = 60000,
      .tries = 1000 },
};

static const struct event_kind *const events[] = { &settled_event, &action_event };

static const struct setting settings[] = {
    { .name = "payment.driver",
      .kind = SETTING_WORD,
      .value = "stripe",
      .doc = "Which provider moves the money" },
    { .name = "payment.stripe_url",
      .kind = SETTING_URL,
      .value = "http://127.0.0.1:8090",
      .doc = "Where Stripe's API is; the sandbox unless told otherwise" },
    { .name = "payment.stripe_key",
      .kind = SETTING_SECRET,
      .value = "sk_test_stagedoor",
      .doc = "Stripe's secret key" },
    { .name = "payment.stripe_webhook_secret",
      .kind = SETTING_SECRET,
      .value = "whsec_stagedoor",
      .doc = "What Stripe signs its notifications with" },
    { .name = "payment.statement",
      .kind = SETTING_TEXT,
      .value = "",
      .doc = "Follows the account's name on the fan's bank statement; together 22 characters" },
    { .name = "payment.fee_bp",
      .kind = SETTING_INT,
      .value = "2000",
      .doc = "The platform's share of a sale in hundredths of a percent; kept with each payment",
      .max = 10000 },
};

const struct module payment_module = {
    "payment",
    MODULE_ROUTES(routes),
    MODULE_JOBS(jobs),
    MODULE_EVENTS(events),
    MODULE_SETTINGS(settings),
    .start = notices_sweep_again,
};
