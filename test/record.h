/* record.h -- what is asked and answered in the tests, kept for the check against the API's document (test/contract).
 *
 * With STAGEDOOR_RECORD=FOLDER in the environment every answer of a watched server becomes a line of a file there: the
 * stage's and the hall's, whether asked by a function call, over a socket, or by the sandbox that notifies. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_RECORD_H
#define TEST_RECORD_H

#include "server/server.h"

void record_watch(struct server *s);
/* What an event stream said, without its head. */
void record_stream(struct str text);

#endif
