/* objects.h -- the sandbox's objects as its files share them: rows, renderings, what one does to another. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_OBJECTS_H
#define SANDBOX_OBJECTS_H

#include "sandbox/api.h"
#include "sandbox/card.h"

/* --- customers ----------------------------------------------------------------------------------- */

struct customer {
    struct str id, email, name, phone, description, default_method, test_clock, metadata;
    bool deleted;
    struct when created;
};
/* One that is there; else a refusal that blames param. */
enum err customer_load(struct call *c, struct str id, const char *param, struct customer *result);
enum err customer_make(struct call *c, struct str email, struct str name, struct str *id);
renderer customer_render;
/* Now, as this customer's test clock has it; customer may be none. */
enum err customer_now(struct call *c, struct str customer, struct when *result);

/* --- payment methods ----------------------------------------------------------------------------- */

struct pay_method {
    struct str id, card, customer, name, email, phone, metadata;
    int64_t exp_month, exp_year;
    bool set_up;
    struct when created;
};

struct card_input {
    const struct card *card;
    int64_t exp_month, exp_year;
    struct str name, email;
};

/* "pm_…", or a test token, which makes a new one. */
enum err method_load(struct call *c, struct str id, struct pay_method *result);
enum err method_make(struct call *c, const struct card_input *in, struct str *id);
/* To a customer; a method that has another is refused. */
enum err method_keep(struct call *c, struct pay_method *m, struct str customer, bool set_up);
const struct card *method_card(const struct pay_method *m);
renderer method_render;
/* "billing_details": {…} and "card": {…}, which a charge has too. */
void render_billing(struct render *r, const struct pay_method *m);
void render_card_members(struct render *r, const struct pay_method *m);

/* --- payment intents ----------------------------------------------------------------------------- */

struct intent {
    struct str id, currency, status, capture_method, customer, method, setup_future_usage;
    struct str description, receipt_email, statement_descriptor, statement_descriptor_suffix;
    struct str transfer_group, return_url, client_secret, latest_charge, error, session;
    struct str cancellation_reason, metadata;
    int64_t amount, amount_capturable, amount_received;
    struct when canceled, created;
};
enum err intent_load(struct call *c, struct str id, const char *param, struct intent *result);
/* sets id, secret, created; tells the event */
enum err intent_insert(struct call *c, struct intent *t);

/* Is this a sum that can be charged? Writes the currency as we keep it: "EUR". */
enum err intent_money(struct call *c, struct str currency, int64_t amount, const char *param,
                      struct str *code);

struct confirmation {
    bool off_session;
    bool refuse_action; /* error_on_requires_action */
    bool confirmed;     /* the payer has just confirmed at his bank */
    struct str email;   /* for the receipt; may be none */
};
/* Tries to pay with t->method. t->status tells what came of it; *refusal is filled when the card said no (status is
 * requires_payment_method then). */
enum err intent_try(struct call *c, struct intent *t, const struct confirmation *how,
                    struct api_error *refusal);
/* The payer failed to confirm. */
enum err intent_fail(struct call *c, struct intent *t, struct api_error *refusal);
enum err intent_end(struct call *c, struct intent *t, struct str reason); /* canceled */
renderer intent_render;

/* What a card's refusal says. */
struct api_error card_error(const char *code, const char *decline_code, const char *message);
/* last_payment_error, last_setup_error. */
struct str error_object(struct call *c, const struct api_error *e, struct str method);

/* --- charges, refunds, balance -------------------------------------------------------------------- */

/* refusal NULL: it succeeds, and is captured when capture is set. */
enum err charge_make(struct call *c, struct intent *t, const struct api_error *refusal,
                     bool confirmed, bool capture);
enum err charge_take(struct call *c, struct str charge, int64_t amount); /* captures */
renderer charge_render;
renderer balance_render;
renderer refund_render;

/* --- setup intents ------------------------------------------------------------------------------- */

struct setup {
    struct str id, status, customer, method, usage, description, return_url, client_secret, error;
    struct str session, cancellation_reason, metadata;
    struct when created;
};
enum err setup_load(struct call *c, struct str id, const char *param, struct setup *result);
enum err setup_insert(struct call *c, struct setup *t);
enum err setup_try(struct call *c, struct setup *t, bool confirmed, struct api_error *refusal);
enum err setup_fail(struct call *c, struct setup *t, struct api_error *refusal);
renderer setup_render;

/* --- checkout sessions ---------------------------------------------------------------------------- */

struct session {
    struct str id, mode, status, payment_status, currency, customer, customer_creation;
    struct str customer_email, client_reference_id, success_url, cancel_url, submit_type, intent;
    struct str setup, intent_capture, intent_usage, intent_description, intent_metadata;
    struct str payer_name, payer_email, test_clock, metadata;
    int64_t amount;
    struct when expires, created;
};
enum err session_load(struct call *c, struct str id, struct session *result); /* E_NOT_FOUND */
enum err session_complete(struct call *c, struct session *s);
/* All that are open and belong to this test clock, when it reaches now. */
enum err session_expire_due(struct call *c, struct str test_clock, struct when now);
renderer session_render;
handler session_expire_job;
extern const struct shape session_ref_shape;
struct session_ref {
    struct str session;
};

struct item {
    struct str id, price, product, name, description, currency;
    int64_t quantity, unit_amount;
};
struct items {
    struct item *v;
    size_t n;
};
enum err session_items(struct call *c, struct str session, struct items *result);

/* --- events --------------------------------------------------------------------------------------- */

/* Tells that something happened to an object, as it is now. */
enum err event_emit(struct call *c, const char *type, renderer *of, struct str id);
enum err endpoint_from_settings(struct call *c);
renderer event_render;
handler delivery_send, delivery_record;
extern const struct shape delivery_ref_shape;
struct delivery_ref {
    struct str delivery;
};

/* --- clocks --------------------------------------------------------------------------------------- */

enum err clock_restore(struct call *c);
enum err test_clock_now(struct call *c, struct str id, struct when *result);
renderer test_clock_render;

#endif
