/* idempotency.h -- one answer for each key, in the transaction of the work itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_IDEMPOTENCY_H
#define CORE_IDEMPOTENCY_H

#include "core/call.h"

/* Inside a WRITE transaction: runs c->run unless this account used this key before. Then the old
 * answer stands in c->reply (c->replayed), or the job that it waited for in c->awaited; or
 * E_KEY_REUSED, E_KEY_IN_USE. Claim and work are one transaction, so that no crash can part
 * them. */
enum err idempotency_run(struct call *c);

#endif
