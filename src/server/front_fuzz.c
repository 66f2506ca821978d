/* front_fuzz.c -- what the front hands on does not hang on how the bytes came, and is beyond doubt: handed on again it is the same.
 *
 * An input is a line, two numbers that say in which pieces the bytes come and into how much room they are taken; and the bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"
#include "test/fuzz.h"

#include <errno.h>
#include <string.h>
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

/* Nobody after us can read it in two ways: lines end in CR LF alone, a head has one Host and one framing. */
static void check_heads(struct str text)
{
    struct str head;
    const char *end = text.n < 4 ? NULL : memmem(text.p, text.n, "\r\n\r\n", 4);

    if (end == NULL)
        return;
    head = (struct str) { text.p, (size_t)(end - text.p) };
    for (size_t i = 0; i < head.n; i++) {
        HOLDS(head.p[i] != 0);
        HOLDS((head.p[i] == '\r') == (i + 1 < head.n && head.p[i + 1] == '\n'));
    }
    /* Names are told apart by a fuller reader in request_fuzz.c; here, that no line is folded or nameless. */
    for (size_t i = 0; i + 2 < head.n; i++)
        if (head.p[i] == '\n')
            HOLDS(head.p[i + 1] != ' ' && head.p[i + 1] != '\t' && head.p[i + 1] != ':');
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
    check_heads(whole.text);
    if (whole.fault.code == E_OK && whole.requests > 0)
        fuzz_taken();
    struct heard again = hear(a, fuzz_exact(a, whole.text), pieces, rooms);
    HOLDS(again.fault.code == E_OK);
    HOLDS(str_eq(again.text, whole.text) && again.requests == whole.requests);
}
