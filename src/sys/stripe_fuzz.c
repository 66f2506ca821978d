/* stripe_fuzz.c -- notifications: a signature made with the secret fits, at its time, for its body; and no other.
 *
 * An input is a line each: seconds between signing and receipt, a number that picks the byte to be changed, a signature's header
 * as a stranger writes it; and the body. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stripe.h"
#include "base/crypto.h"
#include "base/json.h"
#include "test/fuzz.h"

#include <inttypes.h>
#include <string.h>

#define SECRET "whsec_one"
#define OLDER  "whsec_two"
enum { NOW_S = 1700000000, TOLERANCE_S = 300 };

static struct pay *driver(void)
{
    static struct pay *p;
    struct stripe_options o = { .url = STR("http://127.0.0.1:9"),
                                .key = STR("sk_test_x"),
                                .webhook_secrets = STR(SECRET ", " OLDER ",,"),
                                .random = random_fill };

    if (p == NULL)
        p = stripe_open(&o);
    return p;
}

struct verdict {
    enum err e;
    struct str event, ref;
};

static struct verdict verify(struct arena *a, struct str body, struct str header)
{
    struct verdict v = { .event = STR("untouched") };

    v.e = driver()->ops->verify(driver(), a, body, header, (struct when) { NOW_S * SECOND },
                                &v.event, &v.ref);
    HOLDS(v.e == E_OK || v.e == E_BAD_SIGNATURE || v.e == E_BAD_JSON);
    HOLDS((v.e == E_OK) == !str_is(v.event, "untouched"));
    return v;
}

static struct str signature(struct arena *a, const char *secret, int64_t at, struct str body)
{
    struct buf b = { .arena = a };

    buf_printf(&b, "%" PRId64 ".", at);
    buf_add(&b, body);
    struct sha256 mac = hmac_sha256(str_of(secret), buf_str(&b));
    return hex_print(a, mac.b, sizeof(mac.b));
}

static struct str header_of(struct arena *a, const char *secret, int64_t at, struct str body)
{
    struct str hex = signature(a, secret, at, body);

    return fuzz_exact(a, str_printf(a, "t=%" PRId64 ",v1=%.*s", at, STR_FMT(hex)));
}

/* Whoever gets through without the secret has its signature in the header all the same. */
static void check_stranger(struct arena *a, struct str body, struct str header)
{
    struct str rest = header, part, name;
    int64_t at = -1;
    bool fits = false;

    if (verify(a, body, header).e == E_BAD_SIGNATURE)
        return;
    while (rest.p != NULL) {
        rest = str_split(rest, ',', &part);
        struct str value = str_split(str_trim(part), '=', &name);
        if (str_is(name, "t"))
            str_int(value, &at);
    }
    HOLDS(at >= NOW_S - TOLERANCE_S && at <= NOW_S + TOLERANCE_S);
    struct str one = signature(a, SECRET, at, body), two = signature(a, OLDER, at, body);
    fits = memmem(header.p, header.n, one.p, one.n) != NULL ||
           memmem(header.p, header.n, two.p, two.n) != NULL;
    HOLDS(fits);
}

static void check_genuine(struct arena *a, struct str body, int64_t late, uint64_t pick)
{
    struct str header = header_of(a, SECRET, NOW_S - late, body);
    struct str older = header_of(a, OLDER, NOW_S - late, body);
    struct str wrong = header_of(a, "", NOW_S - late, body);
    const char *why;
    const struct json *j = json_parse(a, body, &why);
    bool in_time = late >= -TOLERANCE_S && late <= TOLERANCE_S;
    enum err wanted = !in_time ? E_BAD_SIGNATURE : json_text(j, "id").p == NULL ? E_BAD_JSON : E_OK;
    struct verdict v = verify(a, body, header);

    HOLDS(v.e == wanted && verify(a, body, older).e == wanted);
    HOLDS(verify(a, body, wrong).e == E_BAD_SIGNATURE);
    HOLDS(verify(a, body, fuzz_flipped(a, header, pick)).e == E_BAD_SIGNATURE);
    HOLDS(body.n == 0 || verify(a, fuzz_flipped(a, body, pick), header).e == E_BAD_SIGNATURE);
    HOLDS(body.n == 0 || verify(a, str_cut(body, 0, body.n - 1), header).e == E_BAD_SIGNATURE);
    /* Further schemes, and others' signatures, do not disturb. */
    struct str more = str_printf(a, "v0=x,v1=00,%.*s", STR_FMT(header));
    HOLDS(verify(a, body, fuzz_exact(a, more)).e == wanted);
    if (v.e != E_OK)
        return;
    fuzz_taken();
    HOLDS(str_eq(v.event, json_text(j, "id")));
    HOLDS(v.ref.p == NULL || str_is_utf8(v.ref));
}

FUZZ(stripe)
{
    struct str rest = in;
    int64_t late = fuzz_number(&rest, -400, 400);
    uint64_t pick = (uint64_t)fuzz_number(&rest, 0, INT64_MAX);
    struct str header = fuzz_line(&rest, a);
    struct str body = fuzz_exact(a, rest.p == NULL ? STR("") : rest);

    check_stranger(a, body, header);
    check_genuine(a, body, late, pick);
}
