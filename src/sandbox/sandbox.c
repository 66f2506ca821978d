/* sandbox.c -- the sandbox's tables: routes, jobs, settings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"
#include "sandbox/objects.h"
#include "sandbox/page.h"

#define API(m, p, f, doc)    extern const struct params f##_params;
#define API_ID(m, p, f, doc) extern const struct params f##_params;
#include "sandbox/endpoints.def"
#undef API
#undef API_ID

/* Stripe's own limits belong to a fault, not to a program that tests run against. */
#define NEVER_LIMITED                                                                              \
    {                                                                                              \
        .a_minute = 10000000, .burst = 1000000                                                     \
    }

/* A GET reads in its transaction; everything else has transactions of its own (api.h). */
#define ROUTE_(m, p, doc, shape)                                                                   \
    {                                                                                              \
        (m), (p), (m) == GET ? api_read : api_written, (doc),                                      \
            .params = (shape), .auth = SIGNED, .tx = (m) == GET ? READ : NONE, .wire = WIRE_RAW,   \
            .prepare = (m) == GET ? NULL : api_write, .rate = NEVER_LIMITED,                       \
            .body_max = 256 * 1024                                                                 \
    }

static const struct route routes[] = {
#define API(m, p, f, doc)    ROUTE_(m, p, doc, NULL),
#define API_ID(m, p, f, doc) ROUTE_(m, p, doc, &row_id_shape),
#include "sandbox/endpoints.def"
#undef API
#undef API_ID
};

static const struct endpoint endpoints[] = {
#define API(m, p, f, doc)    { f, &f##_params },
#define API_ID(m, p, f, doc) { f, &f##_params },
#include "sandbox/endpoints.def"
#undef API
#undef API_ID
};

const struct endpoint *sandbox_endpoint(const struct route *r)
{
    must(r >= routes && r < routes + COUNT(routes));
    return &endpoints[r - routes];
}

static const struct job_kind jobs[] = {
    { "sandbox.deliver", delivery_record, .in = &delivery_ref_shape, .tx = WRITE,
      .prepare = delivery_send, .lease_ms = 60000, .tries = 20, .at_once = 8 },
    { "sandbox.session_expire", session_expire_job, .in = &session_ref_shape, .tx = WRITE,
      .lease_ms = 30000, .tries = 100 },
};

static const struct setting settings[] = {
    { "sandbox.key", SETTING_SECRET, "sk_test_stagedoor", "The API key that clients must send", 0,
      0 },
    { "sandbox.merchant", SETTING_TEXT, "Stagedoor", "Who is paid, as the payment page says", 0,
      0 },
    { "sandbox.webhook_url", SETTING_URL, "", "Where all events are sent to; empty: nowhere", 0,
      0 },
    { "sandbox.webhook_secret", SETTING_SECRET, "whsec_stagedoor",
      "What they are signed with: the receiver's payment.stripe_webhook_secret", 0, 0 },
    { "sandbox.fault", SETTING_TEXT, "none",
      "For every POST: none, error, error_after, limit, \"slow MS\" or \"lost MS\"", 0, 0 },
};

/* Requests that were running when the program ended did not commit: their keys are free again. */
static enum err start(struct call *c)
{
    TRY(clock_restore(c));
    TRY(db_run(c, "DELETE FROM sandbox_key WHERE state = 'running'"));
    return endpoint_from_settings(c);
}

static const struct module sandbox_module = { "sandbox", MODULE_ROUTES(routes), MODULE_JOBS(jobs),
                                              MODULE_SETTINGS(settings), .start = start };

const struct module *const sandbox_modules[] = { &sandbox_module, &sandbox_pages_module };
const size_t sandbox_modules_n = COUNT(sandbox_modules);
