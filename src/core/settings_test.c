/* settings_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/settings.h"
#include "test/unit.h"

static const struct setting rows[] = {
    { "a.text", SETTING_TEXT, "one", "A text", 0, 0 },
    { "a.number", SETTING_INT, "5", "A number", 1, 10 },
    { "a.switch", SETTING_BOOL, "false", "A switch", 0, 0 },
    { "a.secret", SETTING_SECRET, "", "A secret", 0, 0 },
    { "a.word", SETTING_WORD, "red green blue", "A word", 0, 0 },
    { "a.url", SETTING_URL, "", "An address", 0, 0 },
};
static const struct module module = { .name = "a", MODULE_SETTINGS(rows) };
static const struct module *const list[] = { &module };

static struct settings *load(struct arena *a, const char *file, const char *environment,
                             const char *arg, struct str *why)
{
    char *env[] = { environment == NULL ? NULL
                                        : arena_copy(a, environment, strlen(environment) + 1),
                    NULL };
    char *args[] = { arg == NULL ? NULL : arena_copy(a, arg, strlen(arg) + 1) };
    struct settings *s = NULL;

    *why = STR("");
    return settings_load(a, list, 1, file == NULL ? STR_NONE : str_of(file), env, args, arg != NULL,
                         &s, why)
               ? s
               : NULL;
}

TEST(settings_come_from_the_nearest_place)
{
    struct arena a = { 0 };
    struct str why;
    const struct settings *s = load(&a, NULL, NULL, NULL, &why);

    REQUIRE(s != NULL);
    CHECK_STR(setting_text(s, "a.text"), "one");
    CHECK_STR(setting_text(s, "a.word"), "red");
    CHECK_INT(setting_int(s, "a.number"), 5);
    s = load(&a, "# why\n\na.text = two words\na.number=6\n", "STAGEDOOR_A_NUMBER=7", "--a.switch",
             &why);
    REQUIRE(s != NULL);
    CHECK_STR(setting_text(s, "a.text"), "two words");
    CHECK_INT(setting_int(s, "a.number"), 7);
    CHECK(setting_bool(s, "a.switch"));
    s = load(&a, "a.number=6", "STAGEDOOR_A_NUMBER=7", "--a.number=8", &why);
    CHECK_INT(setting_int(s, "a.number"), 8);
    arena_done(&a);
}

TEST(settings_are_printed_with_their_source)
{
    struct arena a = { 0 };
    struct str why;
    const struct settings *s =
        load(&a, "a.secret = hush", "STAGEDOOR_A_WORD=blue", "--a.number=8", &why);

    REQUIRE(s != NULL);
    const char *text = str_copy(&a, settings_print(s, &a)).p;
    CHECK(strstr(text, "a.text = one    # default\n") != NULL);
    CHECK(strstr(text, "a.secret = ********    # file\n") != NULL);
    CHECK(strstr(text, "a.word = blue    # environment\n") != NULL);
    CHECK(strstr(text, "a.number = 8    # command line\n") != NULL);
    CHECK(strstr(text, "hush") == NULL);
    arena_done(&a);
}

TEST(settings_that_cannot_be_are_told)
{
    static const struct {
        const char *arg, *why;
    } bad[] = {
        { "--a.number=x", "a.number (command line) must be a whole number from 1 to 10" },
        { "--a.number=0", "a.number (command line) must be a whole number from 1 to 10" },
        { "--a.number", "a.number (command line) must be a whole number from 1 to 10" },
        { "--a.switch=maybe", "a.switch (command line) must be true or false" },
        { "--a.word=pink", "a.word (command line) must be one of: red green blue" },
        { "--a.word=", "a.word (command line) must be one of: red green blue" },
        { "--a.text=\xff", "a.text (command line) must be UTF-8 text" },
        { "--a.url=ftp://x",
          "a.url (command line) must be an address that begins with http:// or https://" },
        { "--a.url=https://",
          "a.url (command line) must be an address that begins with http:// or https://" },
        { "--a.url=http://a b",
          "a.url (command line) must be an address that begins with http:// or https://" },
        { "--a.gone=1",
          "there is no setting \"a.gone\" (command line); `stagedoor config` lists them" },
        { "a.number=1", "\"a.number=1\" is not --name=value" },
    };
    struct arena a = { 0 };
    struct str why;

    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK(load(&a, NULL, NULL, bad[i].arg, &why) == NULL);
        CHECK_STR(why, bad[i].why);
    }
    CHECK(load(&a, "no line\n", NULL, NULL, &why) == NULL);
    CHECK(load(&a, NULL, NULL, "--a.url=https://a.example", &why) != NULL);
    arena_done(&a);
}
