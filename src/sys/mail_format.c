/* mail_format.c -- headers and text of a mail. Text goes as UTF-8, 8bit, so that a person can read the file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mail_format.h"
#include "base/check.h"

#include <string.h>

enum { LINE_MAX_BYTES = 900, WORD_MAX = 75 }; /* RFC 5322 allows 998; RFC 2047 allows 75 */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return true;
    return false;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 126)
            return false;
    return true;
}

/* One address and nothing that begins another, a name or a comment. */
static bool is_address(struct str s)
{
    struct str local, domain = str_split(s, '@', &local);

    if (local.n == 0 || domain.n == 0 || domain.p == NULL || s.n > 254)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || strchr(",;:<>()[]\\\"", s.p[i]) != NULL)
            return false;
    return memchr(domain.p, '@', domain.n) == NULL;
}

static bool is_message_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_plain(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= 100;
}

static size_t character_at(struct str s, size_t i)
{
    size_t n = 1;

    while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* RFC 2047, Q: words of whole characters, each on a line of its own. */
static void put_encoded(struct buf *b, struct str s)
{
    static const char open[] = "=?UTF-8?Q?";
    size_t room = 0;

    for (size_t i = 0, n; i < s.n; i += n) {
        n = character_at(s, i);
        if (room < n * 3) {
            buf_printf(b, "%s%s", i > 0 ? "?=\r\n " : "", open);
            room = WORD_MAX - sizeof(open) - 2;
        }
        for (size_t j = i; j < i + n; j++)
            if (is_plain(s.p[j]))
                buf_char(b, s.p[j]);
            else
                buf_printf(b, "=%02X", (unsigned char)s.p[j]);
        room -= n * 3;
    }
    buf_add(b, STR("?="));
}

static void put_subject(struct buf *b, struct str s)
{
    /* What looks like an encoded word is decoded by readers, wherever it stands. */
    bool plain = s.n == 0 || memmem(s.p, s.n, "=?", 2) == NULL;

    buf_add(b, STR("Subject: "));
    if (is_ascii(s) && s.n <= LINE_MAX_BYTES && plain)
        buf_add(b, s);
    else
        put_encoded(b, s);
    buf_add(b, STR("\r\n"));
}

/* How much of the line fits: to its last space, or at least to the end of a character. */
static size_t fitting(struct str line)
{
    size_t n = LINE_MAX_BYTES;

    if (line.n <= n)
        return line.n;
    while (n > LINE_MAX_BYTES / 2 && line.p[n - 1] != ' ')
        n--;
    if (n > LINE_MAX_BYTES / 2)
        return n;
    for (n = LINE_MAX_BYTES; ((unsigned char)line.p[n] & 0xc0) == 0x80; n--)
        ;
    return n;
}

/* Without CR and NUL: line ends are ours, and relays that take a lone CR for one could be told a second mail in the first. */
static struct str cleaned(struct arena *a, struct str text)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' && text.p[i] != 0)
            buf_char(&b, text.p[i]);
    return buf_str(&b);
}

static void put_text(struct buf *b, struct str text)
{
    struct str line, rest = cleaned(b->arena, text);

    while (rest.p != NULL) {
        rest = str_split(rest, '\n', &line);
        if (line.n == 0 && rest.p == NULL)
            break; /* the end of the last line */
        do {
            size_t n = fitting(line);
            buf_add(b, str_cut(line, 0, n));
            buf_add(b, STR("\r\n"));
            line = str_cut(line, n, line.n);
        } while (line.n > 0);
    }
}

static struct str domain_of(struct str from)
{
    const char *at = memrchr(from.p, '@', from.n);
    struct str domain = str_cut(from, (size_t)(at + 1 - from.p), from.n);

    while (domain.n > 0 && !is_plain(domain.p[domain.n - 1]))
        domain.n--;
    return domain;
}

enum err mail_format(struct arena *a, struct str from, struct when date, const struct mail *mail,
                     struct str *result)
{
    struct buf b = { .arena = a };
    char when[WHEN_TEXT_MAX];
    size_t n = when_print_http(when, date);

    if (has_control(from) || !is_ascii(from) || from.p == NULL ||
        memchr(from.p, '@', from.n) == NULL)
        return E_INVALID;
    if (!is_address(mail->to) || has_control(mail->subject) || !is_message_id(mail->id))
        return E_INVALID;
    must(n > 3); /* "… GMT", an obsolete zone in mails */
    buf_printf(&b, "Date: %.*s+0000\r\n", (int)n - 3, when);
    buf_printf(&b, "From: %.*s\r\nTo: %.*s\r\n", STR_FMT(from), STR_FMT(mail->to));
    put_subject(&b, mail->subject);
    buf_printf(&b, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(mail->id), STR_FMT(domain_of(from)));
    buf_add(&b, STR("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n"));
    put_text(&b, mail->text);
    *result = buf_str(&b);
    return E_OK;
}
