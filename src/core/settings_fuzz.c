/* settings_fuzz.c -- the settings file, the environment and the command line, beside a reader that takes the last of each name.
 *
 * An input has three parts with a line "--" between them: lines of the file, of the environment, and arguments. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/settings.h"
#include "test/fuzz.h"

#include <string.h>

static const struct setting rows[] = {
    { "a.text", SETTING_TEXT, "one", "A text", 0, 0 },
    { "a.number", SETTING_INT, "5", "A number", -3, 1000 },
    { "a.switch", SETTING_BOOL, "false", "A switch", 0, 0 },
    { "a.secret", SETTING_SECRET, "", "A secret", 0, 0 },
    { "a.word", SETTING_WORD, "red green blue", "A word", 0, 0 },
    { "a.url", SETTING_URL, "", "An address", 0, 0 },
};
static const struct module module = { .name = "a", MODULE_SETTINGS(rows) };
static const struct module *const list[] = { &module };
enum { LINES_MAX = 20 };

struct lines {
    char *v[LINES_MAX + 1];
    size_t n;
};

static struct lines lines_of(struct str text, struct arena *a)
{
    struct lines l = { .n = 0 };
    struct str one;

    while (text.n > 0 && l.n < LINES_MAX) {
        text = str_split(text, '\n', &one);
        if (one.n > 0 && memchr(one.p, 0, one.n) == NULL)
            l.v[l.n++] = arena_copy(a, str_copy(a, one).p, one.n + 1);
    }
    return l;
}

/* Everything up to a line "--". */
static struct str part(struct str *rest)
{
    const char *at = rest->n < 4 ? NULL : memmem(rest->p, rest->n, "\n--\n", 4);
    struct str s = *rest;

    if (at == NULL) {
        *rest = STR("");
        return s;
    }
    s.n = (size_t)(at - s.p);
    *rest = str_cut(*rest, s.n + 4, rest->n);
    return s;
}

/* What the last line that names the setting says; then the environment; then the arguments. */
static struct str naive(size_t i, struct str file, const struct lines *env,
                        const struct lines *args, struct arena *a)
{
    struct str found = str_of(rows[i].value), line, name;
    char upper[40] = "STAGEDOOR_";

    if (rows[i].kind == SETTING_WORD)
        found = STR("red");
    for (size_t k = 0; rows[i].name[k] != 0; k++)
        upper[10 + k] = rows[i].name[k] == '.' ? '_' : (char)(rows[i].name[k] - 32);
    while (file.n > 0) {
        file = str_split(file, '\n', &line);
        struct str value = str_split(str_trim(line), '=', &name);
        if (str_is(str_trim(name), rows[i].name))
            found = value.p == NULL ? STR("") : str_trim(value);
    }
    for (size_t k = 0; k < env->n; k++) {
        struct str value = str_split(str_of(env->v[k]), '=', &name);
        if (str_is(name, upper))
            found = value.p == NULL ? STR("") : value;
    }
    for (size_t k = 0; k < args->n; k++) {
        struct str value = str_split(str_of(args->v[k]), '=', &name);
        if (str_is(name, str_printf(a, "--%s", rows[i].name).p))
            found = value.p == NULL ? STR("true") : value;
    }
    return found;
}

static void check_values(const struct settings *s)
{
    struct str url = setting_text(s, "a.url"), word = setting_text(s, "a.word");
    int64_t n = setting_int(s, "a.number");

    HOLDS(n >= -3 && n <= 1000);
    HOLDS(str_is(word, "red") || str_is(word, "green") || str_is(word, "blue"));
    HOLDS(url.n == 0 || ((str_starts(url, "http://") || str_starts(url, "https://")) &&
                         strcspn(url.p, " \t\"<>\\\n") == url.n));
    HOLDS(str_is_utf8(setting_text(s, "a.text")));
}

/* A file of what was understood is understood the same; where a value has white space at its ends, a file cannot say it. */
static void check_again(const struct settings *s, struct arena *a)
{
    struct buf b = { .arena = a };
    struct settings *again = NULL;
    struct str why;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str v = setting_text(s, rows[i].name);
        if (!str_eq(v, str_trim(v)) || (v.n > 0 && memchr(v.p, '\n', v.n) != NULL))
            return;
        buf_printf(&b, " %s =\t%.*s\r\n#%s\n", rows[i].name, STR_FMT(v), rows[i].doc);
    }
    HOLDS(settings_load(a, list, 1, fuzz_exact(a, buf_str(&b)), NULL, NULL, 0, &again, &why));
    for (size_t i = 0; i < COUNT(rows); i++)
        HOLDS(str_eq(setting_text(again, rows[i].name), setting_text(s, rows[i].name)));
}

/* A secret is not shown, and what is not secret is. */
static void check_print(const struct settings *s, struct arena *a)
{
    struct str text = settings_print(s, a), shown = setting_text(s, "a.text");

    HOLDS((strstr(text.p, "\na.secret = ********    # ") != NULL) ==
          (setting_text(s, "a.secret").n > 0));
    struct str line = str_printf(a, "\na.text = %.*s    # ", STR_FMT(shown));
    HOLDS(memmem(text.p, text.n, line.p, line.n) != NULL);
}

FUZZ(settings)
{
    struct str rest = in;
    struct str file = fuzz_exact(a, part(&rest)), environment = part(&rest);
    struct lines env = lines_of(environment, a), args = lines_of(rest, a);
    struct settings *s = NULL;
    struct str why = STR_NONE;

    if (!settings_load(a, list, 1, file, env.v, args.v, args.n, &s, &why)) {
        HOLDS(why.n > 0 && s == NULL);
        return;
    }
    fuzz_taken();
    for (size_t i = 0; i < COUNT(rows); i++)
        HOLDS(str_eq(setting_text(s, rows[i].name), naive(i, file, &env, &args, a)));
    check_values(s);
    check_again(s, a);
    check_print(s, a);
}
