/* web_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/web.h"
#include "server/catalog.h"
#include "server/file.h"
#include "test/hall.h"

TEST(encodings_are_chosen_by_what_the_client_takes)
{
    CHECK_INT(encoding_wanted(STR("gzip, deflate, br")), BROTLI);
    CHECK_INT(encoding_wanted(STR("gzip")), GZIP);
    CHECK_INT(encoding_wanted(STR("br;q=0, gzip;q=0.5")), GZIP);
    CHECK_INT(encoding_wanted(STR("br ; q=0.000,gzip;q=0")), IDENTITY);
    CHECK_INT(encoding_wanted(STR("brotli, xgzip, *")), IDENTITY);
    CHECK_INT(encoding_wanted(STR("")), IDENTITY);
    CHECK_INT(encoding_wanted(STR_NONE), IDENTITY);
    CHECK_INT(encoding_wanted(STR(",,;;q=,br")), BROTLI);
}

TEST(text_in_a_page_is_only_text)
{
    struct arena a = { 0 };

    CHECK_STR(html_escape(&a, STR("a<b>&\"c\"\n'")), "a&lt;b&gt;&amp;&quot;c&quot; '");
    arena_done(&a);
}

/* Without a built web app the page says so; with one, what the route tells stands in it, and nothing else. */
TEST(a_page_has_its_head)
{
    struct hall *h = hall_open("sqlite", NULL);
    int status = hall_ask(h, STR_NONE, "GET", "/t/page", NULL, NULL);
    const char *text = str_copy(h->arena, h->call.reply).p;

    if (status == 404) {
        hall_close(h);
        MISSING("the web app is not built: ./dev build brings it");
    }
    CHECK_INT(status, 200);
    CHECK(strstr(text, "<title>A &lt;b&gt; &amp; &quot;c&quot;</title>") != NULL);
    CHECK(strstr(text, "content=\"http://127.0.0.1:8080/media/x.webp\"") != NULL);
    CHECK(strstr(text, "{\"a\":\"\\u003c/script>\"}</script>") != NULL);
    CHECK(strstr(text, "<!--") == NULL);
    hall_close(h);
}

TEST(unknown_addresses_are_nothing)
{
    static const char *const html[] = { "Accept: text/html,*/*", NULL };
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/somewhere/else", NULL, html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/somewhere/else", NULL, NULL), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/somewhere/else.png", NULL, html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/v1/nothing", NULL, html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/m/x", NULL, html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/somewhere", "{}", html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "POST", "/login", "{}", html), 404);
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/../etc/passwd", NULL, NULL), 404);
    hall_close(h);
}

/* Browsers say that they take compressed bytes; a 404 without the header that names them would be garbage. */
TEST(an_unknown_page_can_be_read)
{
    static const char *const browser[] = { "Accept: text/html", "Accept-Encoding: gzip, br", NULL };
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/somewhere/else", NULL, browser), 404);
    if (!str_starts(hall_header(h, "Content-Type"), "text/html")) {
        hall_close(h);
        SKIP("the web app is not built");
    }
    CHECK(hall_header(h, "Content-Encoding").p == NULL);
    CHECK(str_starts(h->call.reply, "<!doctype html>"));
    hall_close(h);
}

/* Who asks with "anything", or says nothing, is shown pages too: curl, and what makes previews of links. */
TEST(pages_of_the_app_are_for_everybody)
{
    static const char *const accepts[][2] = { { "Accept: text/html", NULL },
                                              { "Accept: */*", NULL },
                                              { NULL, NULL } };
    static const char *const json[] = { "Accept: application/json", NULL };
    struct hall *h = hall_open("sqlite", NULL);

    if (hall_ask(h, STR_NONE, "GET", "/login", NULL, accepts[0]) == 404) {
        hall_close(h);
        MISSING("the web app is not built: ./dev build brings it");
    }
    for (size_t i = 0; i < COUNT(accepts); i++) {
        CHECK_INT(hall_ask(h, STR_NONE, "GET", "/", NULL, accepts[i]), 200);
        CHECK_INT(hall_ask(h, STR_NONE, "HEAD", "/explore/", NULL, accepts[i]), 200);
    }
    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/login", NULL, json), 404);
    hall_close(h);
}

/* The server's list of pages is the app's. */
TEST(pages_are_those_of_the_app)
{
    struct arena a = { 0 };
    char *text = arena_alloc(&a, 1 << 16), *at = text;
    FILE *f = fopen("web/src/app.tsx", "r");
    size_t found = 0;

    CHECK(f != NULL);
    text[fread(text, 1, (1 << 16) - 1, f)] = 0;
    fclose(f);
    while ((at = strstr(at, "path: \"/")) != NULL) {
        at += sizeof("path: \"") - 1;
        struct str path = { at, strcspn(at, "\"") };
        if (memchr(path.p, ':', path.n) == NULL)
            CHECK(web_has_page(path));
        found++;
    }
    CHECK(found > 10);
    CHECK(!web_has_page(STR("/somewhere")));
    arena_done(&a);
}

TEST(json_is_indented)
{
    struct arena a = { 0 };

    CHECK_STR(json_pretty(&a, STR("{\"a\":[1,{}],\"b\":\"{,}\\\"[\",\"c\":[]}")),
              "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"{,}\\\"[\",\n  \"c\": []\n}\n");
    arena_done(&a);
}

TEST(the_api_describes_itself)
{
    struct hall *h = hall_open("sqlite", NULL);

    CHECK_INT(hall_ask(h, STR_NONE, "GET", "/openapi.json", NULL, NULL), 200);
    const char *text = str_copy(h->arena, h->call.reply).p;
    CHECK(strstr(text, "\"/t/cached/{n}\"") != NULL);
    CHECK(strstr(text, "\"Idempotency-Key\"") != NULL);
    CHECK(strstr(text, "\"/t/page\"") == NULL);
    hall_close(h);
}
