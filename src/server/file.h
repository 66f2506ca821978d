/* file.h -- answers that are files: whole, or the one range that was asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_FILE_H
#define SERVER_FILE_H

#include "server/request.h"

/* r->call.reply.fd becomes the answer. */
void answer_file(struct request *r, int status);

enum range { RANGE_NONE, RANGE_PART, RANGE_BAD };
/* "bytes=0-99", "bytes=100-", "bytes=-100" of size bytes. Anything else, and several ranges, are RANGE_NONE: all is sent. */
enum range range_of(struct str text, int64_t size, int64_t *from, int64_t *length);

#endif
