/* metrics.h -- what the program counts, for GET /metrics (Prometheus text).
 *
 * Counting is one relaxed atomic addition; nothing here takes a lock, allocates after metrics_open,
 * or fails. Labels are route templates, methods and statuses only: never an id, a path or a word
 * that a client chose. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include "base/str.h"

#define METRICS(X)                                                                                 \
    X(CONNECTIONS, "http_server_connections", true, "Open connections")                            \
    X(IN_FLIGHT, "http_server_active_requests", true, "Requests being answered")                   \
    X(STREAMS, "http_server_event_streams", true, "Open event streams")                            \
    X(STREAMS_DROPPED, "http_server_event_streams_dropped_total", false,                           \
      "Event streams closed because the reader was too slow")                                      \
    X(CUT, "http_server_slow_clients_total", false, "Requests cut because they came too slowly")   \
    X(MALFORMED, "http_server_malformed_total", false, "Requests refused as malformed HTTP")       \
    X(RATE_LIMITED, "ratelimit_rejected_total", false, "Requests over their rate")                 \
    X(AUTH_FAILURES, "auth_failures_total", false, "Requests with a token that is not valid")      \
    X(REPLAYS, "idempotency_replays_total", false, "Answers given again for a repeated key")       \
    X(CACHE_HITS, "reply_cache_hits_total", false, "Answers from the reply cache")                 \
    X(CACHE_MISSES, "reply_cache_misses_total", false, "Answers of cached routes made anew")       \
    X(CACHE_BYTES, "reply_cache_bytes", true, "Memory of kept answers and files")                  \
    X(DATABASE_ERRORS, "database_errors_total", false, "Calls that ended in a database error")

enum metric {
#define METRIC_(name, wire, gauge, doc) METRIC_##name,
    METRICS(METRIC_)
#undef METRIC_
        METRIC_COUNT,
};

struct metrics;

/* templates: the routes' paths, each once; what is counted under another number goes to "other".
 * They must live as long as the metrics. */
struct metrics *metrics_open(const char *const *templates, size_t n);
void metrics_close(struct metrics *m);
/* m may be NULL in all that follows. */
void metrics_add(struct metrics *m, enum metric which, int64_t n);
int64_t metrics_get(const struct metrics *m, enum metric which);
/* method: "GET" etc., a constant. */
void metrics_request(struct metrics *m, size_t template_number, const char *method, int status,
                     int64_t took_us);
void metrics_print(const struct metrics *m, struct buf *b);
/* A line of its own, for what others know: # HELP, # TYPE, value. */
void metrics_line(struct buf *b, const char *name, bool gauge, const char *doc, int64_t value);

#endif
