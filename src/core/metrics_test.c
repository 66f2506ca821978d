/* metrics_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"
#include "test/unit.h"

#include <string.h>

TEST(metrics_print_cumulative_buckets)
{
    static const char *const templates[] = { "/v1/feed" };
    struct metrics *m = metrics_open(templates, 1);
    struct arena a = { 0 };
    struct buf b = { .arena = &a };

    metrics_request(m, 0, "GET", 200, 4000);
    metrics_request(m, 0, "GET", 200, 5000);
    metrics_request(m, 0, "GET", 200, 800000);
    metrics_request(m, 0, "GET", 200, 60000000);
    metrics_request(m, 77, "POST", 404, 1);
    metrics_add(m, METRIC_CACHE_HITS, 3);
    metrics_print(m, &b);
    const char *text = buf_str(&b).p;
    CHECK(strstr(text, "200\",http_route=\"/v1/feed\",le=\"0.005\"} 2\n") != NULL);
    CHECK(strstr(text, "200\",http_route=\"/v1/feed\",le=\"0.75\"} 2\n") != NULL);
    CHECK(strstr(text, "200\",http_route=\"/v1/feed\",le=\"0.9\"} 3\n") != NULL);
    CHECK(strstr(text, "200\",http_route=\"/v1/feed\",le=\"+Inf\"} 4\n") != NULL);
    CHECK(strstr(text, "_sum{http_request_method=\"GET\",http_response_status_code=\"200\","
                       "http_route=\"/v1/feed\"} 60.809000\n") != NULL);
    CHECK(
        strstr(text, "http_response_status_code=\"404\",http_route=\"other\",le=\"0.005\"} 1\n") !=
        NULL);
    CHECK(strstr(text, "\nreply_cache_hits_total 3\n") != NULL);
    metrics_close(m);
    arena_done(&a);
}
