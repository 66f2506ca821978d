/* health.h -- is it alive, is it ready, and what has it counted? */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include "core/module.h"

enum err health_live(struct call *c);
enum err health_ready(struct call *c);
enum err health_metrics(struct call *c);

/* What /metrics says when its call failed with e: the program's own figures, without those that the database knows. Any
 * other call: e. */
enum err health_without_database(struct call *c, enum err e);

/* What is run for r: itself, but the write probe for /readyz (a GET may not write, its probe must). It has *limit_us. */
const struct route *health_runs(const struct route *r, int64_t *limit_us);

#endif
