/* json.h -- reading JSON into an arena, writing it as a stream.
 *
 * The reader is stricter than RFC 8259: depth, numbers beyond 64 bits, duplicate members and NUL are
 * refused.
 * Domain code never sees either: it speaks through shapes (core/shape.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/str.h"

enum json_kind {
    J_NULL,
    J_BOOL,
    J_INTEGER,
    J_REAL,
    J_TEXT,
    J_LIST,
    J_OBJECT,
};

struct json {
    enum json_kind kind;
    bool boolean;
    int64_t integer;
    double real;
    struct str text;
    size_t n;           /* of a list or an object */
    struct str *names;  /* of an object */
    struct json *items; /* of a list or an object */
};

enum { JSON_DEPTH_MAX = 32 };

/* Why a text is refused: a sentence's end, the place, and the member where one is to blame. */
struct json_fault {
    const char *why;
    int line, column;  /* from 1; 0: of the whole */
    struct str member; /* lies in the text; none: no single one */
};

/* NULL when it is not JSON we accept. Numbers beyond 64 bits are refused. */
const struct json *json_read(struct arena *a, struct str text, struct json_fault *fault);
/* ... for those who need the sentence only. */
const struct json *json_parse(struct arena *a, struct str text, const char **why);
/* The member, or NULL. */
const struct json *json_get(const struct json *object, const char *name);
struct str json_text(const struct json *object, const char *name); /* none when absent or no text */
int64_t json_number(const struct json *object, const char *name, int64_t otherwise);

/* Streaming writer. Commas are its business; nesting is checked by must(). */
struct json_out {
    struct buf *buf;
    unsigned depth;
    uint64_t comma; /* one bit a level: something stands before */
};

void json_open(struct json_out *o, char bracket); /* '{' or '[' */
void json_close(struct json_out *o, char bracket);
void json_name(struct json_out *o, struct str name);
void json_put_str(struct json_out *o, struct str s); /* none gives null */
void json_put_int(struct json_out *o, int64_t n);
void json_put_bool(struct json_out *o, bool b);
void json_put_null(struct json_out *o);
void json_put_raw(struct json_out *o, struct str json); /* already JSON */
/* name and value at once */
void json_str(struct json_out *o, const char *name, struct str s);
void json_int(struct json_out *o, const char *name, int64_t n);
void json_bool(struct json_out *o, const char *name, bool b);

#endif
