/* mail_format_fuzz.c -- whatever a person is called, a mail has the headers that we wrote, and says what it was given.
 *
 * An input is a line each: the address, the message's id, the subject; and the text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mail_format.h"
#include "test/fuzz.h"

#include <string.h>

enum { LINE_LONGEST = 998, WORD_LONGEST = 75, SPLIT_AT = 900 };

static const char *const names[] = {
    "Date",           "From",         "To",           "Subject",
    "Message-ID",     "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "Auto-Submitted",
};

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2047, as a reader undoes it: "=?UTF-8?Q?...?=" and, between two such words, nothing. */
static struct str decoded(struct arena *a, struct str s)
{
    struct buf b = { .arena = a };

    if (s.n == 0 || memmem(s.p, s.n, "=?", 2) == NULL)
        return s;
    while (str_starts(s, "=?UTF-8?Q?")) {
        const char *end = memmem(s.p + 10, s.n - 10, "?=", 2);
        if (end == NULL)
            return STR_NONE;
        struct str word = { s.p + 10, (size_t)(end - s.p) - 10 };
        HOLDS(word.n + 12 <= WORD_LONGEST);
        for (size_t i = 0; i < word.n; i++)
            if (word.p[i] == '=' && i + 2 < word.n) {
                buf_char(&b, (char)(hex(word.p[i + 1]) << 4 | hex(word.p[i + 2])));
                i += 2;
            } else {
                buf_char(&b, word.p[i]);
            }
        s = str_trim(str_cut(s, word.n + 12, s.n));
    }
    return s.n > 0 ? STR_NONE : buf_str(&b);
}

/* Up to CR LF; the mail has no other line ends. */
static struct str line_of(struct str *rest)
{
    const char *end = memmem(rest->p, rest->n, "\r\n", 2);

    HOLDS(end != NULL);
    struct str line = { rest->p, (size_t)(end - rest->p) };
    *rest = str_cut(*rest, line.n + 2, rest->n);
    HOLDS(line.n <= LINE_LONGEST);
    HOLDS(line.n == 0 ||
          (memchr(line.p, '\r', line.n) == NULL && memchr(line.p, '\n', line.n) == NULL &&
           memchr(line.p, 0, line.n) == NULL));
    return line;
}

/* One header with the lines that it goes on in; its value. */
static struct str header_of(struct str *rest, const char *wanted, struct arena *a)
{
    struct str name, value = str_split(line_of(rest), ':', &name);
    struct buf b = { .arena = a };

    HOLDS(str_is(name, wanted) && value.p != NULL);
    buf_add(&b, value);
    while (str_starts(*rest, " "))
        buf_add(&b, line_of(rest));
    return str_trim(buf_str(&b));
}

static void check_text(struct str rest, struct str text, struct arena *a)
{
    struct buf want = { .arena = a }, got = { .arena = a };

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' && text.p[i] != '\n' && text.p[i] != 0)
            buf_char(&want, text.p[i]);
    while (rest.n > 0) {
        struct str line = line_of(&rest);
        HOLDS(line.n <= SPLIT_AT && str_is_utf8(line));
        buf_add(&got, line);
    }
    HOLDS(str_eq(buf_str(&got), buf_str(&want)));
}

FUZZ(mail_format)
{
    struct str rest = in, text;
    struct mail m = { .to = fuzz_line(&rest, a),
                      .id = fuzz_line(&rest, a),
                      .subject = fuzz_line(&rest, a) };
    struct str result = STR("untouched");

    m.text = fuzz_exact(a, rest.p == NULL ? STR("") : rest);
    if (!str_is_utf8(m.subject) || !str_is_utf8(m.text)) /* shapes let nothing else in */
        return;
    if (mail_format(a, STR("Stagedoor <noreply@example.org>"),
                    (struct when) { 1700000000 * SECOND }, &m, &result) != E_OK) {
        HOLDS(str_is(result, "untouched"));
        return;
    }
    fuzz_taken();
    text = result;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str value = header_of(&text, names[i], a);
        if (strcmp(names[i], "To") == 0)
            HOLDS(str_eq(value, m.to) && memchr(value.p, ',', value.n) == NULL);
        if (strcmp(names[i], "Subject") == 0)
            HOLDS(str_eq(decoded(a, value), str_trim(m.subject)) ||
                  str_eq(decoded(a, value), m.subject));
    }
    HOLDS(line_of(&text).n == 0);
    check_text(text, m.text, a);
}
