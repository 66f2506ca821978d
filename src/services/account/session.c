/* session.c -- logging in, and what proves it afterwards.
 *
 * A session is a random token of 256 bits that only the client has; here is its SHA-256. All its times are real time.
 * Tries to log in are counted before the password is looked at, in a transaction of their own, so that a hundred
 * at once are a hundred; and for addresses without an account too, because a difference would tell who is a member. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/account.h"
#include "services/account/parts.h"
#include "services/account/password.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"
#include "core/exec.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const session_kinds[] = { "cookie", "bearer", NULL };

struct login {
    struct str email, password;
    enum session_kind kind;
};

static const struct field login_fields[] = {
    EMAIL(login, email, "Of the account", .sample = "ana@example.org"),
    TEXT(login, password, "Of the account", .min = 1, .max = PASSWORD_BYTES_MAX, .secret = true),
    ENUM(login, kind, session_kinds, "A cookie for browsers, or a bearer token for programs",
         .optional = true),
};
STATIC_SHAPE(login);

static const struct field session_made_fields[] = {
    ID(session_made, id, ID_SESSION, "Session"),
    ENUM(session_made, kind, session_kinds, "How it is proved"),
    TEXT(session_made, token, "For the header `Authorization: Bearer …`; shown this once",
         .max = 50, .optional = true, .secret = true),
    WHEN(session_made, created, "Now"),
    WHEN(session_made, expires, "Ends then at the latest"),
};
STATIC_SHAPE(session_made);

struct session {
    struct id id;
    enum session_kind kind;
    bool current;
    struct when created, seen;
    struct str agent, address;
};

static const struct field session_fields[] = {
    ID(session, id, ID_SESSION, "Session"),
    ENUM(session, kind, session_kinds, "How it is proved"),
    BOOL(session, current, "The one that asks"),
    WHEN(session, created, "When it was logged in"),
    WHEN(session, seen, "When it was used last, within the hour"),
    TEXT(session, agent, "User-Agent of the login", .max = 200),
    TEXT(session, address, "Network address of the login", .max = 60),
};
STATIC_SHAPE(session);

struct session_ref {
    struct id session;
};

static const struct field session_ref_fields[] = {
    ID(session_ref, session, ID_SESSION, "Session"),
};
STATIC_SHAPE(session_ref);

/* What a password is checked against. */
struct credentials {
    struct id id;
    struct str password;
};

static const struct field credentials_fields[] = {
    ID(credentials, id, ID_USER, "Account"),
    TEXT(credentials, password, "Its hash", .max = 128, .secret = true),
};
STATIC_SHAPE(credentials);

/* A session with the rights of its account. */
struct session_rights {
    struct id id, account;
    enum session_kind kind;
    enum role role;
    bool creator, email_verified;
    struct when created, seen;
};

static const struct field session_rights_fields[] = {
    ID(session_rights, id, ID_SESSION, "Session", .optional = true),
    ID(session_rights, account, ID_USER, "Whose", .optional = true),
    ENUM(session_rights, kind, session_kinds, "How it is proved", .optional = true),
    ENUM(session_rights, role, role_names, "Of the account"),
    BOOL(session_rights, creator, "Of the account"),
    BOOL(session_rights, email_verified, "Of the account", .optional = true),
    WHEN(session_rights, created, "Of the session", .optional = true),
    WHEN(session_rights, seen, "Of the session", .optional = true),
};
STATIC_SHAPE(session_rights);

struct login_attempt {
    int64_t failures, wait_until, last;
};

static const struct field login_attempt_fields[] = {
    INTEGER(login_attempt, failures, "In a row"),
    INTEGER(login_attempt, wait_until, "No try before then, microseconds"),
    INTEGER(login_attempt, last, "The last try, microseconds"),
};
STATIC_SHAPE(login_attempt);

/* --- rules ------------------------------------------------------------------------------------------------------ */

enum { SESSIONS_MAX = 50, TOKEN_CHARACTERS = 43, FREE_FAILURES = 5, AGENT_MAX = 200 };

struct lifetime {
    int64_t idle_us, most_us;
};

/* The more a stolen session could do, the sooner it ends. */
static struct lifetime lifetime_of(enum role role, bool creator)
{
    if (role != ROLE_USER)
        return (struct lifetime) { HOUR, 12 * HOUR };
    if (creator)
        return (struct lifetime) { 7 * DAY, 30 * DAY };
    return (struct lifetime) { 14 * DAY, 90 * DAY };
}

static bool is_over(const struct session_rights *s, struct when now)
{
    struct lifetime life = lifetime_of(s->role, s->creator);

    return now.us >= s->seen.us + life.idle_us || now.us >= s->created.us + life.most_us;
}

/* `seen` is written once an hour, or often enough for those that end within hours. */
static bool is_note_due(const struct session_rights *s, struct when now)
{
    int64_t idle = lifetime_of(s->role, s->creator).idle_us;

    return now.us - s->seen.us >= (idle / 12 < HOUR ? idle / 12 : HOUR);
}

/* After five failures half a minute, then twice as long each time, at most an hour. A longer wait would let strangers
 * lock out the owner, who is let in at once by a password reset. */
static int64_t wait_after(int64_t failures)
{
    int64_t over = failures - FREE_FAILURES;

    if (over < 0)
        return 0;
    return over >= 7 ? HOUR : (30 * SECOND) << over;
}

/* What a client says of itself: printable ASCII, cut. */
static struct str plain(struct call *c, struct str text, size_t max)
{
    struct buf b = { .arena = c->arena };

    for (size_t i = 0; i < text.n && i < max; i++)
        buf_char(&b, text.p[i] >= ' ' && text.p[i] < 0x7f ? text.p[i] : '?');
    return buf_str(&b);
}

static bool is_https(struct call *c)
{
    return str_starts(c->env->public_url, "https://");
}

/* Browsers keep `__Host-` cookies from every other host and path; over plain http they refuse them. */
static void set_cookie(struct call *c, struct str token, int64_t seconds)
{
    reply_header(c, "Set-Cookie",
                 str_printf(c->arena,
                            "%s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%" PRId64 "%s",
                            is_https(c) ? "__Host-sid" : "sid", STR_FMT(token), seconds,
                            is_https(c) ? "; Secure" : ""));
}

static struct bytes bytes_of(const struct sha256 *hash)
{
    return (struct bytes) { hash->b, sizeof(hash->b) };
}

/* --- counting tries --------------------------------------------------------------------------------------------- */

/* A MAC, so that the table does not tell which addresses (or passwords in the wrong field) were typed in. */
static struct sha256 attempt_key(struct call *c, struct str email)
{
    struct sha256 key = env_key(c->env, "account.attempt");

    return hmac_sha256((struct str) { (const char *)key.b, sizeof(key.b) }, email);
}

static enum err attempt_count(struct call *c)
{
    struct sha256 key = attempt_key(c, *(const struct str *)c->prepared);
    struct login_attempt a = { 0 };
    int64_t now = env_real_now(c->env).us;

    TRY(db_run(c,
               "INSERT INTO login_attempt (address, failures, wait_until, last)"
               " VALUES ($1, 0, 0, $2) ON CONFLICT (address) DO NOTHING",
               bytes_of(&key), now));
    TRY(db_one(c, login_attempt, &a,
               "SELECT failures, wait_until, last FROM login_attempt WHERE address = $1 FOR UPDATE",
               bytes_of(&key)));
    if (a.wait_until > now) {
        int64_t seconds = (a.wait_until - now + SECOND - 1) / SECOND;
        c->problem.retry_after = seconds;
        return fail(c, E_RATE_LIMITED,
                    "Too many wrong passwords for this address. Wait %" PRId64
                    " seconds, or choose a new password.",
                    seconds);
    }
    a.failures = now - a.last > DAY ? 1 : a.failures + 1;
    return db_hit(c,
                  "UPDATE login_attempt SET failures = $2, wait_until = $3, last = $4"
                  " WHERE address = $1",
                  bytes_of(&key), a.failures, now + wait_after(a.failures), now);
}

enum err session_forgive(struct call *c, struct str email)
{
    struct sha256 key = attempt_key(c, email);

    return db_run(c, "DELETE FROM login_attempt WHERE address = $1", bytes_of(&key));
}

/* --- logging in ------------------------------------------------------------------------------------------------- */

/* As slow to check as a real one, and nobody's. */
static struct str nobodys_hash(struct call *c)
{
    bool quick = c->env->development && setting_bool(c->env->settings, "account.quick_hash");

    return quick ? STR("$argon2id$v=19$m=8,t=1,p=1$0RFIOTSYTkI8DnxABvEzcA"
                       "$WiX4K/n4dDIiJsiCF5DSKJxIPQLqVIAgPg1UaaWzs5I")
                 : STR("$argon2id$v=19$m=65536,t=3,p=1$w/SkOdKPTllTKy2YO0iKvQ"
                       "$X43M6m7WV4feAI+x1zQHKDS5G/VdEjt9zT+pQmEtT44");
}

static enum err login_failed(struct call *c)
{
    const struct credentials *found = c->prepared;

    return audit_add(c, "account.login_failed", found->id, STR_NONE);
}

/* The same work, whether or not there is such an account. */
static enum err login_prepare(struct call *c)
{
    const struct login *in = IN(c, login);
    struct credentials *found = arena_new(c->arena, struct credentials);
    struct str email = in->email;

    c->idempotency_key =
        STR_NONE; /* the answer carries a secret: it is not kept to be given again */
    TRY(account_aside(c, attempt_count, &email));
    enum err e = db_one(c, credentials, found, "SELECT id, password FROM account WHERE email = $1",
                        in->email);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    enum password fits =
        password_check(e == E_OK ? found->password : nobodys_hash(c), in->password);
    c->prepared = found;
    if (fits == PASSWORD_NO_MEMORY)
        return E_NO_MEMORY;
    if (fits == PASSWORD_RIGHT && e == E_OK)
        return E_OK;
    TRY(account_aside(c, login_failed, found));
    return fail(c, E_WRONG_PASSWORD, NULL);
}

static enum err login(struct call *c)
{
    const struct login *in = IN(c, login);
    const struct credentials *checked = c->prepared;
    int64_t same = 0;

    /* A password reset may have come between the check and this: its transaction and ours take turns here. */
    enum err e =
        db_int(c, &same, "SELECT 1 FROM account WHERE id = $1 AND password = $2 FOR UPDATE",
               checked->id, checked->password);
    if (e == E_NOT_FOUND)
        return fail(c, E_WRONG_PASSWORD, NULL);
    TRY(e);
    TRY(session_forgive(c, in->email));
    TRY(audit_add(c, "account.logged_in", checked->id, NAMED(session_kinds, in->kind)));
    return session_start(c, checked->id, in->kind, OUT(c, session_made));
}

/* --- beginning and ending --------------------------------------------------------------------------------------- */

struct session_list {
    struct session_ref *v;
    size_t n;
};

static void touch_all(struct call *c, const struct session_list *ended)
{
    for (size_t i = 0; i < ended->n; i++)
        touch(c, ended->v[i].session);
}

/* Nobody uses so many: programs that log in each time do. */
static enum err end_oldest(struct call *c, struct id account)
{
    struct session_list ended = { 0 };

    TRY(db_list(c, session_ref, &ended,
                "DELETE FROM session WHERE account = $1 AND id NOT IN"
                " (SELECT id FROM session WHERE account = $1 ORDER BY id DESC LIMIT $2)"
                " RETURNING id AS session",
                account, (int)SESSIONS_MAX));
    touch_all(c, &ended);
    return E_OK;
}

enum err session_start(struct call *c, struct id account, enum session_kind kind,
                       struct session_made *result)
{
    struct session_rights of = { 0 };
    struct when now = env_real_now(c->env);
    struct str token = new_token(c);
    struct sha256 hash = sha256_of(token);
    struct id id = new_id(c);

    TRY(db_one(c, session_rights, &of, "SELECT role, creator FROM account WHERE id = $1", account));
    TRY(db_run(c,
               "INSERT INTO session (id, account, kind, token, created, seen, agent, address)"
               " VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
               id, account, NAMED(session_kinds, kind), bytes_of(&hash), now,
               plain(c, c->agent, AGENT_MAX), plain(c, c->address, 60)));
    TRY(end_oldest(c, account));
    int64_t most = lifetime_of(of.role, of.creator).most_us;
    if (kind == SESSION_COOKIE)
        set_cookie(c, token, most / SECOND);
    *result = (struct session_made) { .id = id,
                                      .kind = kind,
                                      .token = kind == SESSION_BEARER ? token : STR_NONE,
                                      .created = now,
                                      .expires = when_after(now, most) };
    return E_OK;
}

enum err session_end_others(struct call *c, struct id account, struct id but)
{
    struct session_list ended = { 0 };

    TRY(db_list(c, session_ref, &ended,
                "DELETE FROM session WHERE account = $1 AND id <> $2 RETURNING id AS session",
                account, but.v));
    touch_all(c, &ended);
    return E_OK;
}

static enum err end_one(struct call *c, struct id session)
{
    TRY(db_hit(c, "DELETE FROM session WHERE id = $1 AND account = $2", session, c->who));
    touch(c, session);
    if (id_is(session, c->actor.session) && c->actor.by_cookie)
        set_cookie(c, STR(""), 0);
    return E_OK;
}

static enum err logout(struct call *c)
{
    TRY(end_one(c, c->actor.session));
    return audit_add(c, "account.logged_out", c->who, STR_NONE);
}

static enum err session_revoke(struct call *c)
{
    struct id session = PARAMS(c, session_ref)->session;

    TRY(end_one(c, session));
    return audit_add(c, "session.revoked", session, STR_NONE);
}

static enum err session_revoke_others(struct call *c)
{
    TRY(session_end_others(c, c->who, c->actor.session));
    return audit_add(c, "account.sessions_revoked", c->who, STR("all but the one that asked"));
}

static enum err session_page(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);
    struct lifetime life = lifetime_of(c->actor.role, c->actor.creator);
    struct when now = env_real_now(c->env);

    return db_page(c, session, q->cursor, q->limit,
                   "SELECT id, kind, CASE WHEN id = $2 THEN 1 ELSE 0 END AS current, created, seen,"
                   " agent, address"
                   " FROM session"
                   " WHERE account = $1 AND seen > $3 AND created > $4 AND id < $cursor"
                   " ORDER BY id DESC",
                   c->who, c->actor.session, when_after(now, -life.idle_us),
                   when_after(now, -life.most_us));
}

/* --- proving it ------------------------------------------------------------------------------------------------- */

struct seen_note {
    struct id session;
    struct when seen;
};

static enum err note_seen(struct call *c)
{
    const struct seen_note *note = c->prepared;

    return db_run(c, "UPDATE session SET seen = $2 WHERE id = $1 AND seen < $2", note->session,
                  note->seen);
}

static const struct route note_route = { PATCH,          "(session seen)",
                                         note_seen,      "Not a route: a note",
                                         .auth = ANYONE, .tx = WRITE };

static void note_done(struct call *note)
{
    struct arena *a = note->arena;

    arena_done(a); /* and the note with it */
    free(a);
}

/* Nobody waits for it; it may be lost. Its memory is its own, because this call may end first. */
static void note_later(struct call *c, struct seen_note what)
{
    struct arena *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return;
    a->reserve = c->env->reserve;
    struct call *note = arena_new(a, struct call);
    call_begin(note, c->env, a);
    note->prepared = arena_copy(a, &what, sizeof(what));
    note->route = &note_route;
    note->done = note_done;
    exec_run(c->env->exec, note);
}

enum err account_authenticate(struct call *c, struct str token, struct actor *result)
{
    struct session_rights s = { 0 };
    struct when now = env_real_now(c->env);

    if (token.n != TOKEN_CHARACTERS)
        return E_SIGNED_OUT;
    struct sha256 hash = sha256_of(token);
    enum err e = db_one(c, session_rights, &s,
                        "SELECT s.id, s.account, s.kind, s.created, s.seen, a.role, a.creator,"
                        " a.email_verified"
                        " FROM session s JOIN account a ON a.id = s.account"
                        " WHERE s.token = $1",
                        bytes_of(&hash));
    if (e == E_NOT_FOUND || (e == E_OK && is_over(&s, now)))
        return E_SIGNED_OUT;
    TRY(e);
    if (is_note_due(&s, now))
        note_later(c, (struct seen_note) { s.id, now });
    *result = (struct actor) { .account = s.account,
                               .session = s.id,
                               .role = s.role,
                               .creator = s.creator,
                               .verified = s.email_verified,
                               .by_cookie = s.kind == SESSION_COOKIE };
    return E_OK;
}

static const struct route routes[] = {
    { POST, "/v1/sessions", login, "Log in", .in = &login_shape, .out = &session_made_shape,
      .auth = ANYONE, .tx = WRITE, .status = 201, .prepare = login_prepare, .cookie = true,
      .rate = { .a_minute = 20, .burst = 30 }, .fails = { E_WRONG_PASSWORD } },
    { GET, "/v1/sessions", session_page, "Where one is logged in, newest first",
      .query = &page_query_shape, .items = &session_shape, .auth = FAN, .tx = READ },
    { DELETE, "/v1/sessions", session_revoke_others, "Log out everywhere else", .auth = FAN,
      .tx = WRITE },
    { DELETE, "/v1/sessions/current", logout, "Log out", .auth = FAN, .tx = WRITE, .cookie = true },
    { DELETE, "/v1/sessions/{session}", session_revoke, "Log out one session",
      .params = &session_ref_shape, .auth = FAN, .tx = WRITE },
};

const struct module session_module = { "session", MODULE_ROUTES(routes) };
