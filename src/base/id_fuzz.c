/* id_fuzz.c -- ids and base32, beside a reader that counts with 128 bits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "test/fuzz.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* What the digits stand for; more than 63 bits, 0, or no digits at all: 0. */
static int64_t naive(struct str digits)
{
    static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";
    wide v = 0;

    if (digits.n != 13)
        return 0;
    for (size_t i = 0; i < digits.n; i++) {
        size_t at = 0;
        while (crockford[at] != 0 && crockford[at] != digits.p[i])
            at++;
        if (crockford[at] == 0)
            return 0;
        v = v * 32 + at;
    }
    return v > INT64_MAX ? 0 : (int64_t)v;
}

static void as_text(struct str in, const char *prefix)
{
    struct id id = { 42 };
    char text[ID_TEXT_MAX];
    size_t n = strlen(prefix);
    bool shaped = in.n > n && memcmp(in.p, prefix, n) == 0 && in.p[n] == '_';
    int64_t wanted = shaped ? naive((struct str) { in.p + n + 1, in.n - n - 1 }) : 0;

    if (!id_parse(in, prefix, &id)) {
        HOLDS(id.v == 42);
        HOLDS(wanted == 0);
        return;
    }
    fuzz_taken();
    HOLDS(id.v == wanted);
    HOLDS(str_eq((struct str) { text, id_print(text, prefix, id) }, in));
}

static void as_number(int64_t v, int64_t other)
{
    char text[ID_TEXT_MAX], second[ID_TEXT_MAX];
    struct id again = ID_NONE;
    size_t n = id_print(text, "pst", (struct id) { v });

    id_print(second, "pst", (struct id) { other });
    HOLDS(id_parse((struct str) { text, n }, "pst", &again) && again.v == v);
    HOLDS(!id_parse((struct str) { text, n }, "usr", &again));
    HOLDS((strcmp(text, second) < 0) == (v < other));
}

FUZZ(id)
{
    int64_t n[2] = { 1, 2 };

    as_text(in, "usr");
    as_text(in, "s");
    if (in.n > 0)
        memcpy(n, in.p, in.n < sizeof(n) ? in.n : sizeof(n));
    for (size_t i = 0; i < 2; i++)
        n[i] = n[i] == 0 || n[i] == INT64_MIN ? 1 : n[i] < 0 ? -n[i] : n[i];
    as_number(n[0], n[1]);
    (void)a;
}
