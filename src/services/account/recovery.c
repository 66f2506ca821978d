/* recovery.c -- mails that prove who somebody is: confirming an address, choosing a new password.
 *
 * A token is a MAC, under the master key, of a number that stands in the database beside the token's SHA-256. So the mail
 * job can make it again at each try, and neither the jobs nor a copy of the database hold anything that opens a door.
 * Whether an address has an account is not told: asking for a reset only writes a job, the same for each address. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/account.h"
#include "services/account/parts.h"
#include "services/account/password.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"
#include "core/jobs.h"

#include <inttypes.h>

/* The first two are also the purposes of tokens. */
static const char *const mail_kinds[] = { "verify", "reset", "password_changed", NULL };

#define TOKEN_LIFE (HOUR)
#define MAIL_PAUSE (MINUTE) /* between two mails of one kind to one account */

enum { TOKEN_TEXT_MAX = 64 };

struct reset_request {
    struct str email;
};

static const struct field reset_request_fields[] = {
    EMAIL(reset_request, email, "Of the account", .sample = "ana@example.org"),
};
STATIC_SHAPE(reset_request);

struct token_confirm {
    struct str token;
};

static const struct field token_confirm_fields[] = {
    TEXT(token_confirm, token, "From the link in the mail", .min = 1, .max = TOKEN_TEXT_MAX,
         .secret = true),
};
STATIC_SHAPE(token_confirm);

struct reset_confirm {
    struct str token, password;
};

static const struct field reset_confirm_fields[] = {
    TEXT(reset_confirm, token, "From the link in the mail", .min = 1, .max = TOKEN_TEXT_MAX,
         .secret = true),
    TEXT(reset_confirm, password, "The new one; at least 8 characters, common ones are refused",
         .min = 1, .max = PASSWORD_BYTES_MAX, .secret = true),
};
STATIC_SHAPE(reset_confirm);

struct account_mail {
    struct id account;
    enum mail_kind kind;
};

static const struct field account_mail_fields[] = {
    ID(account_mail, account, ID_USER, "To whom"),
    ENUM(account_mail, kind, mail_kinds, "What it says"),
};
STATIC_SHAPE(account_mail);

/* What a mail is made of. Not the name: a stranger may have signed up with this address, and the name would be a text
 * of the stranger's that we deliver. */
struct mail_facts {
    struct str email;
    int64_t nonce; /* 0: no token that is still good */
};

static const struct field mail_facts_fields[] = {
    EMAIL(mail_facts, email, "To"),
    INTEGER(mail_facts, nonce, "Of the token", .optional = true),
};
STATIC_SHAPE(mail_facts);

/* Whose token it is. */
struct token_owner {
    struct id account;
    struct str email, name;
};

static const struct field token_owner_fields[] = {
    ID(token_owner, account, ID_USER, "Account"),
    EMAIL(token_owner, email, "Its address"),
    TEXT(token_owner, name, "Its name", .max = ACCOUNT_NAME_MAX),
};
STATIC_SHAPE(token_owner);

/* --- tokens ----------------------------------------------------------------------------------------------------- */

static struct str token_of(struct call *c, int64_t nonce)
{
    struct sha256 key = env_key(c->env, "account.mail_token");
    struct str text = str_printf(c->arena, "%" PRId64, nonce);
    struct sha256 mac = hmac_sha256((struct str) { (const char *)key.b, sizeof(key.b) }, text);

    return base64url_print(c->arena, mac.b, sizeof(mac.b));
}

static struct bytes bytes_of(const struct sha256 *hash)
{
    return (struct bytes) { hash->b, sizeof(hash->b) };
}

enum err account_mail_token(struct call *c, struct id account, enum mail_kind kind)
{
    struct account_mail mail = { account, kind };
    struct id nonce = new_id(c);
    struct sha256 hash = sha256_of(token_of(c, nonce.v));
    int64_t now = env_real_now(c->env).us, made = 0;

    enum err e = db_int(c, &made,
                        "INSERT INTO account_token (account, purpose, nonce, token, made, expires)"
                        " VALUES ($1, $2, $3, $4, $5, $6)"
                        " ON CONFLICT (account, purpose) DO UPDATE SET nonce = excluded.nonce,"
                        " token = excluded.token, made = excluded.made, expires = excluded.expires"
                        " WHERE account_token.made <= $7"
                        " RETURNING made",
                        account, NAMED(mail_kinds, kind), nonce, bytes_of(&hash), now,
                        now + TOKEN_LIFE, now - MAIL_PAUSE);
    if (e == E_NOT_FOUND)
        return E_OK; /* one is on its way */
    TRY(e);
    return job_add(c, "account.mail", JOB_NOW, &mail, NULL);
}

/* Takes the token: it works once. E_TOKEN_SPENT. */
static enum err token_take(struct call *c, struct str token, enum mail_kind kind,
                           struct id *account)
{
    struct sha256 hash = sha256_of(token);
    int64_t owner = 0;
    enum err e = db_int(c, &owner,
                        "DELETE FROM account_token"
                        " WHERE token = $1 AND purpose = $2 AND expires > $3"
                        " RETURNING account",
                        bytes_of(&hash), NAMED(mail_kinds, kind), env_real_now(c->env));

    if (e == E_NOT_FOUND)
        return fail_field(c, E_TOKEN_SPENT, "token", NULL);
    TRY(e);
    *account = (struct id) { owner };
    return E_OK;
}

/* --- confirming an address -------------------------------------------------------------------------------------- */

static enum err verification_send(struct call *c)
{
    return c->actor.verified ? E_OK : account_mail_token(c, c->who, MAIL_VERIFY);
}

static enum err verification_confirm(struct call *c)
{
    struct id account = ID_NONE;

    TRY(token_take(c, IN(c, token_confirm)->token, MAIL_VERIFY, &account));
    return account_set_verified(c, account);
}

/* --- choosing a new password ------------------------------------------------------------------------------------ */

static enum err reset_ask(struct call *c)
{
    return job_add(c, "account.reset", JOB_NOW, IN(c, reset_request), NULL);
}

static enum err reset_send(struct call *c)
{
    int64_t account = 0;
    enum err e =
        db_int(c, &account, "SELECT id FROM account WHERE email = $1", IN(c, reset_request)->email);

    if (e == E_NOT_FOUND)
        return E_OK;
    TRY(e);
    TRY(audit_add(c, "account.reset_requested", (struct id) { account }, STR_NONE));
    return account_mail_token(c, (struct id) { account }, MAIL_RESET);
}

struct new_password {
    struct str hash, email;
};

/* The token first: hashing is dear, and only for those who have one. */
static enum err reset_prepare(struct call *c)
{
    const struct reset_confirm *in = IN(c, reset_confirm);
    struct new_password *made = arena_new(c->arena, struct new_password);
    struct sha256 hash = sha256_of(in->token);
    struct token_owner owner = { 0 };

    enum err e = db_one(c, token_owner, &owner,
                        "SELECT a.id AS account, a.email, a.name"
                        " FROM account_token t JOIN account a ON a.id = t.account"
                        " WHERE t.token = $1 AND t.purpose = 'reset' AND t.expires > $2",
                        bytes_of(&hash), env_real_now(c->env));
    if (e == E_NOT_FOUND)
        return fail_field(c, E_TOKEN_SPENT, "token", NULL);
    TRY(e);
    TRY(account_password_check(c, in->password, owner.email, owner.name));
    *made = (struct new_password) { account_hash(c, in->password), owner.email };
    c->prepared = made;
    return made->hash.p == NULL ? E_NO_MEMORY : E_OK;
}

/* Whoever knew the old password is out; the owner, who proved to read its mail, may log in at once. */
static enum err reset_confirm(struct call *c)
{
    const struct new_password *made = c->prepared;
    struct account_mail notice = { .kind = MAIL_PASSWORD_CHANGED };

    TRY(token_take(c, IN(c, reset_confirm)->token, MAIL_RESET, &notice.account));
    TRY(db_hit(c, "UPDATE account SET password = $2 WHERE id = $1", notice.account, made->hash));
    TRY(audit_add(c, "account.password_reset", notice.account, STR_NONE));
    TRY(session_end_others(c, notice.account, ID_NONE));
    TRY(session_forgive(c, made->email));
    TRY(account_set_verified(c, notice.account));
    return job_add(c, "account.mail", JOB_NOW, &notice, NULL);
}

/* --- mails ------------------------------------------------------------------------------------------------------ */

static void text_verify(struct call *c, struct buf *b, struct str token)
{
    buf_printf(b,
               "please confirm that this address is yours by opening this link within an hour:\n\n"
               "%.*s/verify?token=%.*s\n\n"
               "If you did not sign up, you need not do anything.\n",
               STR_FMT(c->env->public_url), STR_FMT(token));
}

static void text_reset(struct call *c, struct buf *b, struct str token)
{
    buf_printf(
        b,
        "to choose a new password, open this link within an hour:\n\n"
        "%.*s/reset?token=%.*s\n\n"
        "It works once, and logs you out everywhere. If you did not ask for it, you need not\n"
        "do anything: your password stays as it is.\n",
        STR_FMT(c->env->public_url), STR_FMT(token));
}

static void text_changed(struct call *c, struct buf *b)
{
    buf_printf(b,
               "your password was changed just now, and you were logged out everywhere.\n\n"
               "If that was not you, somebody reads your mail. Make your mailbox safe first, then\n"
               "choose a new password: %.*s/forgot\n",
               STR_FMT(c->env->public_url));
}

static const char *const subjects[] = {
    [MAIL_VERIFY] = "Confirm your e-mail address",
    [MAIL_RESET] = "Choose a new password",
    [MAIL_PASSWORD_CHANGED] = "Your password was changed",
};

static struct str mail_text(struct call *c, enum mail_kind kind, const struct mail_facts *facts)
{
    struct buf b = { .arena = c->arena };
    struct str token = facts->nonce > 0 ? token_of(c, facts->nonce) : STR("");

    buf_add(&b, STR("Hello,\n\n"));
    if (kind == MAIL_VERIFY)
        text_verify(c, &b, token);
    else if (kind == MAIL_RESET)
        text_reset(c, &b, token);
    else
        text_changed(c, &b);
    return buf_str(&b);
}

/* No nonce: the token was used, replaced or is too old; its mail is not wanted any more. */
static enum err mail_send(struct call *c)
{
    const struct account_mail *in = IN(c, account_mail);
    struct str site = setting_text(c->env->settings, "site.name");
    struct mail_facts facts = { 0 };

    enum err e = db_one(c, mail_facts, &facts,
                        "SELECT a.email, coalesce(t.nonce, 0) AS nonce FROM account a"
                        " LEFT JOIN account_token t"
                        " ON t.account = a.id AND t.purpose = $2 AND t.expires > $3"
                        " WHERE a.id = $1",
                        in->account, NAMED(mail_kinds, in->kind), env_real_now(c->env));
    if (e == E_NOT_FOUND || (e == E_OK && facts.nonce == 0 && in->kind != MAIL_PASSWORD_CHANGED))
        return E_OK;
    TRY(e);
    struct mail mail = {
        .to = facts.email,
        .subject = str_printf(c->arena, "%s - %.*s", subjects[in->kind], STR_FMT(site)),
        .text = mail_text(c, in->kind, &facts),
        .id = c->request_id,
    };
    return c->env->mailer->send(c->env->mailer, c->arena, &mail);
}

static enum err mail_sent(struct call *c)
{
    (void)c;
    return E_OK;
}

static const struct route routes[] = {
    { POST, "/v1/email-verifications", verification_send, "Mail the confirmation link again",
      .auth = FAN, .tx = WRITE, .status = 202, .rate = { .a_minute = 5, .burst = 5 } },
    { POST, "/v1/email-verifications/confirm", verification_confirm, "Confirm one's address",
      .in = &token_confirm_shape, .auth = ANYONE, .tx = WRITE,
      .rate = { .a_minute = 20, .burst = 20 }, .fails = { E_TOKEN_SPENT } },
    { POST, "/v1/password-resets", reset_ask, "Mail a link to choose a new password",
      .in = &reset_request_shape, .auth = ANYONE, .tx = WRITE, .status = 202,
      .rate = { .a_minute = 5, .burst = 5 } },
    { POST, "/v1/password-resets/confirm", reset_confirm, "Choose a new password",
      .in = &reset_confirm_shape, .auth = ANYONE, .tx = WRITE, .prepare = reset_prepare,
      .rate = { .a_minute = 20, .burst = 20 }, .fails = { E_TOKEN_SPENT, E_WEAK_PASSWORD } },
};

static const struct job_kind jobs[] = {
    { "account.reset", reset_send, .in = &reset_request_shape, .tx = WRITE, .lease_ms = 30000,
      .tries = 8 },
    { "account.mail", mail_sent, .in = &account_mail_shape, .tx = NONE, .prepare = mail_send,
      .lease_ms = 60000, .tries = 10 },
};

const struct module recovery_module = { "recovery", MODULE_ROUTES(routes), MODULE_JOBS(jobs) };
