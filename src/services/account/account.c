/* account.c -- people: sign-up, oneself, names for others, roles. Logging in is session.c, mails are recovery.c.
 *
 * Invariants: an e-mail address has one account; a password is stored only as argon2id; whoever learns of a change of
 * rights (role, page, address confirmed) through a cache is told by touch_actor(). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/account.h"
#include "services/account/parts.h"
#include "services/account/password.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"
#include "core/exec.h"
#include "core/jobs.h"

#include <inttypes.h>

struct sign_up {
    struct str email, password, name;
};

static const struct field sign_up_fields[] = {
    EMAIL(sign_up, email, "To log in with", .sample = "ana@example.org"),
    TEXT(sign_up, password, "At least 8 characters; common ones are refused", .min = 1,
         .max = PASSWORD_BYTES_MAX, .secret = true),
    TEXT(sign_up, name, "Shown to others", .min = 1, .max = ACCOUNT_NAME_MAX, .sample = "Ana"),
};
STATIC_SHAPE(sign_up);

struct me {
    struct id id;
    struct str email, name;
    bool email_verified;
    enum role role;
    bool creator;
    struct when created;
};

static const struct field me_fields[] = {
    ID(me, id, ID_USER, "Account"),
    EMAIL(me, email, "To log in with"),
    TEXT(me, name, "Shown to others", .max = ACCOUNT_NAME_MAX),
    BOOL(me, email_verified, "The address is confirmed"),
    ENUM(me, role, role_names, "What it may do"),
    BOOL(me, creator, "Has a page; the creator has the account's number"),
    WHEN(me, created, "Of the sign-up"),
};
STATIC_SHAPE(me);

#define ME_COLUMNS "id, email, name, email_verified, role, creator, created"

struct me_edit {
    struct given given;
    struct str name;
};

static const struct field me_edit_fields[] = {
    TEXT(me_edit, name, "Shown to others", .min = 1, .max = ACCOUNT_NAME_MAX, .optional = true),
};
PATCH_SHAPE(me_edit);

struct account_query {
    struct str email, cursor;
    int64_t limit;
};

static const struct field account_query_fields[] = {
    EMAIL(account_query, email, "Only the account with this address", .optional = true),
    CURSOR(account_query, cursor),
    LIMIT(account_query, limit),
};
STATIC_SHAPE(account_query);

static const struct field account_card_fields[] = {
    ID(account_card, id, ID_USER, "Account"),
    TEXT(account_card, name, "Shown to others", .max = ACCOUNT_NAME_MAX),
};
SHAPE(account_card);

struct account_card_list {
    struct account_card *v;
    size_t n;
};

static const struct field account_contact_fields[] = {
    EMAIL(account_contact, email, "Where mails go"),
    TEXT(account_contact, name, "How they begin", .max = ACCOUNT_NAME_MAX),
};
STATIC_SHAPE(account_contact);

struct account_sweep {
    int64_t days;
};

static const struct field account_sweep_fields[] = {
    INTEGER(account_sweep, days, "Sessions that were not seen for so long go", .min = 1,
            .max = 3650),
};
STATIC_SHAPE(account_sweep);

enum { SWEEP_DAYS = 30, SWEEP_ROWS = 5000 };

/* --- rules ------------------------------------------------------------------------------------------------------ */

/* The character at *i of well-formed UTF-8; moves *i behind it. */
static uint32_t next_character(struct str s, size_t *i)
{
    unsigned char first = (unsigned char)s.p[(*i)++];
    uint32_t v = first < 0x80   ? first
                 : first < 0xe0 ? first & 0x1f
                 : first < 0xf0 ? first & 0x0f
                                : first & 0x07;

    while (*i < s.n && ((unsigned char)s.p[*i] & 0xc0) == 0x80)
        v = v << 6 | ((unsigned char)s.p[(*i)++] & 0x3f);
    return v;
}

/* Marks that show nothing and change how what follows is read: names made to look like another's. */
static bool is_trick(uint32_t v)
{
    return v == '\n' || v == '\t' || v == 0x200b || v == 0x200e || v == 0x200f || v == 0x2028 ||
           v == 0x2029 || (v >= 0x202a && v <= 0x202e) || (v >= 0x2060 && v <= 0x2069) ||
           v == 0xfeff;
}

static bool is_blank(uint32_t v)
{
    return v == ' ' || v == 0xa0 || v == 0xad || v == 0x3000 || (v >= 0x2000 && v <= 0x200d) ||
           v == 0x202f || v == 0x205f || v == 0x2800 || v == 0x3164;
}

enum err account_name(struct call *c, const char *field, struct str text, struct str *result)
{
    struct str name = str_trim(text);
    bool seen = false;

    for (size_t i = 0; i < name.n;) {
        uint32_t v = next_character(name, &i);
        if (is_trick(v))
            return fail_field(c, E_INVALID, field, "must be one line without invisible marks");
        seen = seen || !is_blank(v);
    }
    if (!seen)
        return fail_field(c, E_INVALID, field, "must not be empty");
    *result = name;
    return E_OK;
}

enum err account_password_check(struct call *c, struct str password, struct str email,
                                struct str name)
{
    struct str local;
    str_split(email, '@', &local);
    const struct str words[] = { setting_text(c->env->settings, "site.name"), local, name, email };
    const char *why = password_refused(password, words, COUNT(words));

    return why == NULL ? E_OK : fail_field(c, E_WEAK_PASSWORD, "password", "%s", why);
}

struct str account_hash(struct call *c, struct str password)
{
    bool quick = c->env->development && setting_bool(c->env->settings, "account.quick_hash");

    return password_hash(c->arena, password, quick);
}

/* Whoever proves to own the operator's address becomes the first admin; nobody who only typed it in. */
static enum role role_when_verified(struct call *c, const struct me *me)
{
    struct str admin = str_lower(c->arena, setting_text(c->env->settings, "account.admin_email"));

    return admin.n > 0 && str_eq(admin, me->email) ? ROLE_ADMIN : me->role;
}

/* --- handlers --------------------------------------------------------------------------------------------------- */

enum err account_aside(struct call *c, handler *run, void *prepared)
{
    struct call own;

    call_begin(&own, c->env, c->arena);
    own.address = c->address;
    own.prepared = prepared;
    enum err e = exec_transaction(c->env->exec, &own, WRITE, run);
    c->problem = own.problem;
    return e;
}

static enum err sign_up_prepare(struct call *c)
{
    const struct sign_up *in = IN(c, sign_up);
    struct str *hash = arena_new(c->arena, struct str);
    struct str name;

    c->idempotency_key =
        STR_NONE; /* the answer carries a session: it is not kept to be given again */
    TRY(account_name(c, "name", in->name, &name));
    TRY(account_password_check(c, in->password, in->email, name));
    *hash = account_hash(c, in->password);
    c->prepared = hash;
    return hash->p == NULL ? E_NO_MEMORY : E_OK;
}

static enum err sign_up(struct call *c)
{
    const struct sign_up *in = IN(c, sign_up);
    const struct str *hash = c->prepared;
    struct me *me = OUT(c, me);
    struct session_made session;

    enum err e = db_one(c, me, me,
                        "INSERT INTO account"
                        " (id, email, name, password, email_verified, role, creator, created)"
                        " VALUES ($1, $2, $3, $4, 0, 'user', 0, $5)"
                        " ON CONFLICT (email) DO NOTHING"
                        " RETURNING " ME_COLUMNS,
                        new_id(c), in->email, str_trim(in->name), *hash, c->now);
    if (e == E_NOT_FOUND)
        return fail_field(c, E_TAKEN, "email",
                          "There is an account with this address already. Log in instead.");
    TRY(e);
    TRY(audit_add(c, "account.signed_up", me->id, STR_NONE));
    TRY(account_mail_token(c, me->id, MAIL_VERIFY));
    return session_start(c, me->id, SESSION_COOKIE, &session);
}

static enum err me_get(struct call *c)
{
    return db_one(c, me, OUT(c, me), "SELECT " ME_COLUMNS " FROM account WHERE id = $1", c->who);
}

static enum err me_patch(struct call *c)
{
    const struct me_edit *in = IN(c, me_edit);
    struct str name = STR_NONE;

    if (GIVEN(me_edit, in, name))
        TRY(account_name(c, "name", in->name, &name));
    touch(c, c->who);
    return db_one(c, me, OUT(c, me),
                  "UPDATE account SET name = coalesce($2, name) WHERE id = $1"
                  " RETURNING " ME_COLUMNS,
                  c->who, name);
}

static enum err account_page(struct call *c)
{
    const struct account_query *q = QUERY(c, account_query);

    if (q->email.p != NULL)
        return db_page(c, me, q->cursor, q->limit,
                       "SELECT " ME_COLUMNS " FROM account WHERE email = $1 AND id < $cursor"
                       " ORDER BY id DESC",
                       q->email);
    return db_page(c, me, q->cursor, q->limit,
                   "SELECT " ME_COLUMNS " FROM account WHERE id < $cursor ORDER BY id DESC");
}

/* --- for other services ----------------------------------------------------------------------------------------- */

static const struct account_card *card_of(const struct account_card_list *found, struct id id)
{
    for (size_t i = 0; i < found->n; i++)
        if (id_is(found->v[i].id, id))
            return &found->v[i];
    return NULL;
}

enum err account_cards(struct call *c, const struct id *ids, size_t n, struct account_card *result)
{
    struct account_card_list found = { 0 };

    TRY(db_list(c, account_card, &found, "SELECT id, name FROM account WHERE id IN_LIST($1)",
                db_ids(c, ids, n)));
    for (size_t i = 0; i < n; i++) {
        const struct account_card *card = card_of(&found, ids[i]);
        result[i] = card != NULL ? *card : (struct account_card) { ids[i], STR("Somebody") };
    }
    return E_OK;
}

enum err account_contact(struct call *c, struct id account, struct account_contact *result)
{
    return db_one(c, account_contact, result, "SELECT email, name FROM account WHERE id = $1",
                  account);
}

enum err account_set_creator(struct call *c, struct id account)
{
    touch_actor(c, account);
    return db_hit(c, "UPDATE account SET creator = 1 WHERE id = $1", account);
}

enum err account_set_role(struct call *c, struct id account, enum role role)
{
    int64_t changed = 0;
    enum err e =
        db_int(c, &changed, "UPDATE account SET role = $2 WHERE id = $1 AND role <> $2 RETURNING 1",
               account, NAMED(role_names, role));

    if (e == E_NOT_FOUND)
        return db_int(c, &changed, "SELECT 1 FROM account WHERE id = $1", account);
    TRY(e);
    touch_actor(c, account);
    TRY(audit_add(c, "account.role_changed", account, NAMED(role_names, role)));
    return session_end_others(c, account, ID_NONE); /* other rights, other tokens */
}

enum err account_set_verified(struct call *c, struct id account)
{
    struct me me;

    TRY(db_one(c, me, &me, "SELECT " ME_COLUMNS " FROM account WHERE id = $1 FOR UPDATE", account));
    if (me.email_verified)
        return E_OK;
    enum role role = role_when_verified(c, &me);
    touch_actor(c, account);
    TRY(db_hit(c, "UPDATE account SET email_verified = 1, role = $2 WHERE id = $1", account,
               NAMED(role_names, role)));
    TRY(audit_add(c, "account.email_verified", account, STR_NONE));
    return role == me.role ? E_OK
                           : audit_add(c, "account.role_changed", account, NAMED(role_names, role));
}

/* --- jobs ------------------------------------------------------------------------------------------------------- */

static enum err sweep_again(struct call *c)
{
    struct account_sweep next = { SWEEP_DAYS };

    return job_add_named(c, "account.sweep", STR("account.sweep"), when_after(c->now, HOUR), &next);
}

/* What is over: it opens nothing any more, and only has to go. */
static enum err account_sweep(struct call *c)
{
    int64_t now = env_real_now(c->env).us;

    TRY(db_run(c,
               "DELETE FROM session WHERE id IN"
               " (SELECT id FROM session WHERE seen < $1 ORDER BY seen LIMIT $2)",
               now - IN(c, account_sweep)->days * DAY, (int)SWEEP_ROWS));
    TRY(db_run(c,
               "DELETE FROM account_token WHERE nonce IN"
               " (SELECT nonce FROM account_token WHERE expires < $1 ORDER BY expires LIMIT $2)",
               now, (int)SWEEP_ROWS));
    TRY(db_run(c,
               "DELETE FROM login_attempt WHERE address IN"
               " (SELECT address FROM login_attempt WHERE last < $1 ORDER BY last LIMIT $2)",
               now - DAY, (int)SWEEP_ROWS));
    return sweep_again(c);
}

static const struct route routes[] = {
    { POST, "/v1/accounts", sign_up, "Sign up; logs in with a cookie", .in = &sign_up_shape,
      .out = &me_shape, .auth = ANYONE, .tx = WRITE, .status = 201, .prepare = sign_up_prepare,
      .cookie = true, .rate = { .a_minute = 10, .burst = 20 },
      .fails = { E_TAKEN, E_WEAK_PASSWORD } },
    { GET, "/v1/me", me_get, "The account that is logged in", .out = &me_shape, .auth = FAN,
      .tx = READ },
    { PATCH, "/v1/me", me_patch, "Change one's name", .in = &me_edit_shape, .out = &me_shape,
      .auth = FAN, .tx = WRITE },
    { GET, "/v1/admin/accounts", account_page, "All accounts, newest first",
      .query = &account_query_shape, .items = &me_shape, .auth = ADMIN, .tx = READ },
};

static const struct job_kind jobs[] = {
    { "account.sweep", account_sweep, .in = &account_sweep_shape, .tx = WRITE, .lease_ms = 60000,
      .tries = 1000 },
};

static const struct setting settings[] = {
    { "site.name", SETTING_TEXT, "Stagedoor", "Name of this site, in mails and titles", 0, 0 },
    { "account.admin_email", SETTING_TEXT, "",
      "Address whose account becomes an admin when it is confirmed", 0, 0 },
    { "account.quick_hash", SETTING_BOOL, "false",
      "Development mode only: weak, quick password hashes for tests and demo data", 0, 0 },
};

const struct module account_module = { "account", MODULE_ROUTES(routes), MODULE_JOBS(jobs),
                                       MODULE_SETTINGS(settings), .start = sweep_again };
