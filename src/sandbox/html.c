/* html.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/html.h"

#include <inttypes.h>
#include <string.h>

void html_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '&')
            buf_add(b, STR("&amp;"));
        else if (c == '<')
            buf_add(b, STR("&lt;"));
        else if (c == '>')
            buf_add(b, STR("&gt;"));
        else if (c == '"')
            buf_add(b, STR("&quot;"));
        else if (c == '\'')
            buf_add(b, STR("&#39;"));
        else
            buf_char(b, c);
    }
}

struct str html_money(struct arena *a, int64_t amount, struct str currency)
{
    static const struct {
        const char *code, *sign;
    } signs[] = { { "EUR", "€" }, { "USD", "$" }, { "GBP", "£" }, { "JPY", "¥" } };
    struct money m = { .minor = amount };

    if (!currency_parse(currency, &m.currency))
        return STR("");
    struct str text = money_print(a, m), number;
    str_split(text, ' ', &number);
    for (size_t i = 0; i < COUNT(signs); i++)
        if (str_is(currency, signs[i].code))
            return str_printf(a, "%s%.*s", signs[i].sign, STR_FMT(number));
    return text;
}

struct buf html_begin(struct call *c, const char *title)
{
    struct buf b = { .arena = c->arena };

    buf_add(&b, STR("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"robots\" content=\"noindex\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>"));
    html_text(&b, str_of(title));
    buf_add(&b, STR("</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                    "<link rel=\"stylesheet\" href=\"/c/style.css\">\n</head>\n<body>\n"));
    return b;
}

/* "https://host:port" of an address; none when it is none. */
static struct str origin_of(struct str url)
{
    size_t slashes = 0;

    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] == '/' || url.p[i] == '?' || url.p[i] == '#') {
            if (++slashes == 3 || url.p[i] != '/')
                return str_cut(url, 0, i);
        }
    return url;
}

void html_reply(struct call *c, struct buf *b, int status, struct str goes_to, struct str or_to)
{
    struct str one = origin_of(goes_to), two = origin_of(or_to);

    buf_add(b, STR("</body>\n</html>\n"));
    reply_bytes(c, status, STR("text/html; charset=utf-8"), buf_str(b));
    c->reply.cache = STR("no-store");
    /* Browsers hold a form's redirects against form-action: the shop must stand there. */
    reply_header(c, "Content-Security-Policy",
                 str_printf(c->arena,
                            "default-src 'none'; style-src 'self'; img-src data:; "
                            "form-action 'self' %.*s %.*s; base-uri 'none'; "
                            "frame-ancestors 'none'",
                            STR_FMT(one), STR_FMT(two)));
}

void html_redirect(struct call *c, struct str url)
{
    reply_bytes(c, 303, STR("text/plain; charset=utf-8"), STR("See the other address.\n"));
    c->reply.cache = STR("no-store");
    reply_header(c, "Location", url);
}
