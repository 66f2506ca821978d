/* db_text.c -- from the SQL that domain code writes to the text that an engine takes. Once a statement, never a call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/db.h"

#include <string.h>

#define CURSOR_MARK "$cursor"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_at(struct str s, size_t i, const char *what)
{
    return str_starts(str_cut(s, i, s.n), what);
}

static size_t after(struct str s, size_t i, const char *end)
{
    for (; i < s.n; i++)
        if (is_at(s, i, end))
            return i + strlen(end);
    return s.n;
}

/* The end of the literal, the quoted name or the comment that begins at i; i when none does. */
static size_t skip(struct str s, size_t i)
{
    if (is_at(s, i, "'"))
        return after(s, i + 1, "'");
    if (is_at(s, i, "\""))
        return after(s, i + 1, "\"");
    if (is_at(s, i, "--"))
        return after(s, i, "\n");
    if (is_at(s, i, "/*"))
        return after(s, i, "*/");
    return i;
}

static const struct db_word *word_at(const struct engine *e, struct str s, size_t i)
{
    if (i > 0 && is_word(s.p[i - 1]))
        return NULL;
    for (const struct db_word *w = e->ops->words; w->word != NULL; w++) {
        size_t end = i + strlen(w->word);
        if (is_at(s, i, w->word) && (end == s.n || !is_word(s.p[end - 1]) || !is_word(s.p[end])))
            return w;
    }
    return NULL;
}

/* IN_LIST($n) at i: adds what the engine says for it and returns its end; i when it does not stand there. */
static size_t in_list(struct buf *b, const struct engine *e, struct str s, size_t i)
{
    static const char mark[] = "IN_LIST(";
    size_t from = i + sizeof(mark) - 1, end;

    if (!is_at(s, i, mark) || (i > 0 && is_word(s.p[i - 1])))
        return i;
    end = after(s, from, ")");
    struct str before = str_of(e->ops->in_list), rest;
    const char *at = strstr(before.p, "%s");
    must(at != NULL);
    rest = str_of(at + 2);
    before.n = (size_t)(at - before.p);
    buf_add(b, before);
    buf_add(b, str_cut(s, from, end - 1 - from));
    buf_add(b, rest);
    return end;
}

struct str db_translate(struct arena *a, const struct engine *e, struct str sql)
{
    struct buf b = { .arena = a };

    for (size_t i = 0; i < sql.n;) {
        size_t end = skip(sql, i);
        const struct db_word *w = end > i ? NULL : word_at(e, sql, i);
        if (end > i) {
            buf_add(&b, str_cut(sql, i, end - i));
        } else if (w != NULL) {
            buf_add(&b, str_of(w->instead));
            end = i + strlen(w->word);
        } else if ((end = in_list(&b, e, sql, i)) == i) {
            buf_char(&b, sql.p[end++]);
        }
        i = end;
    }
    return buf_str(&b);
}

static size_t digits(struct str s, size_t i)
{
    size_t n = 0;

    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        n = n * 10 + (size_t)(s.p[i] - '0');
    return n;
}

/* The highest $n, and where $cursor stands (SIZE_MAX when it does not). */
static size_t parameters(struct str s, size_t *cursor)
{
    size_t most = 0;

    *cursor = SIZE_MAX;
    for (size_t i = 0, end; i<s.n; i = end> i ? end : i + 1) {
        end = skip(s, i);
        if (end > i || s.p[i] != '$')
            continue;
        if (is_at(s, i, CURSOR_MARK)) {
            must(*cursor == SIZE_MAX); /* $cursor stands once */
            *cursor = i;
        }
        size_t n = digits(s, i + 1);
        most = n > most ? n : most;
    }
    return most;
}

static bool is_ascending(struct str before)
{
    struct str s = str_trim(before);

    must(str_ends(s, "<") || str_ends(s, ">")); /* key < $cursor, or key > $cursor */
    return str_ends(s, ">");
}

struct db_text db_text_of(struct arena *a, const struct engine *e, const char *sql)
{
    struct db_text t = { .text = db_translate(a, e, str_of(sql)) };
    size_t cursor;

    t.params = parameters(t.text, &cursor);
    if (cursor == SIZE_MAX)
        return t;
    struct str before = str_cut(t.text, 0, cursor);
    struct str rest = str_cut(t.text, cursor + sizeof(CURSOR_MARK) - 1, t.text.n);
    t.page = true;
    t.ascending = is_ascending(before);
    t.text = str_printf(a, "%.*s$%zu%.*s LIMIT $%zu", STR_FMT(before), t.params + 1, STR_FMT(rest),
                        t.params + 2);
    return t;
}
