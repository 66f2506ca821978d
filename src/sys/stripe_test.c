/* stripe_test.c -- the driver against a peer that follows a script: answers, hangs, breaks off.
 *
 * What the sandbox (a peer that behaves) thinks of the driver is tested in src/sandbox/stripe_sandbox_test.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stripe.h"
#include "base/crypto.h"
#include "sys/http_client.h"
#include "sys/stripe_words.h"
#include "test/unit.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS_MAX = 8, REQUEST_MAX = 8192, HANG_MS = 1500 };

enum does { ANSWER, HANG, DROP, HALF };

struct step {
    enum does does;
    const char *head; /* "200 OK\r\nX: y" */
    const char *body;
};

struct peer {
    int listener, port;
    pthread_t thread;
    struct step steps[STEPS_MAX];
    size_t steps_n;
    size_t seen; /* requests */
    char requests[STEPS_MAX][REQUEST_MAX];
};

static bool whole(const char *p)
{
    const char *end = strstr(p, "\r\n\r\n"), *length = strcasestr(p, "content-length:");

    if (end == NULL)
        return false;
    return length == NULL || length > end ||
           strlen(end + 4) >= (size_t)strtol(length + 15, NULL, 10);
}

static bool read_request(int fd, char *to)
{
    size_t n = 0;

    while (!whole(to)) {
        ssize_t got = recv(fd, to + n, REQUEST_MAX - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

static void act(int fd, const struct step *s)
{
    char text[REQUEST_MAX];
    const char *body = s->body == NULL ? "" : s->body;
    size_t length = strlen(body) + (s->does == HALF ? 100 : 0);

    if (s->does == HANG)
        usleep(HANG_MS * 1000);
    if (s->does == HANG || s->does == DROP)
        return;
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", s->head,
                     length, body);
    CHECK(send(fd, text, (size_t)n, MSG_NOSIGNAL) == n);
}

static void *serve(void *context)
{
    struct peer *p = context;

    while (p->seen < p->steps_n) {
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (read_request(fd, p->requests[p->seen]))
            act(fd, &p->steps[p->seen]);
        __atomic_add_fetch(&p->seen, 1, __ATOMIC_ACQ_REL);
        close(fd);
    }
    shutdown(p->listener, SHUT_RDWR); /* from here on nobody can connect */
    return NULL;
}

static void peer_start(struct peer *p, const struct step *steps, size_t n)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);

    memset(p, 0, sizeof(*p));
    memcpy(p->steps, steps, n * sizeof(*steps));
    p->steps_n = n;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(p->listener, (struct sockaddr *)&at, size) == 0 && listen(p->listener, 8) == 0);
    REQUIRE(getsockname(p->listener, (struct sockaddr *)&at, &size) == 0);
    p->port = ntohs(at.sin_port);
    REQUIRE(pthread_create(&p->thread, NULL, serve, p) == 0);
}

static void peer_end(struct peer *p)
{
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listener);
}

static struct pay *driver(struct arena *a, int port)
{
    return stripe_open(&(struct stripe_options) {
        .url = str_printf(a, "http://127.0.0.1:%d", port),
        .key = STR("sk_test_x"),
        .webhook_secrets = STR("whsec_new, whsec_old"),
        .statement = STR("The \"*Gate*\" and a long tail behind"),
        .random = random_fill,
        .timeout_ms = 700,
        .patience_ms = 6000,
    });
}

static const struct pay_request request = {
    .key = { "pay_1:1", 7 },
    .reference = { "pay_1", 5 },
    .amount = { 500, { "EUR" } },
    .description = { "Ana & friends", 13 },
    .payer = { "usr_1", 5 },
    .payer_email = { "fan@example.org", 15 },
    .success_url = { "http://x/ok?a=b", 15 },
    .cancel_url = { "http://x/no", 11 },
    .save_method = true,
};

#define CUSTOMER                                                                                   \
    {                                                                                              \
        ANSWER, "200 OK", "{\"id\":\"cus_1\"}"                                                     \
    }

/* Runs a checkout against the script and tells how many requests it took. */
static enum err checkout(const struct step *steps, size_t n, struct arena *a, struct peer *p,
                         struct pay_outcome *o)
{
    peer_start(p, steps, n);
    struct pay *pay = driver(a, p->port);
    enum err e = pay->ops->checkout(pay, a, &request, o);
    peer_end(p);
    pay->ops->close(pay);
    return e;
}

TEST(stripe_checkout_says_what_it_wants)
{
    static const struct step steps[] = {
        CUSTOMER,
        { ANSWER, "200 OK",
          "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"http://pay/cs_1\",\"new\":{}}" },
    };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    CHECK_OK(checkout(steps, COUNT(steps), &a, &p, &o));
    CHECK_INT(o.state, PAY_PENDING);
    CHECK_STR(o.provider_ref, "cs_1");
    CHECK_STR(o.url, "http://pay/cs_1");
    CHECK_STR(o.customer, "cus_1");
    CHECK(strstr(p.requests[0], "POST /v1/customers HTTP/1.1\r\n") != NULL);
    CHECK(strstr(p.requests[0], "email=fan%40example.org&metadata[payer]=usr_1") != NULL);
    CHECK(strstr(p.requests[1], "POST /v1/checkout/sessions HTTP/1.1\r\n") != NULL);
    CHECK(strstr(p.requests[1], "Authorization: Bearer sk_test_x\r\n") != NULL);
    CHECK(strstr(p.requests[1], "Stripe-Version: " STRIPE_VERSION "\r\n") != NULL);
    CHECK(strstr(p.requests[1], "Idempotency-Key: pay_1:1\r\n") != NULL);
    CHECK(strstr(p.requests[1], "line_items[0][price_data][unit_amount]=500&") != NULL);
    CHECK(strstr(p.requests[1], "[currency]=eur&") != NULL);
    CHECK(strstr(p.requests[1], "[name]=Ana%20%26%20friends&") != NULL);
    CHECK(strstr(p.requests[1], "[setup_future_usage]=off_session&") != NULL);
    CHECK(strstr(p.requests[1],
                 "[statement_descriptor_suffix]=The%20Gate%20and%20a%20long%20ta&") != NULL);
    arena_done(&a);
}

TEST(stripe_tries_again_under_the_same_key)
{
    static const struct step steps[] = {
        CUSTOMER,
        { ANSWER, "503 Busy", "{}" },
        { ANSWER, "409 Conflict", "{\"error\":{\"type\":\"idempotency_error\"}}" },
        { ANSWER, "200 OK", "{\"id\":\"cs_1\",\"status\":\"open\"}" },
    };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    CHECK_OK(checkout(steps, COUNT(steps), &a, &p, &o));
    CHECK_INT(o.state, PAY_PENDING);
    CHECK_INT(p.seen, 4);
    for (int i = 1; i < 4; i++)
        CHECK(strstr(p.requests[i], "Idempotency-Key: pay_1:1\r\n") != NULL);
    arena_done(&a);
}

TEST(stripe_obeys_should_retry_false)
{
    static const struct step steps[] = {
        CUSTOMER,
        { ANSWER, "500 Oops\r\nStripe-Should-Retry: false", "{}" },
        { ANSWER, "200 OK", "{\"id\":\"cs_1\"}" },
    };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    CHECK_OK(checkout(steps, COUNT(steps), &a, &p, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK_STR(o.provider_ref, "find:session:cus_1:pay_1");
    CHECK_INT(p.seen, 2);
    arena_done(&a);
}

TEST(stripe_lost_answer_is_unknown_even_when_later_tries_cannot_connect)
{
    static const struct step steps[] = { CUSTOMER, { DROP, NULL, NULL } };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    /* The peer is gone after the second request: the tries that follow find nobody. */
    CHECK_OK(checkout(steps, COUNT(steps), &a, &p, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK_STR(o.provider_ref, "find:session:cus_1:pay_1");
    CHECK_STR(o.reference, "pay_1");
    arena_done(&a);
}

TEST_SLOW(stripe_slow_or_cut_answers_are_unknown, 10)
{
    static const struct step slow[] = {
        CUSTOMER, { HANG, NULL, NULL }, { HANG, NULL, NULL }, { HANG, NULL, NULL }
    };
    static const struct step half[] = { CUSTOMER,
                                        { HALF, "200 OK", "{\"id\":\"cs_1\"}" },
                                        { HALF, "200 OK", "{\"id\":\"cs_1\"}" },
                                        { HALF, "200 OK", "{\"id\":\"cs_1\"}" } };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    CHECK_OK(checkout(slow, COUNT(slow), &a, &p, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK_OK(checkout(half, COUNT(half), &a, &p, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    arena_done(&a);
}

TEST(stripe_that_cannot_be_reached_charged_nothing)
{
    struct arena a = { 0 };
    struct pay_outcome o = { .state = PAY_DECLINED };
    struct pay *pay = driver(&a, 1); /* nobody listens there */

    CHECK_INT(pay->ops->checkout(pay, &a, &request, &o), E_PROVIDER_UNAVAILABLE);
    CHECK_INT(o.state, PAY_DECLINED);
    pay->ops->close(pay);
    arena_done(&a);
}

TEST(stripe_limits_charged_nothing)
{
    static const struct step steps[] = { CUSTOMER,
                                         { ANSWER, "429 Slow down", "{}" },
                                         { ANSWER, "429 Slow down", "{}" },
                                         { ANSWER, "429 Slow down", "{}" } };
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    CHECK_INT(checkout(steps, COUNT(steps), &a, &p, &o), E_PROVIDER_UNAVAILABLE);
    CHECK_INT(p.seen, 4);
    arena_done(&a);
}

TEST(stripe_customer_that_is_gone_is_made_anew)
{
    static const struct step steps[] = {
        { ANSWER, "400 Bad Request",
          "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"resource_missing\","
          "\"param\":\"customer\"}}" },
        CUSTOMER,
        { ANSWER, "200 OK", "{\"id\":\"cs_1\",\"status\":\"open\"}" },
    };
    struct pay_request r = request;
    struct arena a = { 0 };
    struct peer p;
    struct pay_outcome o;

    r.customer = STR("cus_old");
    peer_start(&p, steps, COUNT(steps));
    struct pay *pay = driver(&a, p.port);
    CHECK_OK(pay->ops->checkout(pay, &a, &r, &o));
    CHECK_STR(o.customer, "cus_1");
    peer_end(&p);
    pay->ops->close(pay);
    arena_done(&a);
}

static enum err charge(const struct step *steps, size_t n, struct arena *a, struct pay_outcome *o)
{
    struct pay_request r = request;
    struct peer p;

    r.customer = STR("cus_1");
    r.method = STR("pm_1");
    peer_start(&p, steps, n);
    struct pay *pay = driver(a, p.port);
    enum err e = pay->ops->charge(pay, a, &r, o);
    peer_end(&p);
    CHECK(strstr(p.requests[0], "off_session=true&confirm=true") != NULL);
    pay->ops->close(pay);
    return e;
}

TEST(stripe_charge_that_succeeds_tells_amount_and_fee)
{
    static const struct step steps[] = {
        { ANSWER, "200 OK",
          "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount\":500,\"amount_received\":500,"
          "\"currency\":\"eur\",\"customer\":\"cus_1\",\"metadata\":{\"reference\":\"pay_1\"},"
          "\"latest_charge\":{\"balance_transaction\":{\"fee\":45,\"currency\":\"eur\"}}}" }
    };
    struct arena a = { 0 };
    struct pay_outcome o;

    CHECK_OK(charge(steps, 1, &a, &o));
    CHECK_INT(o.state, PAY_SUCCEEDED);
    CHECK_INT(o.amount.minor, 500);
    CHECK_STR(o.amount.currency.code, "EUR");
    CHECK_INT(o.fee, 45);
    CHECK_STR(o.reference, "pay_1");
    CHECK_STR(o.provider_ref, "pi_1");
    arena_done(&a);
}

TEST(stripe_declines_have_sentences)
{
    static const struct step steps[] = {
        { ANSWER, "402 Payment Required",
          "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\","
          "\"decline_code\":\"insufficient_funds\",\"payment_intent\":{\"id\":\"pi_1\"}}}" }
    };
    struct arena a = { 0 };
    struct pay_outcome o;

    CHECK_OK(charge(steps, 1, &a, &o));
    CHECK_INT(o.state, PAY_DECLINED);
    CHECK_STR(o.decline, "The card has insufficient funds.");
    CHECK_STR(o.provider_ref, "pi_1");
    CHECK_STR(stripe_decline_sentence(STR("lost_card"), STR("card_declined")),
              stripe_decline_sentence(STR_NONE, STR_NONE));
    arena_done(&a);
}

TEST(stripe_faults_of_ours_and_of_the_key_are_told_apart)
{
    static const struct step key[] = { { ANSWER, "401 Unauthorized", "{\"error\":{}}" } };
    static const struct step bad[] = { { ANSWER, "400 Bad Request",
                                         "{\"error\":{\"code\":\"parameter_unknown\"}}" } };
    static const struct step small[] = { { ANSWER, "400 Bad Request",
                                           "{\"error\":{\"code\":\"amount_too_small\"}}" } };
    struct arena a = { 0 };
    struct pay_outcome o;

    CHECK_INT(charge(key, 1, &a, &o), E_PROVIDER_UNAVAILABLE);
    CHECK_INT(charge(bad, 1, &a, &o), E_INTERNAL);
    CHECK_INT(charge(small, 1, &a, &o), E_BELOW_MINIMUM);
    arena_done(&a);
}

static enum err query(const char *ref, const char *head, const char *body, struct arena *a,
                      struct pay_outcome *o)
{
    struct step step = { ANSWER, head, body };
    struct peer p;

    peer_start(&p, &step, 1);
    struct pay *pay = driver(a, p.port);
    enum err e = pay->ops->query(pay, a, str_of(ref), o);
    peer_end(&p);
    pay->ops->close(pay);
    return e;
}

TEST(stripe_query_finds_what_was_lost)
{
    struct arena a = { 0 };
    struct pay_outcome o;

    CHECK_OK(query("find:payment:cus_1:pay_1", "200 OK",
                   "{\"data\":[{\"id\":\"pi_9\",\"metadata\":{\"reference\":\"pay_9\"}},"
                   "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":5,"
                   "\"currency\":\"jpy\",\"metadata\":{\"reference\":\"pay_1\"}}]}",
                   &a, &o));
    CHECK_STR(o.provider_ref, "pi_1");
    CHECK_INT(o.state, PAY_SUCCEEDED);
    CHECK_INT(o.fee, -1);
    CHECK_INT(query("find:payment:cus_1:pay_2", "200 OK", "{\"data\":[]}", &a, &o), E_NOT_FOUND);
    CHECK_INT(query("cs_none", "404 Not Found", "{\"error\":{}}", &a, &o), E_NOT_FOUND);
    arena_done(&a);
}

TEST(stripe_states_of_sessions)
{
    static const struct {
        const char *json;
        enum pay_state state;
    } cases[] = {
        { "{\"id\":\"cs_1\",\"status\":\"open\",\"payment_status\":\"unpaid\"}", PAY_PENDING },
        { "{\"id\":\"cs_1\",\"status\":\"expired\",\"payment_status\":\"unpaid\"}", PAY_EXPIRED },
        { "{\"id\":\"cs_1\",\"status\":\"complete\",\"payment_status\":\"paid\","
          "\"payment_intent\":{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":500,"
          "\"currency\":\"eur\",\"setup_future_usage\":\"off_session\",\"payment_method\":\"pm_1\"}"
          "}",
          PAY_SUCCEEDED },
        { "{\"id\":\"cs_1\",\"status\":\"complete\",\"payment_status\":\"unpaid\","
          "\"payment_intent\":{\"status\":\"processing\"}}",
          PAY_PENDING },
        { "{\"id\":\"cs_1\",\"status\":\"complete\",\"payment_status\":\"unpaid\","
          "\"payment_intent\":{\"status\":\"requires_payment_method\","
          "\"last_payment_error\":{},\"metadata\":{\"via\":\"checkout\"}}}",
          PAY_DECLINED },
        { "{\"id\":\"cs_1\",\"status\":\"newfangled\",\"payment_status\":\"paid\"}", PAY_PENDING },
    };
    struct arena a = { 0 };
    struct pay_outcome o;

    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_OK(query("cs_1", "200 OK", cases[i].json, &a, &o));
        CHECK_INT(o.state, cases[i].state);
        CHECK_STR(o.method, o.state == PAY_SUCCEEDED ? STR("pm_1") : STR_NONE);
    }
    arena_done(&a);
}

/* --- Signatures --------------------------------------------------------------------------------- */

#define BODY                                                                                       \
    "{\"id\":\"evt_1\",\"type\":\"checkout.session.completed\",\"data\":{\"object\":"              \
    "{\"id\":\"cs_1\",\"object\":\"checkout.session\",\"metadata\":{\"reference\":\"pay_1\"}}}}"

static struct str sign(struct arena *a, const char *secret, int64_t at, struct str body)
{
    struct sha256 h =
        hmac_sha256(str_of(secret), str_printf(a, "%" PRId64 ".%.*s", at, STR_FMT(body)));

    return hex_print(a, h.b, sizeof(h.b));
}

struct verdict {
    enum err e;
    struct str event, ref;
};

static struct verdict verify(struct arena *a, struct str body, struct str header)
{
    struct verdict v = { E_OK, STR_NONE, STR_NONE };
    struct pay *pay = driver(a, 1);

    v.e = pay->ops->verify(pay, a, body, header, (struct when) { 1700000000 * SECOND }, &v.event,
                           &v.ref);
    pay->ops->close(pay);
    return v;
}

static enum err verdict_of(struct arena *a, const char *secret, int64_t at, const char *format)
{
    struct str hex = sign(a, secret, at, STR(BODY));
    struct str header = str_of(format);
    struct buf b = { .arena = a };

    /* '#' stands for the signature, '@' for the time. */
    for (size_t i = 0; i < header.n; i++) {
        if (header.p[i] == '#')
            buf_add(&b, hex);
        else if (header.p[i] == '@')
            buf_int(&b, at);
        else
            buf_char(&b, header.p[i]);
    }
    return verify(a, STR(BODY), buf_str(&b)).e;
}

TEST(stripe_signature_that_fits)
{
    struct arena a = { 0 };
    struct str hex = sign(&a, "whsec_new", 1700000000, STR(BODY));
    struct verdict v = verify(&a, STR(BODY), str_printf(&a, "t=1700000000,v1=%s", hex.p));

    CHECK_OK(v.e);
    CHECK_STR(v.event, "evt_1");
    CHECK_STR(v.ref, "cs_1");
    CHECK_OK(verdict_of(&a, "whsec_old", 1700000000, "t=@,v1=#"));
    CHECK_OK(verdict_of(&a, "whsec_new", 1700000000, "t=@,v1=00,v1=#,v0=abc"));
    CHECK_OK(verdict_of(&a, "whsec_new", 1700000000 - 300, "t=@,v1=#"));
    CHECK_OK(verdict_of(&a, "whsec_new", 1700000000 + 300, "t=@,v1=#"));
    arena_done(&a);
}

TEST(stripe_signature_that_does_not_fit)
{
    static const char *const headers[] = {
        "",         "t=@",          "v1=#",         "t=@,v0=#",  "t=@,v1=",
        "t=@,v1=0", "t=1,t=@,v1=#", "t=@,t=@,v1=#", "t=-1,v1=#", "t=@x,v1=#",
        "t=,v1=#",  "t=@,v1=#0",    "t=@ ,v1=#x",   "t= @,v1=#", "T=@,V1=#",
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(headers); i++)
        if (verdict_of(&a, "whsec_new", 1700000000, headers[i]) != E_BAD_SIGNATURE)
            FAIL("taken: %s", headers[i]);
    CHECK_INT(verdict_of(&a, "whsec_new", 1700000000 - 301, "t=@,v1=#"), E_BAD_SIGNATURE);
    CHECK_INT(verdict_of(&a, "whsec_new", 1700000000 + 301, "t=@,v1=#"), E_BAD_SIGNATURE);
    CHECK_INT(verdict_of(&a, "whsec_other", 1700000000, "t=@,v1=#"), E_BAD_SIGNATURE);
    CHECK_INT(verdict_of(&a, "", 1700000000, "t=@,v1=#"), E_BAD_SIGNATURE);
    CHECK_INT(verify(&a, STR(BODY), STR_NONE).e, E_BAD_SIGNATURE);
    arena_done(&a);
}

TEST(stripe_signature_with_any_bit_flipped)
{
    struct arena a = { 0 };
    struct str body = str_copy(&a, STR(BODY));
    struct str header =
        str_printf(&a, "t=1700000000,v1=%s", sign(&a, "whsec_new", 1700000000, STR(BODY)).p);
    struct pay *pay = driver(&a, 1);

    for (size_t i = 0; i < (body.n + header.n) * 8; i++) {
        struct str event, ref;
        char *at = (char *)(uintptr_t)(i / 8 < body.n ? body.p + i / 8 : header.p + i / 8 - body.n);
        *at = (char)(*at ^ (1 << (i % 8)));
        if (pay->ops->verify(pay, &a, body, header, (struct when) { 1700000000 * SECOND }, &event,
                             &ref) != E_BAD_SIGNATURE)
            FAIL("bit %zu", i);
        *at = (char)(*at ^ (1 << (i % 8)));
    }
    pay->ops->close(pay);
    arena_done(&a);
}

TEST(stripe_events_that_are_not_ours_name_nothing)
{
    static const char foreign[] =
        "{\"id\":\"evt_2\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":"
        "{\"id\":\"pi_1\",\"metadata\":{}}}}";
    static const char charged[] =
        "{\"id\":\"evt_3\",\"type\":\"charge.updated\",\"data\":{\"object\":{\"id\":\"ch_1\","
        "\"object\":\"charge\",\"payment_intent\":\"pi_1\",\"metadata\":{\"reference\":\"r\"}}}}";
    struct arena a = { 0 };
    struct str header =
        str_printf(&a, "t=1700000000,v1=%s", sign(&a, "whsec_new", 1700000000, str_of(foreign)).p);
    struct verdict v = verify(&a, str_of(foreign), header);

    CHECK_OK(v.e);
    CHECK_STR(v.event, "evt_2");
    CHECK_STR(v.ref, STR_NONE);
    header =
        str_printf(&a, "t=1700000000,v1=%s", sign(&a, "whsec_new", 1700000000, str_of(charged)).p);
    v = verify(&a, str_of(charged), header);
    CHECK_STR(v.ref, "pi_1");
    arena_done(&a);
}

/* --- The client itself -------------------------------------------------------------------------- */

TEST(http_client_bounds_the_reply)
{
    static const struct step steps[] = { { ANSWER, "200 OK\r\nX-Wanted:  yes ", "0123456789" },
                                         { ANSWER, "200 OK", "0123456789" },
                                         { ANSWER, "302 Found\r\nLocation: /there", "" } };
    static const char *const names[] = { "x-wanted", "location", NULL };
    struct arena a = { 0 };
    struct peer p;
    struct http_reply r;

    peer_start(&p, steps, COUNT(steps));
    struct http_client *h = http_client_open();
    struct http_request q = { .method = "GET",
                              .url = str_printf(&a, "http://127.0.0.1:%d/", p.port),
                              .body_max = 10,
                              .wanted = names };
    CHECK_INT(http_client_send(h, &a, &q, &r), HTTP_ANSWERED);
    CHECK_STR(r.body, "0123456789");
    CHECK_STR(r.headers[0], "yes");
    q.body_max = 9;
    CHECK_INT(http_client_send(h, &a, &q, &r), HTTP_UNKNOWN);
    CHECK_INT(http_client_send(h, &a, &q, &r), HTTP_ANSWERED);
    CHECK_INT(r.status, 302);
    CHECK_STR(r.headers[1], "/there");
    q.url = STR("file:///etc/passwd");
    CHECK_INT(http_client_send(h, &a, &q, &r), HTTP_NOT_SENT);
    q.url = STR("http://nosuch.invalid/");
    CHECK_INT(http_client_send(h, &a, &q, &r), HTTP_NOT_SENT);
    http_client_close(h);
    peer_end(&p);
    arena_done(&a);
}
