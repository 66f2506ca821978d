/* streams.c -- so many people with an open event stream each, in one process beside the server's.
 *
 *   streams PORT COUNT     person i's token is "ear" and i with five digits, filled up with x to 43 characters
 *
 * Prints "open" when all streams are. Then, each time all have got one more event of the kind bench.message, the monotonic
 * clock in microseconds when half of them had it, and when the last one had. Ends with its standard input. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, AT_ONCE = 64 };

struct stream {
    int fd;
    long got;                /* messages */
    size_t matched, greeted; /* how much of the mark, and of the greeting, was just read */
};

static const char mark[] = "event: bench.message\n", greeting[] = "retry: ";

static struct stream *streams;
static int loop;
static long count, open_n, begun, all_n, round_n = 1;
static long long half_us;

static void die(const char *what)
{
    fprintf(stderr, "streams: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void begin(struct stream *s, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };
    char text[200];

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        die("connect");
    int n = snprintf(text, sizeof(text),
                     "GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ear%05ld%s\r\n\r\n",
                     (long)(s - streams), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    if (send(s->fd, text, (size_t)n, MSG_NOSIGNAL) != n || epoll_ctl(loop, EPOLL_CTL_ADD, s->fd, &e) != 0)
        die("send");
    begun++;
}

/* No part of the marks begins again inside of them but their first letter. */
static int step(size_t *matched, const char *what, char c)
{
    *matched = c == what[*matched] ? *matched + 1 : c == what[0];
    if (what[*matched] != 0)
        return 0;
    *matched = 0;
    return 1;
}

static void message(struct stream *s)
{
    s->got++;
    if (s->got != round_n)
        return;
    all_n++;
    if (all_n == count / 2)
        half_us = now_us();
    if (all_n < count)
        return;
    printf("%lld %lld\n", half_us, now_us());
    fflush(stdout);
    round_n++;
    all_n = 0;
}

static void take(struct stream *s)
{
    char text[4096];
    ssize_t n = recv(s->fd, text, sizeof(text), MSG_DONTWAIT);

    if (n <= 0 && errno != EAGAIN)
        die("a stream ended");
    for (ssize_t i = 0; i < n; i++) {
        if (open_n < count && step(&s->greeted, greeting, text[i]) && ++open_n == count) {
            printf("open\n");
            fflush(stdout);
        }
        if (step(&s->matched, mark, text[i]))
            message(s);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct epoll_event events[EVENTS], in = { .events = EPOLLIN, .data.ptr = NULL };

    if (argc != 3)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    count = atol(argv[2]);
    streams = calloc((size_t)count, sizeof(*streams));
    loop = epoll_create1(0);
    epoll_ctl(loop, EPOLL_CTL_ADD, 0, &in);
    for (;;) {
        while (begun < count && begun - open_n < AT_ONCE)
            begin(&streams[begun], atoi(argv[1]));
        int n = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            char waste[64];
            if (events[i].data.ptr != NULL)
                take(events[i].data.ptr);
            else if (read(0, waste, sizeof(waste)) <= 0)
                return 0;
        }
    }
}
