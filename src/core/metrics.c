/* metrics.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"
#include "base/check.h"

#include <inttypes.h>
#include <stdlib.h>

/* OpenTelemetry's advised edges, and 0.9 because a target stands there. In microseconds. */
static const int64_t edges_us[] = { 5000,    10000,   25000,   50000,   75000,
                                    100000,  250000,  500000,  750000,  900000,
                                    1000000, 2500000, 5000000, 7500000, 10000000 };
static const char *const edges[] = { "0.005", "0.01", "0.025", "0.05", "0.075", "0.1",
                                     "0.25",  "0.5",  "0.75",  "0.9",  "1",     "2.5",
                                     "5",     "7.5",  "10",    "+Inf" };

enum { EDGES = COUNT(edges), SERIES = 24 };
_Static_assert(COUNT(edges_us) + 1 == EDGES, "the last edge is +Inf");

/* One histogram. Status, then method are each set once and for ever, by whoever comes first: all requests of the same
 * method and status walk the same way and so find the same one. */
struct series {
    const char *method; /* atomic; NULL: free */
    int status;         /* atomic; 0: free */
    uint64_t counts[EDGES], sum_us;
};

struct metrics {
    int64_t values[METRIC_COUNT];
    const char *const *templates;
    size_t n;
    struct series (*routes)[SERIES]; /* n + 1; the last is "other" */
};

static const struct {
    const char *name;
    bool gauge;
    const char *doc;
} table[] = {
#define METRIC_(id, wire, gauge, doc) { wire, gauge, doc },
    METRICS(METRIC_)
#undef METRIC_
};

struct metrics *metrics_open(const char *const *templates, size_t n)
{
    struct metrics *m = calloc(1, sizeof(*m));

    must(m != NULL);
    m->templates = templates;
    m->n = n;
    m->routes = calloc(n + 1, sizeof(*m->routes));
    must(m->routes != NULL);
    return m;
}

void metrics_close(struct metrics *m)
{
    if (m != NULL)
        free(m->routes);
    free(m);
}

void metrics_add(struct metrics *m, enum metric which, int64_t n)
{
    if (m != NULL)
        __atomic_add_fetch(&m->values[which], n, __ATOMIC_RELAXED);
}

int64_t metrics_get(const struct metrics *m, enum metric which)
{
    return m == NULL ? 0 : __atomic_load_n(&m->values[which], __ATOMIC_RELAXED);
}

static struct series *series_of(struct series *all, const char *method, int status)
{
    for (size_t i = 0; i < SERIES; i++) {
        int had = 0;
        if (!__atomic_compare_exchange_n(&all[i].status, &had, status, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE) &&
            had != status)
            continue;
        const char *owner = NULL;
        if (__atomic_compare_exchange_n(&all[i].method, &owner, method, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            owner == method)
            return &all[i];
    }
    return NULL;
}

void metrics_request(struct metrics *m, size_t template_number, const char *method, int status,
                     int64_t took_us)
{
    size_t i = 0;

    if (m == NULL)
        return;
    struct series *s =
        series_of(m->routes[template_number < m->n ? template_number : m->n], method, status);
    if (s == NULL)
        return; /* a route has not so many statuses; counting must not fail because of a bug */
    while (i < COUNT(edges_us) && took_us > edges_us[i])
        i++;
    __atomic_add_fetch(&s->counts[i], 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&s->sum_us, (uint64_t)took_us, __ATOMIC_RELAXED);
}

static void print_series(struct buf *b, const char *template, const struct series *s)
{
    const char *name = "http_server_request_duration_seconds";
    const char *method = __atomic_load_n(&s->method, __ATOMIC_ACQUIRE);
    uint64_t sum_us = __atomic_load_n(&s->sum_us, __ATOMIC_RELAXED), sum = 0;
    char labels[256];

    if (method == NULL)
        return;
    snprintf(labels, sizeof(labels),
             "http_request_method=\"%s\",http_response_status_code=\"%d\",http_route=\"%s\"",
             method, __atomic_load_n(&s->status, __ATOMIC_RELAXED), template);
    for (size_t i = 0; i < EDGES; i++) {
        sum += __atomic_load_n(&s->counts[i], __ATOMIC_RELAXED);
        buf_printf(b, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", name, labels, edges[i], sum);
    }
    buf_printf(b, "%s_sum{%s} %" PRIu64 ".%06" PRIu64 "\n", name, labels, sum_us / 1000000,
               sum_us % 1000000);
    buf_printf(b, "%s_count{%s} %" PRIu64 "\n", name, labels, sum);
}

void metrics_line(struct buf *b, const char *name, bool gauge, const char *doc, int64_t value)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, doc, name,
               gauge ? "gauge" : "counter", name, value);
}

void metrics_print(const struct metrics *m, struct buf *b)
{
    if (m == NULL)
        return;
    buf_add(b, STR("# HELP http_server_request_duration_seconds Time from the request's head to "
                   "its answer\n# TYPE http_server_request_duration_seconds histogram\n"));
    for (size_t r = 0; r <= m->n; r++)
        for (size_t i = 0; i < SERIES; i++)
            print_series(b, r < m->n ? m->templates[r] : "other", &m->routes[r][i]);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics_line(b, table[i].name, table[i].gauge, table[i].doc,
                     __atomic_load_n(&m->values[i], __ATOMIC_RELAXED));
}
