/* form_fuzz.c -- nested forms into trees. What is taken means the same when it is written with every name in full.
 *
 * The program takes no multipart bodies: files come as the body itself. This is its only parser of forms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/form.h"
#include "core/shape.h"
#include "test/fuzz.h"

#include <stdio.h>
#include <string.h>

static void write_form(struct buf *b, const struct json *j, struct str name)
{
    if (j->kind == J_TEXT) {
        struct str n = url_encode(b->arena, name), v = url_encode(b->arena, j->text);
        buf_printf(b, "%s%.*s=%.*s", b->n > 0 ? "&" : "", STR_FMT(n), STR_FMT(v));
        return;
    }
    for (size_t i = 0; i < j->n; i++) {
        struct str at = j->names[i];
        write_form(b, &j->items[i],
                   name.n == 0 ? at
                               : str_printf(b->arena, "%.*s[%.*s]", STR_FMT(name), STR_FMT(at)));
    }
}

static bool equal(const struct json *x, const struct json *y)
{
    if (x->kind != y->kind || x->n != y->n || !str_eq(x->text, y->text))
        return false;
    for (size_t i = 0; i < x->n; i++)
        if (!str_eq(x->names[i], y->names[i]) || !equal(&x->items[i], &y->items[i]))
            return false;
    return true;
}

struct extent {
    size_t leaves, deep, name;
};

static void check_tree(const struct json *j, size_t deep, size_t name, struct extent *e)
{
    bool list = j->kind == J_LIST;

    e->deep = deep > e->deep ? deep : e->deep;
    e->name = name > e->name ? name : e->name;
    e->leaves += j->kind == J_TEXT;
    HOLDS(j->kind == J_TEXT || j->kind == J_OBJECT || (list && j->n > 0));
    HOLDS(j->kind != J_TEXT || str_is_utf8(j->text));
    for (size_t i = 0; i < j->n; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", i);
        HOLDS(!list || str_is(j->names[i], number));
        for (size_t k = 0; k < i; k++)
            HOLDS(!str_eq(j->names[i], j->names[k]));
        check_tree(&j->items[i], deep + 1, name + j->names[i].n + 2, e);
    }
}

FUZZ(form)
{
    struct str why = STR_NONE, no_matter;
    const struct json *j = form_parse(a, in, &why);
    struct extent e = { 0 };
    struct buf b = { .arena = a };

    if (j == NULL) {
        HOLDS(why.n > 0 && str_is_utf8(why));
        return;
    }
    HOLDS(j->kind == J_OBJECT);
    check_tree(j, 0, 0, &e);
    HOLDS(e.leaves <= FORM_PAIRS_MAX && e.deep <= FORM_DEPTH_MAX);
    if (j->n > 0)
        fuzz_taken();
    if (e.name > FORM_NAME_MAX) /* "a[]" is longer when it is numbered */
        return;
    write_form(&b, j, STR(""));
    const struct json *again = form_parse(a, fuzz_exact(a, buf_str(&b)), &no_matter);
    HOLDS(again != NULL && equal(j, again));
}
