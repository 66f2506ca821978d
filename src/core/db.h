/* db.h -- SQL as domain code writes it, and the vtable that a driver fills.
 *
 * One text for both engines. A statement is a string literal in the function that needs it; its
 * address is the key of the prepared-statement cache, so it is never built at run time. Parameters
 * are $1, $2 ... in the order of the arguments; the arguments go through _Generic: a struct id,
 * str, when, bytes, currency, a bool or an integer; anything else does not compile. None values
 * become NULL. Results fill a shape's struct by column name; a column that the shape does not know,
 * or a value of another type than the field's, is a bug (must). A field without a column stays
 * none: whoever dresses the row fills it. A NULL gives the field's none value (0 for a bool, an
 * enum or an integer that is neither optional nor nullable). INT64_MIN is INT_NONE, therefore NULL
 * as an argument.
 *
 * Words that the drivers replace, so that one text serves both: INTEGER and BLOB (types, casts),
 * STRICT, FOR UPDATE and SKIP LOCKED (dropped where one writer needs no locks), TX_ID($1) (the number
 * of this transaction; where there is one writer $1, which grows) and TX_HORIZON() (of the oldest that
 * runs; see events.c). `WHERE id IN_LIST($1)` with db_ids(c, ids, n) as argument: a list of any length,
 * one query for all rows of a page. Its opposite is `NOT (id IN_LIST($1))`.
 * Write `CAST(sum(x) AS INTEGER)`: PostgreSQL sums to numeric. A UNIQUE violation ends the call
 * with E_TAKEN; where that is expected, write ON CONFLICT DO NOTHING and look at RETURNING, because
 * PostgreSQL cannot go on after an error.
 *
 * A service touches its own tables only (checked by a lint). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DB_H
#define CORE_DB_H

#include "core/shape.h"

struct call;
struct env;
struct module;

/* --- what domain code calls ------------------------------------------------------------------- */

/* One row into *out. E_NOT_FOUND when there is none (out untouched); more than one is a bug.
 *   TRY(db_one(c, tip, OUT(c, tip), "SELECT id, amount, currency FROM tip WHERE id = $1", id)); */
#define db_one(c, s, out, ...) db_one_((c), &s##_shape, SHAPE_PTR_(out, s), DB_SQL_(__VA_ARGS__))
/* All rows into a LIST_OF(s); at most 10,000, more is a bug: such lists are pages. */
#define db_list(c, s, rows, ...)                                                                   \
    db_list_((c), &s##_shape, (struct list *)(rows) + 0 * sizeof(SHAPE_PTR_((rows)->v, s)),        \
             DB_SQL_(__VA_ARGS__))
/* One page into c->page (see PAGE in call.h). The SQL has `$cursor` once, as `key < $cursor` with
 * ORDER BY key DESC or `key > $cursor` with ORDER BY key; no LIMIT (added here). The key is the
 * column "cursor" if there is one, else "id". */
#define db_page(c, s, cursor, limit, ...)                                                          \
    db_page_((c), &s##_shape, (cursor), (limit), DB_SQL_(__VA_ARGS__))
/* A statement without rows. */
#define db_run(c, ...) db_run_((c), DB_SQL_(__VA_ARGS__))
/* ... that must change at least one row: E_NOT_FOUND otherwise. */
#define db_hit(c, ...) db_hit_((c), DB_SQL_(__VA_ARGS__))
/* One integer into *result: E_NOT_FOUND when there is no row; NULL gives 0. */
#define db_int(c, result, ...) db_int_((c), (result), DB_SQL_(__VA_ARGS__))

/* For the rare list that is merged by hand: the `next` of a page whose last key was this, and back
 * (E_INVALID on "cursor"). */
struct str db_cursor_print(struct call *c, int64_t key);
enum err db_cursor_parse(struct call *c, struct str cursor, int64_t *key);

/* --- arguments -------------------------------------------------------------------------------- */

enum db_kind { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };

/* A parameter or a cell. Text and blobs point into memory that outlives the call (parameters) or
 * the row (cells). */
struct db_value {
    enum db_kind kind; /* of a NULL parameter: DB_NULL, with .was telling its type */
    enum db_kind was;
    int64_t i;
    struct str s;
};

struct db_value db_of_id(struct id v);
struct db_value db_of_str(struct str v);
struct db_value db_of_bytes(struct bytes v);
struct db_value db_of_when(struct when v);
struct db_value db_of_currency(struct currency v);
struct db_value db_of_int(int64_t v);
struct db_value db_of_bool(bool v);

#define DB_ARG_(x)                                                                                 \
    _Generic((x), struct id                                                                        \
             : db_of_id, struct str                                                                \
             : db_of_str, struct bytes                                                             \
             : db_of_bytes, struct when                                                            \
             : db_of_when, struct currency                                                         \
             : db_of_currency, bool                                                                \
             : db_of_bool, int                                                                     \
             : db_of_int, long                                                                     \
             : db_of_int, long long                                                                \
             : db_of_int)(x)

/* The argument of IN_LIST: [1,2,3]. */
struct str db_ids(struct call *c, const struct id *ids, size_t n);

/* An enum as its wire name: NAMED(post_states, in->state). */
#define NAMED(names, value) (str_of((names)[value]))

#define SHAPE_PTR_(p, s) _Generic((p), struct s * : (p))

/* SQL and its arguments: "text", array, count. Twenty arguments are enough for any statement that a
 * person reads. */
#define DB_SQL_(...)                                                                               \
    DB_PICK_(__VA_ARGS__, DB_S20_, DB_S19_, DB_S18_, DB_S17_, DB_S16_, DB_S15_, DB_S14_, DB_S13_,  \
             DB_S12_, DB_S11_, DB_S10_, DB_S9_, DB_S8_, DB_S7_, DB_S6_, DB_S5_, DB_S4_, DB_S3_,    \
             DB_S2_, DB_S1_, DB_S0_, 0)                                                            \
    (__VA_ARGS__)
#define DB_PICK_(q, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17,    \
                 a18, a19, a20, NAME, ...)                                                         \
    NAME
#define DB_V_(n, ...)                ((const struct db_value[]) { __VA_ARGS__ }), (n)
#define DB_S0_(q)                    (q), NULL, 0
#define DB_S1_(q, a)                 (q), DB_V_(1, DB_ARG_(a))
#define DB_S2_(q, a, b)              (q), DB_V_(2, DB_ARG_(a), DB_ARG_(b))
#define DB_S3_(q, a, b, c_)          (q), DB_V_(3, DB_ARG_(a), DB_ARG_(b), DB_ARG_(c_))
#define DB_A4_(a, b, c_, d)          DB_ARG_(a), DB_ARG_(b), DB_ARG_(c_), DB_ARG_(d)
#define DB_S4_(q, a, b, c_, d)       (q), DB_V_(4, DB_A4_(a, b, c_, d))
#define DB_S5_(q, a, b, c_, d, e)    (q), DB_V_(5, DB_A4_(a, b, c_, d), DB_ARG_(e))
#define DB_S6_(q, a, b, c_, d, e, f) (q), DB_V_(6, DB_A4_(a, b, c_, d), DB_ARG_(e), DB_ARG_(f))
#define DB_S7_(q, a, b, c_, d, e, f, g)                                                            \
    (q), DB_V_(7, DB_A4_(a, b, c_, d), DB_ARG_(e), DB_ARG_(f), DB_ARG_(g))
#define DB_S8_(q, a, b, c_, d, e, f, g, h) (q), DB_V_(8, DB_A4_(a, b, c_, d), DB_A4_(e, f, g, h))
#define DB_A8_(a, b, c_, d, e, f, g, h)    DB_A4_(a, b, c_, d), DB_A4_(e, f, g, h)
#define DB_S9_(q, a, b, c_, d, e, f, g, h, i)                                                      \
    (q), DB_V_(9, DB_A8_(a, b, c_, d, e, f, g, h), DB_ARG_(i))
#define DB_S10_(q, a, b, c_, d, e, f, g, h, i, j)                                                  \
    (q), DB_V_(10, DB_A8_(a, b, c_, d, e, f, g, h), DB_ARG_(i), DB_ARG_(j))
#define DB_S11_(q, a, b, c_, d, e, f, g, h, i, j, k)                                               \
    (q), DB_V_(11, DB_A8_(a, b, c_, d, e, f, g, h), DB_ARG_(i), DB_ARG_(j), DB_ARG_(k))
#define DB_S12_(q, a, b, c_, d, e, f, g, h, i, j, k, l)                                            \
    (q), DB_V_(12, DB_A8_(a, b, c_, d, e, f, g, h), DB_A4_(i, j, k, l))
#define DB_S13_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m)                                         \
    (q), DB_V_(13, DB_A8_(a, b, c_, d, e, f, g, h), DB_A4_(i, j, k, l), DB_ARG_(m))
#define DB_S14_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n)                                      \
    (q), DB_V_(14, DB_A8_(a, b, c_, d, e, f, g, h), DB_A4_(i, j, k, l), DB_ARG_(m), DB_ARG_(n))
#define DB_S15_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o)                                   \
    (q), DB_V_(15, DB_A8_(a, b, c_, d, e, f, g, h), DB_A4_(i, j, k, l), DB_ARG_(m), DB_ARG_(n),    \
               DB_ARG_(o))
#define DB_S16_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o, p)                                \
    (q), DB_V_(16, DB_A8_(a, b, c_, d, e, f, g, h), DB_A8_(i, j, k, l, m, n, o, p))
#define DB_S17_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o, p, r)                             \
    (q), DB_V_(17, DB_A8_(a, b, c_, d, e, f, g, h), DB_A8_(i, j, k, l, m, n, o, p), DB_ARG_(r))
#define DB_S18_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o, p, r, s_)                         \
    (q), DB_V_(18, DB_A8_(a, b, c_, d, e, f, g, h), DB_A8_(i, j, k, l, m, n, o, p), DB_ARG_(r),    \
               DB_ARG_(s_))
#define DB_S19_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o, p, r, s_, t)                      \
    (q), DB_V_(19, DB_A8_(a, b, c_, d, e, f, g, h), DB_A8_(i, j, k, l, m, n, o, p), DB_ARG_(r),    \
               DB_ARG_(s_), DB_ARG_(t))
#define DB_S20_(q, a, b, c_, d, e, f, g, h, i, j, k, l, m, n, o, p, r, s_, t, u)                   \
    (q), DB_V_(20, DB_A8_(a, b, c_, d, e, f, g, h), DB_A8_(i, j, k, l, m, n, o, p),                \
               DB_A4_(r, s_, t, u))

enum err db_one_(struct call *c, const struct shape *s, void *out, const char *sql,
                 const struct db_value *args, size_t n);
enum err db_list_(struct call *c, const struct shape *s, struct list *list, const char *sql,
                  const struct db_value *args, size_t n);
enum err db_page_(struct call *c, const struct shape *s, struct str cursor, int64_t limit,
                  const char *sql, const struct db_value *args, size_t n);
enum err db_run_(struct call *c, const char *sql, const struct db_value *args, size_t n);
enum err db_hit_(struct call *c, const char *sql, const struct db_value *args, size_t n);
enum err db_int_(struct call *c, int64_t *result, const char *sql, const struct db_value *args,
                 size_t n);

/* --- what a driver fills ---------------------------------------------------------------------- */

struct db;
struct db_map;

/* A prepared statement. A driver embeds this as its first member and sets columns and names. */
struct db_statement {
    size_t columns;
    struct str *names; /* of the columns */
    /* core's */
    const char *sql; /* the literal's address: the cache's key */
    size_t params;   /* how many arguments the caller gives */
    bool page; /* has $cursor: two more arguments follow, the key to go on from and the limit */
    bool ascending;            /* `key > $cursor` */
    struct db_map *map;        /* which field of a shape each column fills */
    struct db_statement *next; /* in the cache's bucket */
};

/* Called for each row; cells live until it returns. Another value than E_OK ends the query with
 * it. */
typedef enum err db_row(void *context, struct db_statement *s, const struct db_value *cells);

/* E_OK, E_TAKEN (unique), E_BUSY (serialisation, deadlock, lock time-out: run the whole transaction
 * again), E_UNAVAILABLE (no connection), E_STORAGE_FULL, E_NO_MEMORY, E_INTERNAL (a bug: logged by the driver
 * with the SQL). */
struct db_ops {
    /* text: already translated; it dies after the call. args tell the types only: a statement is
     * given the same kinds each time; NULL when they are not known (a test that prepares every
     * literal). The driver allocates with calloc; core frees through drop. */
    enum err (*prepare)(struct db *db, const char *text, const struct db_value *args, size_t n,
                        struct db_statement **result);
    void (*drop)(struct db *db, struct db_statement *s);
    /* changed may be NULL; row may be NULL when no row can come. */
    enum err (*query)(struct db *db, struct db_statement *s, const struct db_value *args, size_t n,
                      db_row *row, void *context, int64_t *changed);
    /* These seven keep open_transaction and clear broken; with broken set, commit and release undo
     * and return it. */
    enum err (*begin)(struct db *db, bool write);
    /* An I/O error here leaves the outcome unknown: the driver logs it and stops the process; it
     * never returns one. */
    enum err (*commit)(struct db *db);
    void (*rollback)(struct db *db);
    enum err (*savepoint)(struct db *db); /* one level: the writer's batch */
    enum err (*release)(struct db *db);
    void (*rollback_to)(struct db *db); /* and releases */
    /* For migrations: until the transaction ends no other node is past this line, and time limits
     * are off. */
    enum err (*alone)(struct db *db);
    enum err (*script)(struct db *db, struct str sql); /* several statements, already translated */
    /* Tells other nodes after the commit (PostgreSQL's NOTIFY); nothing on SQLite. text < 8,000
     * bytes; once in a WRITE, at its end. Nobody hears of a transaction that is rolled back; of one
     * whose COMMIT fails they may. */
    enum err (*announce)(struct db *db, struct str text);
    void (*close)(struct db *db);
};

enum { DB_BUCKETS = 256 };

/* A connection; used by one thread at a time. A driver embeds this as its first member. */
struct db {
    const struct db_ops *ops;
    struct engine *engine;
    struct db_statement *cache[DB_BUCKETS]; /* by the literal's address */
    bool open_transaction;
    /* The error that a statement of this transaction (or savepoint) ended with: it can only be
     * undone now, on both engines. Every further query returns it again, so a handler that swallows
     * it cannot commit half of its work. */
    enum err broken;
};

/* text occurs as a whole word -> instead of it. */
struct db_word {
    const char *word, *instead;
};

/* What one who listens to the other nodes is told, on the thread that listens. */
struct db_listener {
    /* A text that another node (or this one) announced. None: the line was cut, and some were
     * missed. */
    void (*heard)(void *context, struct str text);
    /* All that was announced until then (monotonic_us) has been heard. Comes several times a second
     * as long as the line is good: who hears it no more cannot know what he misses. */
    void (*current)(void *context, int64_t at_us);
    void *context;
    const bool *stop;
};

struct engine_ops {
    const char *name;   /* "sqlite", "postgres" */
    bool single_writer; /* one writer thread with group commit; readers on the loop threads */
    const struct db_word *words; /* ends with { NULL, NULL } */
    const char *in_list;         /* what `IN_LIST($n)` becomes; %s stands for $n */
    enum err (*open)(struct engine *e, bool write, struct db **result);
    /* Blocks a thread until *l->stop is set (looked at each 200 ms); returns at once when the
     * engine has no other nodes. */
    void (*listen)(struct engine *e, const struct db_listener *l);
    void (*close)(struct engine *e);
};

/* A database; thread-safe. A driver embeds this as its first member. */
struct engine {
    const struct engine_ops *ops;
    struct log *log;
    struct reserve *reserve; /* the env's; NULL while there is none */
};

/* --- for core and tests ----------------------------------------------------------------------- */

/* The statement for a literal, translated and prepared once; `$cursor` becomes a parameter and
 * LIMIT another. args tell the types; NULL leaves them to the engine (then the statement is fit to
 * look at, not to run). */
enum err db_statement_of(struct db *db, const char *sql, const struct db_value *args, size_t n,
                         struct db_statement **result);
struct db_text {
    struct str text; /* as the engine takes it */
    size_t params;   /* the highest $n that the author wrote */
    bool page, ascending;
};
struct db_text db_text_of(struct arena *a, const struct engine *e, const char *sql);
/* Words replaced, outside of literals and comments. */
struct str db_translate(struct arena *a, const struct engine *e, struct str sql);
/* Runs every schema file of these modules not yet run, each in a transaction, in order. E_CONFLICT
 * when a file that was run has changed. "0040-ledger-books" is the module ledger's: a program has
 * the tables of its own modules only. NULL: all. What stands after a line "-- on sqlite" or "-- on
 * postgres" runs on that engine only, until "-- on both": triggers. */
enum err db_migrate(struct engine *e, struct log *log, const struct module *const *modules,
                    size_t n);
void db_close(struct db *db); /* with its statements; NULL is allowed */

#endif
