/* page.c -- the hosted pages: paying for a checkout session, and the bank's question (3D Secure).
 *
 *   GET  /c/pay/{id}             the form; or what became of the session
 *   POST /c/pay/{id}             pays: on to the shop, on to the bank, or the form again with what is wrong
 *   GET  /c/authenticate/{id}    "do you want to pay this?"
 *   POST /c/authenticate/{id}    outcome=complete or fail; back to where the payer came from
 *
 * No scripts. The card's number and CVC are never put back into a page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/page.h"
#include "sandbox/form.h"
#include "sandbox/html.h"
#include "sandbox/objects.h"

#include <inttypes.h>
#include <string.h>

enum { DIGITS_MAX = 19 };

/* What the payer wrote, and what is wrong with it. */
struct entry {
    struct str number, expiry, cvc, name, email; /* as written, but number: digits only */
    struct str wrong;                            /* the field to blame, or "card" for the whole */
    struct str why;
};

/* Handlers of the API refuse into this; here it only must be there. */
static void begin(struct call *c)
{
    struct api *p = arena_new(c->arena, struct api);

    p->request = c->request_id;
    c->prepared = p;
}

static struct str merchant(const struct call *c)
{
    return setting_text(c->env->settings, "sandbox.merchant");
}

static enum err not_here(struct call *c)
{
    struct buf b = html_begin(c, "Not found");

    buf_add(&b, STR("<main class=\"narrow\"><div class=\"card done\"><h1>There is nothing here"
                    "</h1><p>This payment page does not exist.</p></div></main>\n"));
    html_reply(c, &b, 404, STR_NONE, STR_NONE);
    return E_OK;
}

/* --- the form ------------------------------------------------------------------------------------ */

static void put_hint(struct buf *b)
{
    buf_add(b, STR("<aside class=\"sandbox\"><p>This is the sandbox: no real money moves. Use "
                   "<b>4242 4242 4242 4242</b>, any future date and any CVC.</p>"
                   "<details><summary>More test cards</summary><table>"));
    for (size_t i = 0; card_at(i) != NULL; i++) {
        const struct card *k = card_at(i);
        if (k->hint == NULL)
            continue;
        buf_add(b, STR("<tr><th scope=\"row\">"));
        for (size_t d = 0; k->number[d] != 0; d++) {
            if (d > 0 && d % 4 == 0)
                buf_char(b, ' ');
            buf_char(b, k->number[d]);
        }
        buf_printf(b, "</th><td>%s</td></tr>", k->hint);
    }
    buf_add(b, STR("</table></details></aside>\n"));
}

static void put_items(struct call *c, struct buf *b, const struct items *items)
{
    buf_add(b, STR("<ul class=\"items\">"));
    for (size_t i = 0; i < items->n; i++) {
        const struct item *k = &items->v[i];
        buf_add(b, STR("<li><span>"));
        html_text(b, k->name);
        if (k->quantity > 1)
            buf_printf(b, " × %" PRId64, k->quantity);
        if (k->description.p != NULL) {
            buf_add(b, STR("<small>"));
            html_text(b, k->description);
            buf_add(b, STR("</small>"));
        }
        buf_add(b, STR("</span><b>"));
        html_text(b, html_money(c->arena, k->unit_amount * k->quantity, k->currency));
        buf_add(b, STR("</b></li>"));
    }
    buf_add(b, STR("</ul>"));
}

static void put_summary(struct call *c, struct buf *b, const struct session *s,
                        const struct items *items)
{
    bool payment = str_is(s->mode, "payment");

    buf_add(b, STR("<section aria-labelledby=\"what\">"));
    if (s->cancel_url.p != NULL) {
        buf_add(b, STR("<a class=\"back\" href=\""));
        html_text(b, s->cancel_url);
        buf_add(b, STR("\"><span aria-hidden=\"true\">←</span> Back to "));
        html_text(b, merchant(c));
        buf_add(b, STR("</a>"));
    }
    buf_printf(b, "<h1 id=\"what\">%s ", payment ? "Pay" : "Save a card for");
    html_text(b, merchant(c));
    buf_add(b, STR("</h1>"));
    if (payment) {
        buf_add(b, STR("<p class=\"total\">"));
        html_text(b, html_money(c->arena, s->amount, s->currency));
        buf_add(b, STR("</p>"));
        put_items(c, b, items);
    }
    buf_add(b, STR("</section>\n"));
}

struct input {
    const char *name, *label, *attributes;
    struct str value;
};

/* The one that is wrong gets the cursor, and is read out with the reason. */
static void put_input(struct buf *b, const struct input *in, const struct entry *e)
{
    bool wrong = e->wrong.p != NULL && str_is(e->wrong, in->name);

    buf_printf(b,
               "<div class=\"field\"><label for=\"%s\">%s</label><input id=\"%s\" name=\"%s\" %s",
               in->name, in->label, in->name, in->name, in->attributes);
    if (in->value.n > 0) {
        buf_add(b, STR(" value=\""));
        html_text(b, in->value);
        buf_char(b, '"');
    }
    if (wrong)
        buf_printf(b, " aria-invalid=\"true\" aria-describedby=\"%s-why\" autofocus", in->name);
    buf_add(b, STR(" required>"));
    if (wrong) {
        buf_printf(b, "<p class=\"why\" id=\"%s-why\" role=\"alert\">", in->name);
        html_text(b, e->why);
        buf_add(b, STR("</p>"));
    }
    buf_add(b, STR("</div>"));
}

static void put_fields(struct buf *b, const struct session *s, const struct entry *e)
{
    struct input email = { "email", "Email",
                           "type=\"email\" autocomplete=\"email\" maxlength=\"200\"", e->email };
    struct input number = { "number", "Card number",
                            "inputmode=\"numeric\" autocomplete=\"cc-number\" maxlength=\"24\" "
                            "placeholder=\"1234 1234 1234 1234\"",
                            STR_NONE };
    struct input expiry = { "expiry", "Expiry date",
                            "inputmode=\"numeric\" autocomplete=\"cc-exp\" maxlength=\"7\" "
                            "placeholder=\"MM / YY\"",
                            e->expiry };
    struct input cvc = { "cvc", "CVC",
                         "inputmode=\"numeric\" autocomplete=\"cc-csc\" maxlength=\"4\" "
                         "placeholder=\"123\"",
                         STR_NONE };
    struct input name = { "name", "Name on card", "autocomplete=\"cc-name\" maxlength=\"100\"",
                          e->name };

    if (s->customer.p == NULL && s->customer_email.p == NULL)
        put_input(b, &email, e);
    put_input(b, &number, e);
    buf_add(b, STR("<div class=\"pair\">"));
    put_input(b, &expiry, e);
    put_input(b, &cvc, e);
    buf_add(b, STR("</div>"));
    put_input(b, &name, e);
}

static void put_form(struct call *c, struct buf *b, const struct session *s, const struct entry *e)
{
    bool payment = str_is(s->mode, "payment");

    buf_add(b, STR("<section class=\"card\" aria-labelledby=\"how\"><h2 id=\"how\">"
                   "Pay by card</h2>"));
    if (e->wrong.p != NULL && str_is(e->wrong, "card")) {
        buf_add(b, STR("<p class=\"alert\" role=\"alert\" id=\"alert\">"));
        html_text(b, e->why);
        buf_add(b, STR("</p>"));
    }
    buf_printf(b, "<form method=\"post\" action=\"/c/pay/%.*s\">", STR_FMT(s->id));
    put_fields(b, s, e);
    buf_add(b, STR("<button type=\"submit\">"));
    buf_add(b, payment ? STR("Pay ") : STR("Save card"));
    if (payment)
        html_text(b, html_money(c->arena, s->amount, s->currency));
    buf_add(b, STR("</button>"));
    if (s->intent_usage.p != NULL || !payment) {
        buf_add(b, STR("<p class=\"small\">You allow "));
        html_text(b, merchant(c));
        buf_add(b, STR(" to charge this card for future payments, as its terms say. You can "
                       "cancel at any time.</p>"));
    }
    buf_add(b, STR("</form></section>\n"));
}

static enum err show_form(struct call *c, const struct session *s, const struct entry *e)
{
    struct buf b = html_begin(c, str_is(s->mode, "payment") ? "Payment" : "Save a card");
    struct items items;

    TRY(session_items(c, s->id, &items));
    buf_add(&b, STR("<main>\n"));
    put_summary(c, &b, s, &items);
    buf_add(&b, STR("<div class=\"stack\">"));
    put_form(c, &b, s, e);
    put_hint(&b);
    buf_add(&b, STR("</div></main>\n"));
    html_reply(c, &b, e->wrong.p == NULL ? 200 : 402, s->success_url, s->cancel_url);
    return E_OK;
}

/* --- what became of it --------------------------------------------------------------------------- */

static struct str success_url(struct call *c, const struct session *s)
{
    static const char mark[] = "{CHECKOUT_SESSION_ID}";
    struct buf b = { .arena = c->arena };
    struct str rest = s->success_url;
    const char *at;

    while (rest.n > 0 && (at = memmem(rest.p, rest.n, mark, sizeof(mark) - 1)) != NULL) {
        buf_add(&b, str_cut(rest, 0, (size_t)(at - rest.p)));
        buf_add(&b, s->id);
        rest = str_cut(rest, (size_t)(at - rest.p) + sizeof(mark) - 1, rest.n);
    }
    buf_add(&b, rest);
    return buf_str(&b);
}

static enum err show_end(struct call *c, const struct session *s)
{
    bool complete = str_is(s->status, "complete");
    struct buf b = html_begin(c, complete ? "Paid" : "Expired");
    struct str back = complete ? success_url(c, s) : s->cancel_url;

    buf_printf(&b, "<main class=\"narrow\"><div class=\"card done\"><h1>%s</h1><p>%s</p>",
               complete ? "You're all done here" : "This page has expired",
               complete ? "The payment is complete." : "Nothing was charged. Please start again.");
    if (back.p != NULL) {
        buf_add(&b, STR("<a class=\"button\" href=\""));
        html_text(&b, back);
        buf_add(&b, STR("\">Back to "));
        html_text(&b, merchant(c));
        buf_add(&b, STR("</a>"));
    }
    buf_add(&b, STR("</div></main>\n"));
    html_reply(c, &b, complete ? 200 : 410, STR_NONE, STR_NONE);
    return E_OK;
}

/* --- paying -------------------------------------------------------------------------------------- */

static bool wrong(struct entry *e, const char *field, const char *why)
{
    e->wrong = str_of(field);
    e->why = str_of(why);
    return false;
}

static struct str digits_of(struct arena *a, struct str text)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '-')
            buf_char(&b, text.p[i]);
    return buf_str(&b);
}

static struct str field(const struct json *form, const char *name, size_t max)
{
    struct str text = form_text(form, name);

    return str_trim(str_cut(text.p == NULL ? STR("") : text, 0, max));
}

static enum err read_entry(struct call *c, struct entry *e)
{
    struct str why;
    const struct json *form = form_parse(c->arena, c->body, &why);

    if (form == NULL)
        return fail(c, E_INVALID, "%.*s", STR_FMT(why));
    *e = (struct entry) {
        .number = digits_of(c->arena, field(form, "number", 40)),
        .expiry = field(form, "expiry", 10),
        .cvc = field(form, "cvc", 10),
        .name = field(form, "name", 100),
        .email = field(form, "email", 200),
    };
    return E_OK;
}

/* "12 / 30", "12/2030", "1230". */
static bool read_expiry(struct call *c, struct entry *e, struct card_input *in)
{
    struct civil today = when_civil(c->now);
    struct str month, year = str_split(e->expiry, '/', &month);
    int64_t m, y;

    if (year.p == NULL && e->expiry.n == 4) {
        month = str_cut(e->expiry, 0, 2);
        year = str_cut(e->expiry, 2, 2);
    }
    month = str_trim(month);
    year = str_trim(year);
    while (month.n == 2 && month.p[0] == '0')
        month = str_cut(month, 1, 1);
    while (year.n == 2 && year.p[0] == '0')
        year = str_cut(year, 1, 1);
    if (!str_int(month, &m) || !str_int(year, &y) || m < 1 || m > 12 || y < 0 || y > 2199)
        return wrong(e, "expiry", "Write the expiry date as MM / YY.");
    y += y < 100 ? 2000 : 0;
    if (y * 12 + m < today.year * 12 + today.month)
        return wrong(e, "expiry", "The card's expiry date is in the past.");
    in->exp_month = m;
    in->exp_year = y;
    return true;
}

static bool are_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool check_entry(struct call *c, const struct session *s, struct entry *e,
                        struct card_input *in)
{
    in->card = card_of_number(e->number);
    in->name = e->name;
    in->email = e->email.n > 0 ? e->email : s->customer_email;
    if (s->customer.p == NULL && s->customer_email.p == NULL &&
        (e->email.n == 0 || memchr(e->email.p, '@', e->email.n) == NULL))
        return wrong(e, "email", "Write your e-mail address.");
    if (e->number.n < 13)
        return wrong(e, "number", "The card number is incomplete.");
    if (in->card == NULL && !card_number_is_sound(e->number))
        return wrong(e, "number", "The card number is wrong. Please check it.");
    if (in->card == NULL)
        return wrong(e, "number",
                     "The sandbox takes test cards only. Never enter a real card here.");
    if (!read_expiry(c, e, in))
        return false;
    if (e->cvc.n < 3 || e->cvc.n > 4 || !are_digits(e->cvc))
        return wrong(e, "cvc", "The CVC has three or four digits.");
    if (e->name.n == 0)
        return wrong(e, "name", "Write the name that stands on the card.");
    return true;
}

/* Where the reason is shown: beside the field it is about. */
static void point_out(struct call *c, struct entry *e, const struct api_error *refusal)
{
    static const struct {
        const char *code, *field;
    } fields[] = {
        { "incorrect_cvc", "cvc" },
        { "expired_card", "expiry" },
        { "incorrect_number", "number" },
    };

    e->wrong = STR("card");
    for (size_t i = 0; i < COUNT(fields); i++)
        if (str_is(str_of(refusal->code), fields[i].code))
            e->wrong = str_of(fields[i].field);
    e->why = refusal->message;
    /* What the API says here is for programmers. */
    if (strstr(refusal->code, "_intent_authentication_failure") != NULL)
        e->why = STR("Your bank did not confirm that it is you, so nothing was charged. Try again, "
                     "or use another card.");
    else if (str_is(e->wrong, "card"))
        e->why = str_printf(c->arena, "%.*s Please try another card.", STR_FMT(refusal->message));
}

static enum err save_payer(struct call *c, const struct session *s, const struct entry *e)
{
    return db_hit(c,
                  "UPDATE sandbox_session SET customer = $2, intent = $3, setup = $4,"
                  " payer_name = $5, payer_email = $6 WHERE id = $1 AND status = 'open'",
                  s->id, s->customer, s->intent, s->setup, e->name,
                  e->email.n > 0 ? e->email : s->customer_email);
}

/* One is made when the shop asks for it, or when a card is to be kept. */
static enum err need_customer(struct call *c, struct session *s, const struct entry *e)
{
    bool wanted = str_is(s->mode, "setup") || s->intent_usage.p != NULL ||
                  (s->customer_creation.p != NULL && str_is(s->customer_creation, "always"));

    if (s->customer.p != NULL || !wanted)
        return E_OK;
    return customer_make(c, e->email.n > 0 ? e->email : s->customer_email, e->name, &s->customer);
}

static enum err need_intent(struct call *c, struct session *s, struct intent *t)
{
    if (s->intent.p != NULL)
        return intent_load(c, s->intent, "id", t);
    *t = (struct intent) {
        .amount = s->amount,
        .currency = s->currency,
        .capture_method = s->intent_capture,
        .customer = s->customer,
        .setup_future_usage = s->intent_usage,
        .description = s->intent_description,
        .session = s->id,
        .metadata = s->intent_metadata,
    };
    TRY(intent_insert(c, t));
    s->intent = t->id;
    return E_OK;
}

static enum err need_setup(struct call *c, struct session *s, struct setup *t)
{
    if (s->setup.p != NULL)
        return setup_load(c, s->setup, "id", t);
    *t = (struct setup) {
        .customer = s->customer,
        .usage = STR("off_session"),
        .description = s->intent_description,
        .session = s->id,
        .metadata = s->intent_metadata,
    };
    TRY(setup_insert(c, t));
    s->setup = t->id;
    return E_OK;
}

/* *status: of the intent, of either kind, after the card was tried. */
static enum err try_card(struct call *c, struct session *s, const struct card_input *in,
                         const struct entry *e, struct str *status, struct api_error *refusal)
{
    struct intent pays;
    struct setup saves;
    struct str method;

    TRY(need_customer(c, s, e));
    TRY(method_make(c, in, &method));
    if (str_is(s->mode, "payment")) {
        TRY(need_intent(c, s, &pays));
        TRY(save_payer(c, s, e));
        pays.method = method;
        TRY(intent_try(c, &pays, &(struct confirmation) { 0 }, refusal));
        *status = pays.status;
    } else {
        TRY(need_setup(c, s, &saves));
        TRY(save_payer(c, s, e));
        saves.method = method;
        TRY(setup_try(c, &saves, false, refusal));
        *status = saves.status;
    }
    return E_OK;
}

/* After the card, or the bank, has spoken. */
static enum err go_on(struct call *c, struct session *s, struct str status, struct entry *e,
                      const struct api_error *refusal)
{
    if (refusal->status != 0) {
        point_out(c, e, refusal);
        return show_form(c, s, e);
    }
    if (str_is(status, "requires_action")) {
        html_redirect(c, str_printf(c->arena, "/c/authenticate/%.*s",
                                    STR_FMT(s->intent.p != NULL ? s->intent : s->setup)));
        return E_OK;
    }
    TRY(session_complete(c, s));
    html_redirect(c, success_url(c, s));
    return E_OK;
}

static bool is_open(const struct call *c, struct session *s)
{
    if (str_is(s->status, "open") && s->test_clock.p == NULL && s->expires.us <= c->now.us)
        s->status = STR("expired"); /* the job that says so is on its way */
    return str_is(s->status, "open");
}

static enum err pay_show(struct call *c)
{
    struct entry e = { 0 };
    struct session s;

    begin(c);
    enum err found = session_load(c, PARAMS(c, row_id)->id, &s);
    if (found == E_NOT_FOUND)
        return not_here(c);
    TRY(found);
    return is_open(c, &s) ? show_form(c, &s, &e) : show_end(c, &s);
}

static enum err pay_submit(struct call *c)
{
    struct api_error refusal = { 0 };
    struct card_input in = { 0 };
    struct entry e = { 0 };
    struct session s;
    struct str status;

    begin(c);
    enum err found = session_load(c, PARAMS(c, row_id)->id, &s);
    if (found == E_NOT_FOUND)
        return not_here(c);
    TRY(found);
    if (str_is(s.status, "complete")) { /* pressed twice */
        html_redirect(c, success_url(c, &s));
        return E_OK;
    }
    if (!is_open(c, &s))
        return show_end(c, &s);
    TRY(read_entry(c, &e));
    if (!check_entry(c, &s, &e, &in))
        return show_form(c, &s, &e);
    TRY(try_card(c, &s, &in, &e, &status, &refusal));
    return go_on(c, &s, status, &e, &refusal);
}

/* --- the bank's question ------------------------------------------------------------------------- */

/* A payment or a card to be saved, whichever the id names. */
struct asked {
    bool pays;
    struct intent intent;
    struct setup setup;
    struct str id, status, session, return_url, secret;
};

static enum err asked_load(struct call *c, struct str id, struct asked *q)
{
    *q = (struct asked) { .pays = str_starts(id, "pi_"), .id = id };
    enum err e =
        q->pays ? intent_load(c, id, NULL, &q->intent) : setup_load(c, id, NULL, &q->setup);
    if (e == E_INVALID)
        return E_NOT_FOUND;
    TRY(e);
    q->status = q->pays ? q->intent.status : q->setup.status;
    q->session = q->pays ? q->intent.session : q->setup.session;
    q->return_url = q->pays ? q->intent.return_url : q->setup.return_url;
    q->secret = q->pays ? q->intent.client_secret : q->setup.client_secret;
    return E_OK;
}

static void put_question(struct call *c, struct buf *b, const struct asked *q)
{
    buf_add(b, STR("<div class=\"bank\">Sandbox Bank</div><h1>Confirm it is you</h1>"
                   "<dl class=\"facts\"><dt>To</dt><dd>"));
    html_text(b, merchant(c));
    buf_add(b, STR("</dd>"));
    if (q->pays) {
        buf_add(b, STR("<dt>Amount</dt><dd>"));
        html_text(b, html_money(c->arena, q->intent.amount, q->intent.currency));
        buf_add(b, STR("</dd>"));
    }
    buf_printf(
        b,
        "</dl><form method=\"post\" action=\"/c/authenticate/%.*s\">"
        "<button name=\"outcome\" value=\"complete\">Complete</button>"
        "<button class=\"second\" name=\"outcome\" value=\"fail\">Fail</button></form>"
        "<p class=\"small\">A real bank would ask for a code or its app here. In the sandbox "
        "you choose what it answers.</p>",
        STR_FMT(q->id));
}

static enum err bank_show(struct call *c)
{
    struct asked q;

    begin(c);
    enum err e = asked_load(c, PARAMS(c, row_id)->id, &q);
    if (e == E_NOT_FOUND)
        return not_here(c);
    TRY(e);
    struct buf b = html_begin(c, "Confirm your payment");
    struct session s = { 0 };
    if (q.session.p != NULL)
        TRY(session_load(c, q.session, &s));
    buf_add(&b, STR("<main class=\"narrow\"><div class=\"card\">"));
    if (str_is(q.status, "requires_action"))
        put_question(c, &b, &q);
    else
        buf_add(&b, STR("<h1>There is nothing to confirm</h1>"));
    buf_add(&b, STR("</div></main>\n"));
    html_reply(c, &b, 200, s.success_url, q.return_url);
    return E_OK;
}

static enum err answer(struct call *c, struct asked *q, bool good, struct api_error *refusal)
{
    struct confirmation how = { .confirmed = true };

    if (q->pays)
        TRY(good ? intent_try(c, &q->intent, &how, refusal) : intent_fail(c, &q->intent, refusal));
    else
        TRY(good ? setup_try(c, &q->setup, true, refusal) : setup_fail(c, &q->setup, refusal));
    q->status = q->pays ? q->intent.status : q->setup.status;
    return E_OK;
}

/* To the shop that confirmed without a hosted page: it looks at the intent itself. */
static enum err back_to_shop(struct call *c, const struct asked *q, bool good)
{
    const char *kind = q->pays ? "payment_intent" : "setup_intent";

    if (q->return_url.p == NULL) {
        struct buf b = html_begin(c, "Done");
        buf_add(&b, STR("<main class=\"narrow\"><div class=\"card done\"><h1>Thank you</h1>"
                        "<p>You can close this page.</p></div></main>\n"));
        html_reply(c, &b, 200, STR_NONE, STR_NONE);
        return E_OK;
    }
    html_redirect(c, str_printf(c->arena, "%.*s%c%s=%.*s&%s_client_secret=%.*s&redirect_status=%s",
                                STR_FMT(q->return_url),
                                memchr(q->return_url.p, '?', q->return_url.n) != NULL ? '&' : '?',
                                kind, STR_FMT(q->id), kind, STR_FMT(q->secret),
                                good ? "succeeded" : "failed"));
    return E_OK;
}

static enum err bank_submit(struct call *c)
{
    struct api_error refusal = { 0 };
    struct entry entry = { 0 };
    struct session s;
    struct asked q;
    struct str why;

    begin(c);
    const struct json *form = form_parse(c->arena, c->body, &why);
    enum err e = asked_load(c, PARAMS(c, row_id)->id, &q);
    if (e == E_NOT_FOUND || form == NULL)
        return not_here(c);
    TRY(e);
    bool good = str_is(form_text(form, "outcome"), "complete");
    bool waits = str_is(q.status, "requires_action");
    if (waits)
        TRY(answer(c, &q, good, &refusal));
    if (q.session.p == NULL)
        return back_to_shop(c, &q, refusal.status == 0);
    TRY(session_load(c, q.session, &s));
    if (!waits || !is_open(c, &s)) {
        html_redirect(c, str_printf(c->arena, "/c/pay/%.*s", STR_FMT(s.id)));
        return E_OK;
    }
    entry.name = s.payer_name;
    entry.email = s.payer_email;
    return go_on(c, &s, q.status, &entry, &refusal);
}

/* --- tables -------------------------------------------------------------------------------------- */

static enum err style(struct call *c)
{
    struct buf b = { .arena = c->arena };

    for (size_t i = 0; html_style[i] != NULL; i++)
        buf_add(&b, str_of(html_style[i]));
    reply_bytes(c, 200, STR("text/css; charset=utf-8"), buf_str(&b));
    c->reply.cache = STR("public, max-age=300");
    return E_OK;
}

#define OFTEN                                                                                      \
    {                                                                                              \
        .a_minute = 6000, .burst = 600                                                             \
    }

static const struct route routes[] = {
    { GET, "/c/pay/{id}", pay_show, "The hosted payment page", .params = &row_id_shape,
      .auth = ANYONE, .tx = READ, .wire = WIRE_RAW, .rate = OFTEN },
    { POST, "/c/pay/{id}", pay_submit, "Pays", .params = &row_id_shape, .auth = ANYONE, .tx = WRITE,
      .wire = WIRE_RAW, .rate = OFTEN },
    { GET, "/c/authenticate/{id}", bank_show, "The bank's question", .params = &row_id_shape,
      .auth = ANYONE, .tx = READ, .wire = WIRE_RAW, .rate = OFTEN },
    { POST, "/c/authenticate/{id}", bank_submit, "Its answer", .params = &row_id_shape,
      .auth = ANYONE, .tx = WRITE, .wire = WIRE_RAW, .rate = OFTEN },
    { GET, "/c/style.css", style, "How the pages look", .auth = ANYONE, .tx = NONE,
      .wire = WIRE_RAW, .rate = OFTEN },
};

const struct module sandbox_pages_module = { "sandbox_pages", MODULE_ROUTES(routes) };
