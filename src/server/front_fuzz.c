/* front_fuzz.c -- what the front hands on does not hang on how the bytes came, and is beyond doubt: handed on again it is the same.
 *
 * An input is a line, two numbers that say in which pieces the bytes come and into how much room they are taken; and the bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"
#include "test/fuzz.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct heard {
    struct str text;
    struct fault fault;
    uint64_t requests;
};

/* 1..most, and not always the same: from the digits of seed to the base of 7. */
static size_t next_size(uint64_t *seed, size_t most)
{
    size_t n = (size_t)(*seed % 7);

    *seed = *seed / 7 * 11 + 5;
    return n == 0 ? most : n == 1 ? most / 2 + 1 : n * n;
}

/* All that can be had now. */
static void take(struct front *f, int fd, uint64_t *seed, struct buf *to)
{
    for (;;) {
        size_t size = next_size(seed, 600);
        char *p = arena_alloc(to->arena, size);
        ssize_t n = front_recv(f, fd, p, size);
        HOLDS(n <= (ssize_t)size);
        if (n < 0)
            HOLDS(errno == EAGAIN || errno == EWOULDBLOCK);
        if (n <= 0)
            return;
        buf_add(to, (struct str) { p, (size_t)n });
    }
}

static struct heard hear(struct arena *a, struct str said, uint64_t pieces, uint64_t rooms)
{
    struct buf b = { .arena = a };
    struct front f;
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    front_open(&f, ends[0]);
    while (said.n > 0 && f.fault.code == E_OK) { /* nothing more is read after one */
        struct str piece = str_cut(said, 0, next_size(&pieces, 3000));
        must(send(ends[1], piece.p, piece.n, MSG_NOSIGNAL) == (ssize_t)piece.n);
        said = str_cut(said, piece.n, said.n);
        take(&f, ends[0], &rooms, &b);
    }
    struct heard h = { buf_str(&b), f.fault, (uint64_t)f.requests };
    front_close(&f, ends[0]);
    close(ends[0]);
    close(ends[1]);
    return h;
}

/* --- a reader of what was handed on, who knows the plain rules alone ------------------------------------------------ */

struct reader {
    char *text; /* all of it; what was hidden from the library is shown as it is read */
    struct str rest;
    uint64_t requests;
    bool good;
};

static bool is_word(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* Without its CR LF; none when it has not come yet. */
static struct str line(struct reader *r)
{
    const char *end = r->rest.n < 2 ? NULL : memmem(r->rest.p, r->rest.n, "\r\n", 2);

    if (end == NULL)
        return STR_NONE;
    struct str l = { r->rest.p, (size_t)(end - r->rest.p) };
    r->rest = str_cut(r->rest, l.n + 2, r->rest.n);
    r->good &= memchr(l.p, '\n', l.n) == NULL && memchr(l.p, '\r', l.n) == NULL &&
               memchr(l.p, 0, l.n) == NULL;
    return l;
}

static void show_field(const struct reader *r, struct str name)
{
    struct str shown = front_shown_name(name);

    if (shown.p != name.p)
        r->text[name.p - r->text + (ptrdiff_t)name.n - 1] = shown.p[name.n - 1];
}

static bool chunks(struct reader *r)
{
    for (;;) {
        struct str size = line(r);
        uint64_t n = 0;
        if (size.p == NULL)
            return false;
        r->good &= size.n > 0 && strspn(size.p, "0123456789abcdefABCDEF") == size.n;
        for (size_t i = 0; i < size.n; i++)
            n = n * 16 +
                (uint64_t)(size.p[i] <= '9' ? size.p[i] - '0' : (size.p[i] | 32) - 'a' + 10);
        if (r->rest.n < n + (n > 0 ? 2 : 0))
            return false;
        r->rest = str_cut(r->rest, (size_t)n, r->rest.n);
        struct str end = line(r);
        r->good &= end.n == 0;
        if (n == 0 || end.p == NULL)
            return end.p != NULL;
    }
}

/* A head, and its body as far as it came. False: there is no more. */
static bool message(struct reader *r)
{
    struct str first = line(r), l = first, name, last;
    uint64_t length = 0, hosts = 0, framings = 0;
    bool chunked = false;

    if (first.p != NULL)
        front_show_target(r->text + (first.p - r->text), first.n);
    for (l = line(r); l.n > 0; l = line(r)) {
        struct str value = str_trim(str_split(l, ':', &name));
        r->good &= value.p != NULL && name.n > 0 && str_eq(name, str_trim(name));
        show_field(r, name);
        hosts += is_word(name, "host");
        framings += is_word(name, "content-length") || is_word(name, "transfer-encoding");
        chunked |= is_word(name, "transfer-encoding");
        r->good &= !is_word(name, "transfer-encoding") || is_word(value, "chunked");
        for (size_t i = 0; is_word(name, "content-length") && i < value.n; i++)
            length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    if (l.p == NULL)
        return false;
    last = str_split(str_split(first, ' ', &name), ' ', &name);
    r->good &=
        framings <= 1 && hosts <= 1 && (hosts == 1 || str_is(last, "HTTP/1.0")) && first.n > 0;
    r->requests++;
    if (chunked)
        return chunks(r);
    bool whole = r->rest.n >= length;
    r->rest = str_cut(r->rest, (size_t)length, r->rest.n);
    return whole;
}

/* He finds as many requests, none that we did not see, and nothing that another would read in another way. What the client
 * would have sent for it. */
static struct str check_handed_on(struct arena *a, const struct heard *h)
{
    char *text = arena_alloc(a, h->text.n + 1);
    struct reader r = { text, { text, h->text.n }, .good = true };

    memcpy(text, h->text.n == 0 ? "" : h->text.p, h->text.n);

    while (message(&r)) {
    }
    HOLDS(r.good);
    HOLDS(r.requests == h->requests);
    return fuzz_exact(a, (struct str) { text, h->text.n });
}

/* Which fault is seen first, and whether it was known by then that HEAD was asked, hangs on the pieces. */
static struct str without_end(const struct heard *h)
{
    static const char *const ends[] = { "HEAD / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n",
                                        "GET / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n" };

    for (size_t i = 0; i < COUNT(ends); i++)
        if (h->fault.code != E_OK && str_ends(h->text, ends[i]))
            return str_cut(h->text, 0, h->text.n - strlen(ends[i]));
    return h->text;
}

FUZZ(front)
{
    struct str rest = in;
    uint64_t pieces = (uint64_t)fuzz_number(&rest, 0, INT64_MAX);
    uint64_t rooms = (uint64_t)fuzz_number(&rest, 0, INT64_MAX);
    /* A line that has not ended may be refused already or not yet. */
    struct buf b = { .arena = a };
    buf_add(&b, rest);
    buf_add(&b, STR("\r\n"));
    struct str said = buf_str(&b);
    struct heard whole = hear(a, said, 0, 0), split = hear(a, said, pieces, rooms);

    HOLDS(str_eq(without_end(&whole), without_end(&split)));
    HOLDS(whole.requests == split.requests);
    HOLDS((whole.fault.code == E_OK) == (split.fault.code == E_OK));
    HOLDS(whole.fault.code == E_OK || whole.requests > 0);
    struct str sent = check_handed_on(a, &whole);
    if (whole.fault.code == E_OK && whole.requests > 0)
        fuzz_taken();
    struct heard again = hear(a, sent, pieces, rooms);
    HOLDS(again.fault.code == E_OK);
    HOLDS(str_eq(again.text, whole.text) && again.requests == whole.requests);
}
