/* mailer.h -- sends one mail. Drivers: sys/mail_folder.c (development: a file a mail); later
 * SMTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAILER_H
#define CORE_MAILER_H

#include "core/err.h"

struct mailer;

struct mail {
    struct str to, subject, text; /* no CR or LF in to and subject: refused with E_INVALID */
    /* Message-ID's left part: the same for each try, so that a relay can see a repeat */
    struct str id;
};

struct mailer {
    enum err (*send)(struct mailer *m, struct arena *a, const struct mail *mail);
    void (*close)(struct mailer *m);
};

#endif
