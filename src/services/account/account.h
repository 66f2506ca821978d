/* account.h -- people: sign-up, login, sessions, e-mail verification, password reset, roles. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_ACCOUNT_H
#define SERVICES_ACCOUNT_H

#include "core/module.h"

/* What anyone may see of an account. */
struct account_card {
    struct id id;
    struct str name;
};
extern const struct shape account_card_shape;

/* n cards in the order of ids, with one query; the name is "Somebody" where the account is gone. */
enum err account_cards(struct call *c, const struct id *ids, size_t n, struct account_card *result);

enum { ACCOUNT_NAME_MAX = 60 };
/* A name that people see, without spaces at its ends: one line, something visible, no marks that turn the reading
 * direction. E_INVALID blames field. */
enum err account_name(struct call *c, const char *field, struct str text, struct str *result);

/* For mails and payment providers; never sent to other accounts. */
struct account_contact {
    struct str email, name;
};
/* E_NOT_FOUND. */
enum err account_contact(struct call *c, struct id account, struct account_contact *result);

/* The account has a page from now on; for the creator service. E_NOT_FOUND. */
enum err account_set_creator(struct call *c, struct id account);
/* For the admin service. E_NOT_FOUND. */
enum err account_set_role(struct call *c, struct id account, enum role role);

/* env->authenticate: the session of a token that a client sent. Reads only; may queue a note of when the session was last
 * seen. E_SIGNED_OUT for a token that is unknown, ended or too old. */
enum err account_authenticate(struct call *c, struct str token, struct actor *result);

/* One service in three files: people, their sessions, and mails that prove who they are. */
extern const struct module account_module, session_module, recovery_module;

#endif
