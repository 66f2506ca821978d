/* front_test.c -- what the front takes does not hang on the pieces that it comes in. (What it takes: strict_test.c.) */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"
#include "test/unit.h"

#include <sys/socket.h>
#include <unistd.h>

static enum err fault_of(struct str text, size_t piece)
{
    struct front f;
    char room[100];
    int ends[2];

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    front_open(&f, ends[0]);
    while (text.n > 0 && f.fault.code == E_OK) {
        struct str next = str_cut(text, 0, piece);
        REQUIRE(send(ends[1], next.p, next.n, MSG_NOSIGNAL) == (ssize_t)next.n);
        text = str_cut(text, next.n, text.n);
        while (front_recv(&f, ends[0], room, sizeof(room)) > 0) {
        }
    }
    enum err e = f.fault.code;
    front_close(&f, ends[0]);
    close(ends[0]);
    close(ends[1]);
    return e;
}

/* A trailer that came at once was taken at any length; in pieces it was not. A chunk's line of the greatest length was taken at
 * once, and refused when its LF came late. */
TEST(front_long_lines_of_chunks_are_the_same_in_pieces)
{
    static const struct {
        const char *before;
        size_t n;
        const char *after;
        enum err want;
    } rows[] = {
        { "1\r\nx\r\n0\r\nX:", 8192 - 2, "\r\n\r\n", E_OK },
        { "1\r\nx\r\n0\r\nX:", 8192 - 1, "\r\n\r\n", E_INVALID },
        { "1;", 1024 - 2, "\r\nx\r\n0\r\n\r\n", E_OK },
        { "1;", 1024 - 1, "\r\nx\r\n0\r\n\r\n", E_INVALID },
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b = { .arena = &a };
        buf_add(&b, STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
        buf_add(&b, str_of(rows[i].before));
        for (size_t k = 0; k < rows[i].n; k++)
            buf_char(&b, 'a');
        buf_add(&b, str_of(rows[i].after));
        CHECK_INT(fault_of(buf_str(&b), SIZE_MAX), rows[i].want);
        CHECK_INT(fault_of(buf_str(&b), 1), rows[i].want);
        CHECK_INT(fault_of(buf_str(&b), 1000), rows[i].want);
    }
    arena_done(&a);
}
