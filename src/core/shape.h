/* shape.h -- the only description of data that crosses a boundary.
 *
 * A shape is a struct and a table of its fields. The table decodes and validates JSON, query
 * strings and path parameters, encodes JSON, fills the struct from SQL columns by name, and prints
 * OpenAPI 3.1 and TypeScript. The wire name, the member and the column are the same word.
 *
 * "None" is a str with p == NULL, an id or when of 0, an INT_NONE, an empty currency, a NULL nest.
 * A none value of an optional field is left out of JSON; of a nullable one it is written as null.
 * PATCH needs to tell absent from null: such a struct has a member `struct given given;` and its
 * shape is declared with PATCH_SHAPE.
 *
 * Money: MONEY(x, price, ...) is the member "price" (minor units) and one member "currency" beside
 * it, shared by all MONEY fields of the shape; in SQL likewise. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include "base/check.h"
#include "base/id.h"
#include "base/json.h"
#include "base/money.h"
#include "base/str.h"
#include "base/when.h"
#include "core/err.h"

enum id_kind {
    ID_KIND_NONE,
#define ID_KIND(name, prefix) ID_##name,
#include "core/ids.def"
#undef ID_KIND
    ID_KIND_COUNT,
};
const char *id_prefix(enum id_kind kind);
/* "pst_01h…"; none for ID_NONE. */
struct str id_text(struct arena *a, enum id_kind kind, struct id id);

/* Value of an INTEGER field that is optional and absent (unless it has a .fallback). */
#define INT_NONE INT64_MIN

enum field_kind {
    FIELD_ID,     /* struct id */
    FIELD_MONEY,  /* struct money */
    FIELD_TEXT,   /* struct str; min and max in characters; no control characters but \n and \t */
    FIELD_ENUM,   /* an enum; the wire and SQL value is .names[value] */
    FIELD_BOOL,   /* bool */
    FIELD_INT,    /* int64_t; min and max */
    FIELD_WHEN,   /* struct when */
    FIELD_EMAIL,  /* struct str, lower-cased */
    FIELD_HANDLE, /* struct str: 3..30 of a-z 0-9 _, lower-cased */
    FIELD_URL,    /* struct str: absolute http(s), or a path of ours */
    FIELD_CURSOR, /* struct str: as `next` gave it */
    FIELD_NEST,   /* pointer to a struct of .shape */
    FIELD_LIST,   /* LIST_OF(struct): items of .shape; min and max count */
    FIELD_IDS,    /* LIST_OF(id): ids of .id; min and max count */
    FIELD_TEXTS,  /* LIST_OF(str); max counts items, each at most 100 characters */
};

struct shape;

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    const char *doc;
    enum id_kind id;
    const struct shape *shape;
    const char *const *names; /* ends in NULL */
    int64_t min, max;
    int64_t fallback;   /* value of an absent optional bool, int or enum */
    bool optional;      /* may be absent in JSON */
    bool nullable;      /* may be null; on output none is written as null */
    bool secret;        /* a password or token: never logged, never in an example */
    const char *sample; /* for the documentation */
};

struct shape {
    const char *name;
    const struct field *fields;
    size_t n;
    size_t size;
    size_t given; /* offset of the struct given, or SIZE_MAX */
};

/* Which fields a body named (bit = index in the table), and which of them were null. */
struct given {
    uint64_t named, null;
};

/* A counted array of a struct type; the generic form is struct list. */
#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        struct type *v;                                                                            \
        size_t n;                                                                                  \
    }
struct list {
    void *v;
    size_t n;
};

/* 0, or no compilation when the member is not of that type. */
#define SHAPE_TYPE_(s, m, type)                                                                    \
    (0 * sizeof(char[_Generic(((struct s *)0)->m, type : 1, default : -1)]))
#define SHAPE_ENUM_(s, m)                                                                          \
    (0 * sizeof(char[_Generic(((struct s *)0)->m, int : 1, unsigned : 1, default : -1)]))
#define FIELD_(s, m, k, at, text, ...)                                                             \
    {                                                                                              \
        .name = #m, .kind = (k), .offset = (at), .doc = (text), __VA_ARGS__                        \
    }
#define STRUCT_(s, m, k, type, text, ...)                                                          \
    FIELD_(s, m, k, offsetof(struct s, m) + SHAPE_TYPE_(s, m, type), text, __VA_ARGS__)

/* ID(post, id, ID_POST, "Post"), TEXT(post, text, "Caption", .max = 5000, .optional = true), ... */
#define ID(s, m, of, ...) STRUCT_(s, m, FIELD_ID, struct id, __VA_ARGS__, .id = (of))
#define MONEY(s, m, ...)  STRUCT_(s, m, FIELD_MONEY, struct money, __VA_ARGS__, .id = ID_KIND_NONE)
#define TEXT(s, m, ...)   STRUCT_(s, m, FIELD_TEXT, struct str, __VA_ARGS__, .id = ID_KIND_NONE)
#define ENUM(s, m, of, ...)                                                                        \
    FIELD_(s, m, FIELD_ENUM, offsetof(struct s, m) + SHAPE_ENUM_(s, m), __VA_ARGS__, .names = (of))
#define BOOL(s, m, ...)    STRUCT_(s, m, FIELD_BOOL, bool, __VA_ARGS__, .id = ID_KIND_NONE)
#define INTEGER(s, m, ...) STRUCT_(s, m, FIELD_INT, int64_t, __VA_ARGS__, .id = ID_KIND_NONE)
#define WHEN(s, m, ...)    STRUCT_(s, m, FIELD_WHEN, struct when, __VA_ARGS__, .id = ID_KIND_NONE)
#define EMAIL(s, m, ...)   STRUCT_(s, m, FIELD_EMAIL, struct str, __VA_ARGS__, .max = 254)
#define HANDLE(s, m, ...)  STRUCT_(s, m, FIELD_HANDLE, struct str, __VA_ARGS__, .min = 3, .max = 30)
#define URL(s, m, ...)     STRUCT_(s, m, FIELD_URL, struct str, __VA_ARGS__, .max = 2000)
#define CURSOR(s, m)                                                                               \
    STRUCT_(s, m, FIELD_CURSOR, struct str, "Where the last page ended (its `next`)",              \
            .optional = true, .max = 40)
#define LIMIT(s, m)                                                                                \
    STRUCT_(s, m, FIELD_INT, int64_t, "Items a page", .optional = true, .min = 1, .max = 100,      \
            .fallback = 20)
#define NEST(s, m, of, ...)                                                                        \
    STRUCT_(s, m, FIELD_NEST, struct of *, __VA_ARGS__, .shape = &of##_shape)
#define LIST(s, m, of, ...)                                                                        \
    FIELD_(s, m, FIELD_LIST, offsetof(struct s, m) + SHAPE_TYPE_(s, m.v, struct of *),             \
           __VA_ARGS__, .shape = &of##_shape)
#define IDS(s, m, of, ...)                                                                         \
    FIELD_(s, m, FIELD_IDS, offsetof(struct s, m) + SHAPE_TYPE_(s, m.v, struct id *), __VA_ARGS__, \
           .id = (of))
#define TEXTS(s, m, ...)                                                                           \
    FIELD_(s, m, FIELD_TEXTS, offsetof(struct s, m) + SHAPE_TYPE_(s, m.v, struct str *),           \
           __VA_ARGS__, .id = ID_KIND_NONE)

/* After `static const struct field NAME_fields[] = {...};`. A shape that another file nests is
 * declared in a header, `extern const struct shape NAME_shape;`, and defined with SHAPE; one of a
 * single file with STATIC_SHAPE. */
#define SHAPE_BODY_(s, at)                                                                         \
    {                                                                                              \
        .name = #s, .fields = s##_fields, .n = COUNT(s##_fields), .size = sizeof(struct s),        \
        .given = (at)                                                                              \
    }
#define SHAPE(s)        const struct shape s##_shape = SHAPE_BODY_(s, SIZE_MAX)
#define STATIC_SHAPE(s) static const struct shape s##_shape = SHAPE_BODY_(s, SIZE_MAX)
#define PATCH_SHAPE(s)                                                                             \
    static const struct shape s##_shape =                                                          \
        SHAPE_BODY_(s, offsetof(struct s, given) + SHAPE_TYPE_(s, given, struct given))

/* Did the body name this field? GIVEN(post_edit, in, text). NULLED: and was it null? */
#define GIVEN(s, in, m)  shape_given(&s##_shape, (in), offsetof(struct s, m), false)
#define NULLED(s, in, m) shape_given(&s##_shape, (in), offsetof(struct s, m), true)
bool shape_given(const struct shape *s, const void *value, size_t offset, bool null);

/* Checks a table for our own mistakes (a text without .max, a name twice, ...). Called at start for
 * every shape. */
void shape_check(const struct shape *s);

/* Fills out (s->size zeroed bytes) from JSON. On failure p names the field ("media[2]",
 * "tiers"). */
enum err shape_decode(const struct shape *s, const struct json *j, struct arena *a, void *out,
                      struct problem *p);
/* ... from "a=1&b=2": percent-decoded here; duplicates and unknown names refused. */
enum err shape_decode_query(const struct shape *s, struct str query, struct arena *a, void *out,
                            struct problem *p);
/* ... one field from its text form, as path parameters and SQL enums have it. An id of another
 * kind: E_NOT_FOUND. */
enum err field_decode_text(const struct field *f, struct str text, struct arena *a, void *out,
                           struct problem *p);

void shape_encode(const struct shape *s, const void *value, struct json_out *o);
struct str shape_json(const struct shape *s, const void *value, struct arena *a);

const struct field *shape_field(const struct shape *s, struct str name); /* NULL when unknown */
bool shape_has_money(const struct shape *s);
int enum_value(const char *const *names, struct str text); /* index, or -1 */

/* Percent-decoding of one component ('+' is a space when form); none when malformed or not
 * UTF-8. */
struct str url_decode(struct arena *a, struct str text, bool form);
struct str url_encode(struct arena *a, struct str text); /* RFC 3986 unreserved stay */

#endif
