/* params.h -- the check of a request's parameters; what handlers read stands in api.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_PARAMS_H
#define SANDBOX_PARAMS_H

#include "sandbox/api.h"

/* Takes expand[] out of in, checks the rest, and makes it what the in_… functions read. */
enum err params_check(struct call *c, const struct params *table, struct json *in);

#endif
