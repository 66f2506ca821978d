/* err.h -- one error type for everything; the list is errors.def. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include "base/str.h"

enum err {
    E_OK,
#define ERR(name, status, sentence) E_##name,
#include "core/errors.def"
#undef ERR
    ERR_COUNT,
};

/* Passes an error up; only where nothing but arena memory is owned. */
#define TRY(x)                                                                                     \
    do {                                                                                           \
        enum err try_err_ = (x);                                                                   \
        if (try_err_ != E_OK)                                                                      \
            return try_err_;                                                                       \
    } while (0)

struct str err_code(struct arena *a, enum err e); /* "not_found" */
int err_status(enum err e);
const char *err_sentence(enum err e);

/* What a call says of its failure; becomes problem+json (RFC 9457). */
struct problem {
    enum err code;
    struct str detail;   /* none: the code's sentence */
    struct str field;    /* the member, parameter or header to blame; none when it is none */
    int64_t retry_after; /* seconds; 0: not sent */
};

#endif
