/* password.h -- which passwords are refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_ACCOUNT_PASSWORD_H
#define SERVICES_ACCOUNT_PASSWORD_H

#include "base/str.h"

enum { PASSWORD_MIN = 8, PASSWORD_BYTES_MAX = 1024 };

/* Lines of words, a space between, sorted; ends with NULL. */
extern const char *const common_passwords[];

/* NULL when the password may be used; otherwise a sentence that says why not. words: those that an attacker would try
 * for this person: the site's name, the address, the name. Ignores those shorter than four characters. */
const char *password_refused(struct str password, const struct str *words, size_t n);

#endif
