/* mail_folder.h -- mails as files, for development: <folder>/<id>.eml (core/mailer.h says the contract). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_MAIL_FOLDER_H
#define SYS_MAIL_FOLDER_H

#include "base/log.h"
#include "core/mailer.h"

/* Makes the folder if its parent exists; NULL, with a line in the log, when it cannot. A mail that is sent again (same id)
 * takes the place of its first copy. from: "Stagedoor <noreply@localhost>". */
struct mailer *mail_folder_open(struct str folder, struct str from, struct log *log);

#endif
