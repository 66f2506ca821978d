/* password.c -- which passwords are refused: short ones, and those that are tried first.
 *
 * No rules on kinds of characters and no forced changes: they make passwords worse (ASVS 5.0, 6.2). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/password.h"

#include <string.h>

/* From this length on, a common word inside does no harm. */
enum { LONG = 16, WORD_MIN = 4, DISTINCT_MIN = 4 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same_folded(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

static bool is_letter(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

/* "123Summer!!" -> "Summer": what people put around a word is guessed too. */
static struct str core_of(struct str s)
{
    while (s.n > 0 && !is_letter(s.p[0]))
        s = str_cut(s, 1, s.n);
    while (s.n > 0 && !is_letter(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool is_common(struct str s)
{
    for (size_t i = 0; common_passwords[i] != NULL; i++) {
        struct str line = str_of(common_passwords[i]), word;
        while (line.n > 0) {
            line = str_split(line, ' ', &word);
            if (same_folded(word, s))
                return true;
        }
    }
    return false;
}

static bool is_one_of(struct str s, const struct str *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].n >= WORD_MIN && same_folded(words[i], s))
            return true;
    return false;
}

static size_t distinct(struct str s)
{
    bool seen[256] = { false };
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        n += !seen[(unsigned char)s.p[i]];
        seen[(unsigned char)s.p[i]] = true;
    }
    return n;
}

const char *password_refused(struct str password, const struct str *words, size_t n)
{
    struct str core = core_of(password);

    if (str_characters(password) < PASSWORD_MIN)
        return "must have at least 8 characters";
    if (password.n > PASSWORD_BYTES_MAX)
        return "must have at most 1,024 bytes";
    if (distinct(password) < DISTINCT_MIN)
        return "repeats the same few characters; choose a less predictable one";
    if (is_one_of(password, words, n) || is_one_of(core, words, n))
        return "is made of your address, your name or this site's name; choose another";
    if (is_common(password) || (password.n < LONG && is_common(core)))
        return "is one of the most common passwords; choose a longer or less usual one";
    return NULL;
}
