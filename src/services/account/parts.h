/* parts.h -- what the files of the account service share with each other, and nobody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_ACCOUNT_PARTS_H
#define SERVICES_ACCOUNT_PARTS_H

#include "services/account/account.h"

/* --- account.c -------------------------------------------------------------------------------------------------- */

/* A transaction of its own that stays when the call fails; for .prepare. run finds prepared in c->prepared, and has the
 * client's address but no account. */
enum err account_aside(struct call *c, handler *run, void *prepared);
/* E_WEAK_PASSWORD with field password. name: none when it is not known. */
enum err account_password_check(struct call *c, struct str password, struct str email,
                                struct str name);
/* As it is stored: quick where development says so. Slow: for .prepare. */
/* None: no memory for it. */
struct str account_hash(struct call *c, struct str password);
/* The owner has read a mail of ours. Nothing happens the second time. E_NOT_FOUND. */
enum err account_set_verified(struct call *c, struct id account);

/* --- session.c -------------------------------------------------------------------------------------------------- */

enum session_kind { SESSION_COOKIE, SESSION_BEARER };

struct session_made {
    struct id id;
    enum session_kind kind;
    struct str token; /* bearer only */
    struct when created, expires;
};

/* A session for account, with its cookie in the reply or its token in result. E_NOT_FOUND. */
enum err session_start(struct call *c, struct id account, enum session_kind kind,
                       struct session_made *result);
/* Ends all of them but one (none: really all). */
enum err session_end_others(struct call *c, struct id account, struct id but);
/* Forgets failed logins: after a password reset the owner is let in at once. */
enum err session_forgive(struct call *c, struct str email);

/* --- recovery.c ------------------------------------------------------------------------------------------------- */

enum mail_kind { MAIL_VERIFY, MAIL_RESET, MAIL_PASSWORD_CHANGED };

/* Makes a token of this kind, valid from now on instead of an older one, and mails it. Nothing happens when one was
 * mailed less than a minute ago. */
enum err account_mail_token(struct call *c, struct id account, enum mail_kind kind);

#endif
