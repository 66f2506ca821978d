/* arrivals.c -- an open-loop load: requests are sent when they are due, whatever became of those before.
 *
 * Callers come by chance at a given rate (a Poisson process from a seed), as people do who do not know of each other; each
 * takes a connection that is idle, or a new one. When as many as are allowed are taken, he waits here, and the time that
 * he waits counts: what is measured begins when a request was due, not when it could be sent ("coordinated omission").
 *
 *   arrivals ADDRESS PORT PLAN RESULT SEED CONNECTIONS PATIENCE_MS PHASE...
 *
 *   PHASE    RATE:SECONDS, requests a second; or closed-N:SECONDS: N callers who ask again as soon as they are answered
 *   PLAN     "class NAME WEIGHT COUNT\n", then COUNT times "LENGTH\n" and the bytes of a request; the next class. In a request
 *            sixteen '#' become a number that no other request has: an Idempotency-Key, a new name.
 *   RESULT   a struct record for each request, in the order in which they ended
 *
 * On standard output: a JSON object of what the generator itself did. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CLASSES_MAX = 64, PHASES_MAX = 32, HEAD_BYTES = 8192, MARK = 16, EVENTS = 256 };
enum { NOT_ANSWERED = 0, BROKEN = 1 }; /* instead of a status: no answer in time; the connection ended */
enum { FLAG_RETRY_AFTER = 1, FLAG_PROBLEM = 2 };

struct record {
    uint32_t due_ms;             /* since the beginning */
    uint32_t took_us;            /* from due to the last byte */
    uint32_t late_us;            /* from due to sent */
    uint16_t status;
    uint8_t class, phase, flags, unused[3];
};

struct item {
    const char *p;
    size_t n, mark; /* mark: where the number goes, or n */
};

struct class {
    char name[32];
    double weight;
    struct item *items;
    size_t n;
};

struct phase {
    double rate; /* 0: closed */
    int closed;
    int64_t us;
};

struct caller {
    int64_t due_us;
    uint8_t class, phase;
    uint32_t item;
};

struct connection {
    struct connection *next; /* idle ones */
    int fd;                  /* -1: none */
    bool busy, closing;
    struct caller caller;
    int64_t sent_us;
    const char *out; /* what is still to be sent */
    size_t out_n;
    char *own; /* the request with its number in it */
    size_t own_size, head_n;
    int64_t body_left; /* -1: the head is not complete */
    uint16_t status;
    uint8_t flags;
    char head[HEAD_BYTES];
};

struct run {
    struct sockaddr_in to;
    int epoll;
    struct class classes[CLASSES_MAX];
    size_t classes_n;
    struct phase phases[PHASES_MAX];
    size_t phases_n, phase; /* phase: the present one; phases_n: over */
    int64_t began_us, phase_end_us, next_us, patience_us;
    uint64_t chance, number;
    struct connection *connections, *idle;
    size_t max, open, busy, opened;
    struct caller *line; /* those who wait for a connection: a ring */
    size_t line_size, line_first, line_n, line_most;
    struct record *records;
    size_t records_n, records_size;
};

static void die(const char *what)
{
    fprintf(stderr, "arrivals: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *grown(void *p, size_t bytes)
{
    p = realloc(p, bytes);
    if (p == NULL)
        die("memory");
    return p;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t chance(struct run *r)
{
    uint64_t z = r->chance += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double fraction(struct run *r)
{
    return ((double)(chance(r) >> 11) + 0.5) / 9007199254740992.0;
}

/* --- the plan --------------------------------------------------------------------------------------------------- */

static struct item take_item(const char **at, const char *end)
{
    char *rest;
    size_t n = strtoul(*at, &rest, 10);

    if (*rest != '\n' || n == 0 || n > (size_t)(end - rest - 1))
        die("the plan is not one");
    const char *p = rest + 1, *mark = memmem(p, n, "################", MARK);
    *at = p + n;
    return (struct item) { p, n, mark == NULL ? n : (size_t)(mark - p) };
}

static void take_class(struct run *r, const char **at, const char *end)
{
    struct class *c = &r->classes[r->classes_n++];
    int used = 0;

    if (r->classes_n > CLASSES_MAX ||
        sscanf(*at, "class %31s %lf %zu\n%n", c->name, &c->weight, &c->n, &used) != 3 || c->n == 0)
        die("the plan is not one");
    *at += used;
    c->items = grown(NULL, c->n * sizeof(*c->items));
    for (size_t i = 0; i < c->n; i++)
        c->items[i] = take_item(at, end);
}

static void take_plan(struct run *r, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;

    if (fd < 0 || fstat(fd, &s) != 0)
        die(path);
    char *text = grown(NULL, (size_t)s.st_size + 1);
    for (off_t n = 0; n < s.st_size;) {
        ssize_t got = read(fd, text + n, (size_t)(s.st_size - n));
        if (got <= 0)
            die(path);
        n += got;
    }
    close(fd);
    text[s.st_size] = 0;
    for (const char *at = text; *at != 0;)
        take_class(r, &at, text + s.st_size);
}

static void take_phase(struct run *r, const char *text)
{
    struct phase *p = &r->phases[r->phases_n++];
    double seconds;
    bool closed = sscanf(text, "closed-%d:%lf", &p->closed, &seconds) == 2;

    if (r->phases_n > PHASES_MAX || (!closed && sscanf(text, "%lf:%lf", &p->rate, &seconds) != 2) ||
        (closed ? p->closed < 1 || (size_t)p->closed > r->max : p->rate <= 0))
        die("a phase is RATE:SECONDS or closed-N:SECONDS");
    p->us = (int64_t)(seconds * 1e6);
}

static struct caller choose(struct run *r, int64_t due_us)
{
    double all = 0, at;
    size_t c = 0;

    for (size_t i = 0; i < r->classes_n; i++)
        all += r->classes[i].weight;
    at = fraction(r) * all;
    while (c + 1 < r->classes_n && at >= r->classes[c].weight)
        at -= r->classes[c++].weight;
    return (struct caller) { due_us, (uint8_t)c, (uint8_t)r->phase,
                             (uint32_t)(chance(r) % r->classes[c].n) };
}

/* --- what came of it -------------------------------------------------------------------------------------------- */

static void note(struct run *r, const struct caller *c, int64_t sent_us, int64_t end_us,
                 uint16_t status, uint8_t flags)
{
    if (r->records_n == r->records_size) {
        r->records_size = r->records_size * 2 + 65536;
        r->records = grown(r->records, r->records_size * sizeof(*r->records));
    }
    r->records[r->records_n++] =
        (struct record) { .due_ms = (uint32_t)((c->due_us - r->began_us) / 1000),
                          .took_us = (uint32_t)(end_us - c->due_us),
                          .late_us = (uint32_t)(sent_us - c->due_us),
                          .status = status,
                          .class = c->class,
                          .phase = c->phase,
                          .flags = flags };
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void watch(struct run *r, struct connection *c, int how, uint32_t what)
{
    struct epoll_event e = { .events = what, .data.ptr = c };

    if (epoll_ctl(r->epoll, how, c->fd, &e) != 0)
        die("epoll_ctl");
}

static bool dial(struct run *r, struct connection *c)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(c->fd, (const struct sockaddr *)&r->to, sizeof(r->to)) != 0 &&
        errno != EINPROGRESS) {
        close(c->fd);
        c->fd = -1;
        return false;
    }
    watch(r, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    r->open++;
    r->opened++;
    return true;
}

static void hang_up(struct run *r, struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    r->open--;
}

static void make_idle(struct run *r, struct connection *c)
{
    c->busy = false;
    c->next = r->idle;
    r->idle = c;
}

/* ... with this result, at this time; then it may serve another. */
static void end(struct run *r, struct connection *c, uint16_t status, int64_t at_us)
{
    note(r, &c->caller, c->sent_us, at_us, status, c->flags);
    r->busy--;
    if (c->closing || status <= BROKEN)
        hang_up(r, c);
    make_idle(r, c);
}

static void push(struct run *r, struct connection *c)
{
    while (c->out_n > 0) {
        ssize_t n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN))
            return;
        if (n < 0) {
            end(r, c, BROKEN, now_us());
            return;
        }
        c->out += n;
        c->out_n -= (size_t)n;
    }
}

/* The bytes of the request, with its number if it wants one. */
static void compose(struct run *r, struct connection *c, const struct item *item)
{
    char number[MARK + 1];

    c->out = item->p;
    c->out_n = item->n;
    if (item->mark == item->n)
        return;
    if (c->own_size < item->n)
        c->own = grown(c->own, c->own_size = item->n);
    memcpy(c->own, item->p, item->n);
    snprintf(number, sizeof(number), "%016llx", (unsigned long long)++r->number);
    memcpy(c->own + item->mark, number, MARK);
    c->out = c->own;
}

static struct connection *free_connection(struct run *r)
{
    struct connection *c = r->idle;

    if (c != NULL)
        r->idle = c->next;
    return c;
}

static void call(struct run *r, struct connection *c, struct caller caller)
{
    c->caller = caller;
    c->busy = true;
    c->closing = false;
    c->head_n = 0;
    c->body_left = -1;
    c->flags = 0;
    c->sent_us = now_us();
    r->busy++;
    if (c->fd < 0 && !dial(r, c)) {
        note(r, &caller, c->sent_us, c->sent_us, BROKEN, 0);
        r->busy--;
        make_idle(r, c);
        return;
    }
    compose(r, c, &r->classes[caller.class].items[caller.item]);
    push(r, c);
}

static void line_add(struct run *r, struct caller caller)
{
    if (r->line_n == r->line_size) {
        size_t old = r->line_size;
        r->line_size = old * 2 + 1024;
        r->line = grown(r->line, r->line_size * sizeof(*r->line));
        memcpy(r->line + old, r->line, r->line_first * sizeof(*r->line)); /* unroll the ring */
    }
    r->line[(r->line_first + r->line_n++) % r->line_size] = caller;
    if (r->line_n > r->line_most)
        r->line_most = r->line_n;
}

static void arrive(struct run *r, struct caller caller)
{
    struct connection *c = r->line_n > 0 ? NULL : free_connection(r);

    if (c == NULL)
        line_add(r, caller);
    else
        call(r, c, caller);
}

static void serve_line(struct run *r)
{
    struct connection *c;

    while (r->line_n > 0 && (c = free_connection(r)) != NULL) {
        struct caller caller = r->line[r->line_first];
        r->line_first = (r->line_first + 1) % r->line_size;
        r->line_n--;
        call(r, c, caller);
    }
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static const char *header(const struct connection *c, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = strstr(c->head, "\r\n"); p != NULL && p[2] != '\r';
         p = strstr(p + 2, "\r\n"))
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':')
            return p + 2 + n + 1 + strspn(p + 2 + n + 1, " ");
    return NULL;
}

/* The head is complete. False: this is no answer that we understand. */
static bool take_head(struct connection *c)
{
    int status = 0;
    const char *length = header(c, "Content-Length"), *type = header(c, "Content-Type"),
               *connection = header(c, "Connection");

    if (sscanf(c->head, "HTTP/1.%*d %d", &status) != 1)
        return false;
    c->status = (uint16_t)status;
    c->closing = connection != NULL && strncasecmp(connection, "close", 5) == 0;
    if (header(c, "Retry-After") != NULL)
        c->flags |= FLAG_RETRY_AFTER;
    if (type != NULL && strncasecmp(type, "application/problem+json", 24) == 0)
        c->flags |= FLAG_PROBLEM;
    c->body_left = status == 304 || status == 204 ? 0 : length == NULL ? -1 : atoll(length);
    return c->body_left >= 0;
}

/* Some bytes of an answer. False: the connection is of no more use. */
static bool take_bytes(struct connection *c, const char *p, size_t n)
{
    if (c->body_left < 0) {
        size_t room = HEAD_BYTES - 1 - c->head_n, part = n < room ? n : room;
        memcpy(c->head + c->head_n, p, part);
        size_t before = c->head_n > 3 ? c->head_n - 3 : 0;
        c->head_n += part;
        c->head[c->head_n] = 0;
        const char *body = memmem(c->head + before, c->head_n - before, "\r\n\r\n", 4);
        if (body == NULL)
            return part == n;
        size_t head_n = (size_t)(body + 4 - c->head), old = c->head_n - part;
        c->head[head_n] = 0;
        if (!take_head(c))
            return false;
        n -= head_n - old;
    }
    c->body_left -= (int64_t)n;
    return c->body_left >= 0;
}

static void pull(struct run *r, struct connection *c)
{
    char bytes[65536];
    ssize_t n;

    while (c->fd >= 0 && (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) != -1) {
        if (!c->busy) { /* an idle one ends */
            hang_up(r, c);
        } else if (n == 0 || !take_bytes(c, bytes, (size_t)n)) {
            end(r, c, BROKEN, now_us());
        } else if (c->body_left == 0) {
            end(r, c, c->status, now_us());
            return; /* one request at a time: nothing more can have come */
        }
    }
    if (c->fd >= 0 && errno != EAGAIN) {
        if (c->busy)
            end(r, c, BROKEN, now_us());
        else
            hang_up(r, c);
    }
}

/* --- the run ---------------------------------------------------------------------------------------------------- */

static void lose_patience(struct run *r, int64_t at_us)
{
    for (size_t i = 0; i < r->max; i++)
        if (r->connections[i].busy && at_us - r->connections[i].caller.due_us > r->patience_us)
            end(r, &r->connections[i], NOT_ANSWERED, at_us);
    while (r->line_n > 0 && at_us - r->line[r->line_first].due_us > r->patience_us) {
        note(r, &r->line[r->line_first], at_us, at_us, NOT_ANSWERED, 0);
        r->line_first = (r->line_first + 1) % r->line_size;
        r->line_n--;
    }
}

static void begin_phase(struct run *r, size_t i, int64_t at_us)
{
    r->phase = i;
    if (i == r->phases_n)
        return;
    r->phase_end_us = at_us + r->phases[i].us;
    r->next_us = at_us;
}

static void send_due_in_phase(struct run *r, int64_t at_us)
{
    const struct phase *p = &r->phases[r->phase];

    if (p->rate == 0) {
        while (at_us < r->phase_end_us && r->busy < (size_t)p->closed)
            arrive(r, choose(r, now_us()));
        return;
    }
    while (r->next_us <= at_us && r->next_us < r->phase_end_us) {
        arrive(r, choose(r, r->next_us));
        r->next_us += (int64_t)(-log(fraction(r)) * 1e6 / p->rate + 0.5);
    }
}

/* Those who are due by now; whoever was due in a phase that is over, too, however late we are. */
static void send_due(struct run *r, int64_t at_us)
{
    for (; r->phase < r->phases_n; begin_phase(r, r->phase + 1, r->phase_end_us)) {
        send_due_in_phase(r, at_us);
        if (at_us < r->phase_end_us)
            return;
    }
}

static void wait_for_news(struct run *r)
{
    struct epoll_event events[EVENTS];
    int64_t now = now_us(), until = now + 20000;
    bool open = r->phase < r->phases_n;

    if (open && r->phases[r->phase].rate > 0 && r->next_us < until)
        until = r->next_us;
    if (open && r->phase_end_us < until)
        until = r->phase_end_us;
    struct timespec t = { 0, until > now ? (until - now) * 1000 : 0 };
    int n = epoll_pwait2(r->epoll, events, EVENTS, &t, NULL);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->busy && c->out_n > 0)
            push(r, c);
        if (c->fd >= 0)
            pull(r, c);
    }
}

static void run(struct run *r)
{
    int64_t looked_us = 0;

    r->began_us = now_us();
    begin_phase(r, 0, r->began_us);
    while (r->phase < r->phases_n || r->busy > 0 || r->line_n > 0) {
        wait_for_news(r);
        int64_t at_us = now_us();
        serve_line(r);
        send_due(r, at_us);
        if (at_us - looked_us > 50000) {
            lose_patience(r, at_us);
            looked_us = at_us;
        }
    }
}

static void tell(const struct run *r, const char *path)
{
    FILE *f = fopen(path, "we");
    struct timespec cpu;

    if (f == NULL || fwrite(r->records, sizeof(*r->records), r->records_n, f) != r->records_n ||
        fclose(f) != 0)
        die(path);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{\"requests\":%zu,\"connections\":%zu,\"line\":%zu,\"seconds\":%.3f,\"processor\":%.3f,"
           "\"classes\":[",
           r->records_n, r->opened, r->line_most, (double)(now_us() - r->began_us) / 1e6,
           (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    for (size_t i = 0; i < r->classes_n; i++)
        printf("%s\"%s\"", i == 0 ? "" : ",", r->classes[i].name);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    static struct run r;

    if (argc < 9) {
        fprintf(stderr, "arrivals ADDRESS PORT PLAN RESULT SEED CONNECTIONS PATIENCE_MS PHASE...\n");
        return 2;
    }
    r.to = (struct sockaddr_in) { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[2])) };
    if (inet_pton(AF_INET, argv[1], &r.to.sin_addr) != 1)
        die(argv[1]);
    r.chance = strtoull(argv[5], NULL, 10);
    r.number = (uint64_t)time(NULL) << 28; /* keys of a run before are not used again */
    r.max = strtoul(argv[6], NULL, 10);
    r.patience_us = atoll(argv[7]) * 1000;
    take_plan(&r, argv[3]);
    for (int i = 8; i < argc; i++)
        take_phase(&r, argv[i]);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.connections = grown(NULL, r.max * sizeof(*r.connections));
    for (size_t i = r.max; i-- > 0;) {
        r.connections[i] = (struct connection) { .fd = -1 };
        make_idle(&r, &r.connections[i]);
    }
    run(&r);
    tell(&r, argv[4]);
    return 0;
}
