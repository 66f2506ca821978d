/* replies_test.c -- the rest of what the cache promises is asked through requests (request_test.c, test/rights_test.c). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/replies.h"
#include "base/when.h"
#include "test/unit.h"

#include <stdlib.h>

/* n answers to addresses of the same length. */
static void put(struct replies *c, const char *name, int n, int64_t now_us)
{
    for (int i = 0; i < n; i++) {
        char target[20];
        snprintf(target, sizeof(target), "/%s/%04d", name, i);
        struct reply_key key = { .target = str_of(target) };
        struct shared *s = shared_make(200, NULL, 0, STR("text"), true);
        REQUIRE(s != NULL);
        replies_put(c, &key, now_us, 0, NULL, 0, (struct when) { 0 }, s);
        shared_drop(s);
    }
}

TEST(replies_that_nobody_asks_for_go_after_their_minute)
{
    struct revisions *r = calloc(1, sizeof(*r));
    struct metrics *m = metrics_open(NULL, 0);
    struct replies *c = replies_open(r, m, (size_t)64 << 20, 7);

    put(c, "a", 200, SECOND);
    int64_t bytes = metrics_get(m, METRIC_CACHE_BYTES);
    CHECK(bytes > 0);
    put(c, "b", 200, 30 * SECOND);
    CHECK_INT(metrics_get(m, METRIC_CACHE_BYTES), 2 * bytes);
    put(c, "c", 400, HOUR);
    CHECK_INT(metrics_get(m, METRIC_CACHE_BYTES), 2 * bytes);
    replies_close(c);
    CHECK_INT(metrics_get(m, METRIC_CACHE_BYTES), 0);
    metrics_close(m);
    free(r);
}
