/* line.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

struct line_out line_open(const char *setting)
{
    struct line_out l = { .hall = hall_open("sqlite", setting) };
    struct str why = STR_NONE;

    if (!server_listen(l.hall->server, l.hall->arena, &why))
        FAIL("%.*s", STR_FMT(why));
    l.port = server_port(l.hall->server);
    REQUIRE(l.port > 0);
    return l;
}

int line_dial(struct line_out *l)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)l->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { 5, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

void line_say(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* it has heard enough */
        text = str_cut(text, (size_t)n, text.n);
    }
}

/* All until the other side closes, or `until` has come (NULL: never), or 5 s. */
struct str line_hear(struct line_out *l, int fd, const char *until)
{
    struct buf b = { .arena = l->hall->arena };
    ssize_t n;

    do {
        n = recv(fd, buf_room(&b, 4096), 4096, 0);
        b.n += n > 0 ? (size_t)n : 0;
        if (n < 0)
            FAIL("%s: %.*s", errno == EAGAIN ? "still open after 5 s" : strerror(errno),
                 STR_FMT(buf_str(&b)));
    } while (n > 0 && (until == NULL || strstr(buf_str(&b).p, until) == NULL));
    return buf_str(&b);
}

struct str line_ask(struct line_out *l, struct str text)
{
    int fd = line_dial(l);

    line_say(fd, text);
    struct str reply = line_hear(l, fd, NULL);
    close(fd);
    return reply;
}

void line_close(struct line_out *l)
{
    hall_close(l->hall);
}

int reply_status(struct str reply)
{
    int64_t status = 0;

    str_int(str_cut(reply, 9, 3), &status);
    return (int)status;
}

int reply_count(struct str text, const char *word)
{
    int n = 0;

    for (const char *p = strstr(text.p, word); p != NULL; p = strstr(p + 1, word))
        n++;
    return n;
}
