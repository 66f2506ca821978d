/* err.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/err.h"
#include "base/check.h"

static const struct {
    const char *name;
    int status;
    const char *sentence;
} table[ERR_COUNT] = {
    [E_OK] = { "OK", 200, "" },
#define ERR(name, status, sentence) [E_##name] = { #name, status, sentence },
#include "core/errors.def"
#undef ERR
};

struct str err_code(struct arena *a, enum err e)
{
    must(e >= 0 && e < ERR_COUNT);
    return str_lower(a, str_of(table[e].name));
}

int err_status(enum err e)
{
    must(e >= 0 && e < ERR_COUNT);
    return table[e].status;
}

const char *err_sentence(enum err e)
{
    must(e >= 0 && e < ERR_COUNT);
    return table[e].sentence;
}
