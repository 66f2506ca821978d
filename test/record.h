/* record.h -- server_call, written down: each exchange becomes a line of JSON, which test/contract holds against the printed
 * OpenAPI document. Nothing is written unless STAGEDOOR_RECORD names a folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_RECORD_H
#define TEST_RECORD_H

#include "server/server.h"

void record_call(struct server *s, struct arena *a, struct http_call *h);

#endif
