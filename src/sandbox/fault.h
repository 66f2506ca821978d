/* fault.h -- what goes wrong on purpose.
 *
 * A fault is asked for by the header "Sandbox-Fault: lost 3000", for the next requests by POST /v1/test_helpers/faults,
 * or for all of them by the setting sandbox.fault. It concerns POST and DELETE only.
 *
 *   error         500, nothing was done, nothing is remembered
 *   error_after   done and committed, but the answer, and every later one under this key, is a 500
 *   limit         429, nothing was done
 *   slow MS       waits before the work, while the idempotency key is taken
 *   lost MS       done and committed, but the answer waits: the client's patience decides */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include "core/call.h"

enum fault_kind { FAULT_NONE, FAULT_ERROR, FAULT_ERROR_AFTER, FAULT_LIMIT, FAULT_SLOW, FAULT_LOST };

struct fault {
    enum fault_kind kind;
    int64_t ms;
};

/* The fault for this request: header (or none), else a stored one, which is used up by it, else the setting. */
enum err fault_of(struct call *c, struct str header, struct fault *result);
/* Ends the request when the fault says so. */
enum err fault_before(struct call *c, const struct fault *f);
void fault_hold(int64_t ms);
bool fault_parse(struct str text, struct fault *result);

#endif
