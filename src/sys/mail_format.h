/* mail_format.h -- a mail as RFC 5322 has it; for every driver that sends one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_MAIL_FORMAT_H
#define SYS_MAIL_FORMAT_H

#include "base/when.h"
#include "core/mailer.h"

/* from: "Stagedoor <noreply@example.org>". Lines end in CRLF. E_INVALID when from, to, subject or id could forge another
 * header, or to is not one plain address. */
enum err mail_format(struct arena *a, struct str from, struct when date, const struct mail *mail,
                     struct str *result);

#endif
