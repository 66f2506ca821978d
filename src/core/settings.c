/* settings.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/settings.h"

#include <inttypes.h>
#include <string.h>

struct entry {
    const struct setting *setting;
    struct str value;
    const char *source;
};

struct settings {
    struct entry *entries;
    size_t n;
};

static struct entry *entry_of(const struct settings *s, struct str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_is(name, s->entries[i].setting->name))
            return &s->entries[i];
    return NULL;
}

static bool is_word(struct str words, struct str value)
{
    struct str one;

    while (words.n > 0) {
        words = str_split(words, ' ', &one);
        if (str_eq(one, value))
            return true;
    }
    return false;
}

static bool is_url(struct str value)
{
    size_t scheme = str_starts(value, "https://") ? 8 : str_starts(value, "http://") ? 7 : 0;

    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] <= ' ' || value.p[i] >= 0x7f || strchr("\"<>\\", value.p[i]) != NULL)
            return false;
    return value.n == 0 || (scheme > 0 && value.n > scheme && value.p[scheme] != '/');
}

static bool valid(const struct setting *t, struct str value)
{
    int64_t n;

    if (t->kind == SETTING_INT)
        return str_int(value, &n) && n >= t->min && n <= t->max;
    if (t->kind == SETTING_BOOL)
        return str_is(value, "true") || str_is(value, "false");
    if (t->kind == SETTING_WORD)
        return is_word(str_of(t->value), value);
    if (t->kind == SETTING_URL)
        return is_url(value);
    return str_is_utf8(value);
}

static struct str wanted(struct arena *a, const struct setting *t)
{
    switch (t->kind) {
    case SETTING_INT:
        return str_printf(a, "a whole number from %" PRId64 " to %" PRId64, t->min, t->max);
    case SETTING_BOOL:
        return STR("true or false");
    case SETTING_WORD:
        return str_printf(a, "one of: %s", t->value);
    case SETTING_URL:
        return STR("an address that begins with http:// or https://");
    case SETTING_TEXT:
    case SETTING_SECRET:
        break;
    }
    return STR("UTF-8 text");
}

static struct str default_of(const struct setting *t)
{
    struct str value = str_of(t->value);

    if (t->kind == SETTING_WORD)
        str_split(value, ' ', &value);
    return value;
}

static bool set(struct arena *a, struct settings *s, struct str name, struct str value,
                const char *source, struct str *why)
{
    struct entry *e = entry_of(s, name);

    if (e == NULL) {
        *why = str_printf(a, "there is no setting \"%.*s\" (%s); `stagedoor config` lists them",
                          STR_FMT(name), source);
        return false;
    }
    if (!valid(e->setting, value)) {
        *why = str_printf(a, "%s (%s) must be %.*s", e->setting->name, source,
                          STR_FMT(wanted(a, e->setting)));
        return false;
    }
    e->value = str_copy(a, value);
    e->source = source;
    return true;
}

static bool load_file(struct arena *a, struct settings *s, struct str file, struct str *why)
{
    struct str line, name;

    while (file.n > 0) {
        file = str_split(file, '\n', &line);
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        struct str value = str_split(line, '=', &name);
        if (!set(a, s, str_trim(name), str_trim(value), "file", why))
            return false;
    }
    return true;
}

/* STAGEDOOR_PAYMENT_FEE_BP is payment.fee_bp: compared with '.' as '_' and case folded. */
static bool same_name(struct str env_name, const char *name)
{
    if (env_name.n != strlen(name))
        return false;
    for (size_t i = 0; i < env_name.n; i++) {
        char c = name[i] == '.' ? '_'
                                : (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
        if (c != env_name.p[i])
            return false;
    }
    return true;
}

static bool load_environment(struct arena *a, struct settings *s, char *const *environment,
                             struct str *why)
{
    static const char prefix[] = "STAGEDOOR_";

    for (; environment != NULL && *environment != NULL; environment++) {
        struct str name, value = str_split(str_of(*environment), '=', &name);
        if (!str_starts(name, prefix))
            continue;
        name = str_cut(name, sizeof(prefix) - 1, name.n);
        for (size_t i = 0; i < s->n; i++)
            if (same_name(name, s->entries[i].setting->name) &&
                !set(a, s, str_of(s->entries[i].setting->name), value.p == NULL ? STR("") : value,
                     "environment", why))
                return false;
    }
    return true;
}

bool settings_load(struct arena *a, const struct module *const *modules, size_t n, struct str file,
                   char *const *environment, char *const *args, size_t args_n,
                   struct settings **result, struct str *why)
{
    struct settings *s = arena_new(a, struct settings);

    for (size_t m = 0; m < n; m++)
        s->n += modules[m]->settings_n;
    s->entries = arena_array(a, struct entry, s->n + 1);
    size_t k = 0;
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < modules[m]->settings_n; i++) {
            const struct setting *t = &modules[m]->settings[i];
            must(valid(t, default_of(t)));
            s->entries[k++] = (struct entry) { t, default_of(t), "default" };
        }
    if (!load_file(a, s, file, why) || !load_environment(a, s, environment, why))
        return false;
    for (size_t i = 0; i < args_n; i++) {
        struct str name, value = str_split(str_of(args[i]), '=', &name);
        if (!str_starts(name, "--")) {
            *why = str_printf(a, "\"%s\" is not --name=value", args[i]);
            return false;
        }
        if (!set(a, s, str_cut(name, 2, name.n), value.p == NULL ? STR("true") : value,
                 "command line", why))
            return false;
    }
    *result = s;
    return true;
}

static struct str must_have(const struct settings *s, const char *name, bool int_wanted)
{
    struct entry *e = entry_of(s, str_of(name));

    must(e != NULL && (!int_wanted || e->setting->kind == SETTING_INT));
    return e->value;
}

struct str setting_text(const struct settings *s, const char *name)
{
    return must_have(s, name, false);
}

int64_t setting_int(const struct settings *s, const char *name)
{
    int64_t n = 0;

    must(str_int(must_have(s, name, true), &n));
    return n;
}

bool setting_bool(const struct settings *s, const char *name)
{
    return str_is(must_have(s, name, false), "true");
}

struct str settings_print(const struct settings *s, struct arena *a)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < s->n; i++) {
        const struct entry *e = &s->entries[i];
        bool hide = e->setting->kind == SETTING_SECRET && e->value.n > 0;
        buf_printf(&b, "# %s\n%s = ", e->setting->doc, e->setting->name);
        buf_add(&b, hide ? STR("********") : e->value);
        buf_printf(&b, "    # %s\n", e->source);
    }
    return buf_str(&b);
}
