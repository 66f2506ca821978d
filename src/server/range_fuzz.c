/* range_fuzz.c -- Range (file.c): the part lies inside the file, and is what a reader would say who looks at each byte alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/file.h"
#include "test/fuzz.h"

#include <regex.h>
#include <string.h>

enum { SMALL = 40 };

/* What it asks for; numbers of more than 18 digits, several ranges, and last before first are none of our forms. */
struct asked {
    bool good, suffix, open;
    int64_t first, last;
};

static int64_t number(const char *p, const regmatch_t *m)
{
    int64_t v = 0;

    for (regoff_t i = m->rm_so; i < m->rm_eo; i++)
        v = v * 10 + (p[i] - '0');
    return v;
}

static struct asked naive(struct str text, struct arena *a)
{
    static regex_t form;
    static bool made;
    regmatch_t m[3];
    struct asked q = { .good = false };

    if (!made)
        must(regcomp(&form, "^bytes=[ \t\r\n]*([0-9]{0,18})-([0-9]{0,18})[ \t\r\n]*$",
                     REG_EXTENDED) == 0);
    made = true;
    const char *p = str_copy(a, text).p;
    if ((text.n > 0 && memchr(text.p, 0, text.n) != NULL) || regexec(&form, p, 3, m, 0) != 0)
        return q;
    q.suffix = m[1].rm_so == m[1].rm_eo;
    q.open = m[2].rm_so == m[2].rm_eo;
    q.first = number(p, &m[1]);
    q.last = number(p, &m[2]);
    q.good = !(q.suffix && q.open) && (q.suffix || q.open || q.first <= q.last);
    return q;
}

static bool wants(const struct asked *q, int64_t size, int64_t byte)
{
    if (q->suffix)
        return size - byte <= q->last;
    return byte >= q->first && (q->open || byte <= q->last);
}

static void check_bytes(const struct asked *q, enum range r, int64_t size, int64_t from,
                        int64_t length)
{
    int64_t n = 0;

    for (int64_t i = 0; i < size; i++) {
        n += wants(q, size, i);
        HOLDS(r != RANGE_PART || wants(q, size, i) == (i >= from && i < from + length));
    }
    HOLDS((r == RANGE_BAD) == (n == 0));
}

/* "size\ntext" */
FUZZ(range)
{
    struct str rest = in;
    int64_t size = fuzz_number(&rest, 0, INT64_MAX), from = -3, length = -4;
    struct str text = fuzz_exact(a, rest.p == NULL ? STR("") : rest);
    struct asked q = naive(text, a);
    enum range r = range_of(text, size, &from, &length);

    HOLDS((r != RANGE_NONE) == q.good);
    HOLDS(r == RANGE_PART || (from == -3 && length == -4));
    if (r == RANGE_PART) {
        fuzz_taken();
        HOLDS(from >= 0 && length > 0 && length <= size && from <= size - length);
        HOLDS(wants(&q, size, from) && wants(&q, size, from + length - 1));
        HOLDS(from == 0 || !wants(&q, size, from - 1));
        HOLDS(from + length == size || !wants(&q, size, from + length));
    }
    /* The same form, of a file that can be looked at byte by byte. */
    size %= SMALL;
    r = range_of(text, size, &from, &length);
    if (q.good)
        check_bytes(&q, r, size, from, length);
}
