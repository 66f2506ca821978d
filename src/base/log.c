/* log.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/check.h"
#include "base/json.h"
#include "base/when.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The reserve: address space, touched only when there is no memory for a line. */
enum { RING_BYTES = 1 << 20, RESERVE_BYTES = 4 << 20, TEXT_MAX = 8192 };

struct log {
    int fd;
    enum log_level least;
    pthread_mutex_t lock;
    pthread_cond_t some;
    pthread_t writer;
    bool closing;
    uint64_t dropped;
    struct reserve *reserve;
    size_t n[2]; /* bytes waiting in each half */
    int filling; /* the half that takes new lines; the other is being written */
    char half[2][RING_BYTES / 2];
};

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* nowhere left to complain */
        p += done;
        n -= (size_t)done;
    }
}

static void *writer(void *arg)
{
    struct log *l = arg;

    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (l->n[l->filling] == 0 && !l->closing)
            pthread_cond_wait(&l->some, &l->lock);
        if (l->n[l->filling] == 0)
            break;
        int full = l->filling;
        l->filling = 1 - full;
        pthread_mutex_unlock(&l->lock);
        write_all(l->fd, l->half[full], l->n[full]);
        pthread_mutex_lock(&l->lock);
        l->n[full] = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct log *log_open(int fd, enum log_level least)
{
    struct log *l = calloc(1, sizeof(*l));

    must(l != NULL);
    l->reserve = reserve_open(RESERVE_BYTES);
    must(l->reserve != NULL);
    l->fd = fd;
    l->least = least;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->some, NULL);
    must(pthread_create(&l->writer, NULL, writer, l) == 0);
    return l;
}

void log_close(struct log *l)
{
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_signal(&l->some);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->writer, NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->some);
    reserve_close(l->reserve);
    free(l);
}

uint64_t log_dropped(const struct log *l)
{
    return __atomic_load_n(&l->dropped, __ATOMIC_RELAXED);
}

/* Paths and names of agents are bytes from outside; a line must be JSON whatever they are. */
static struct str readable(struct arena *a, struct str s)
{
    struct buf b = { .arena = a };

    if (str_is_utf8(s))
        return s;
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x80 && s.p[i] != 0)
            buf_char(&b, s.p[i]);
        else
            buf_add(&b, STR("\xef\xbf\xbd"));
    }
    return buf_str(&b);
}

static struct str line_make(struct arena *a, enum log_level level, const char *event,
                            const struct log_member *members, size_t n)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    struct buf b = { .arena = a };
    struct json_out o = { .buf = &b };
    char now[WHEN_TEXT_MAX];
    size_t length = when_print(now, when_real_now());

    json_open(&o, '{');
    json_str(&o, "time", (struct str) { now, length });
    json_str(&o, "level", str_of(levels[level]));
    json_str(&o, "event", str_of(event));
    for (size_t i = 0; i < n; i++) {
        if (members[i].is_text)
            json_str(&o, members[i].name, readable(a, str_cut(members[i].text, 0, TEXT_MAX)));
        else
            json_int(&o, members[i].name, members[i].number);
    }
    json_close(&o, '}');
    buf_char(&b, '\n');
    return buf_str(&b);
}

void log_line(struct log *l, enum log_level level, const char *event,
              const struct log_member *members, size_t n)
{
    if (l == NULL || level < l->least)
        return;
    struct arena a = { .reserve = l->reserve };
    struct str line = line_make(&a, level, event, members, n);
    pthread_mutex_lock(&l->lock);
    int half = l->filling;
    if (line.n > sizeof(l->half[0]) - l->n[half]) {
        __atomic_add_fetch(&l->dropped, 1, __ATOMIC_RELAXED);
    } else {
        memcpy(l->half[half] + l->n[half], line.p, line.n);
        l->n[half] += line.n;
        pthread_cond_signal(&l->some);
    }
    pthread_mutex_unlock(&l->lock);
    arena_done(&a);
}
