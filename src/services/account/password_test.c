/* password_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/account/password.h"
#include "test/unit.h"

#include <string.h>

static bool refused(const char *password)
{
    const struct str words[] = { STR("Stagedoor"), STR("anna.karlsson"), STR("Ana") };

    return password_refused(str_of(password), words, COUNT(words)) != NULL;
}

TEST(password_rules)
{
    static const struct {
        const char *password;
        bool refused;
    } cases[] = {
        { "", true },
        { "short7!", true },
        { "12345678", true },
        { "aaaaaaaaaaaaaaaa", true },
        { "121212121212", true },
        { "Password", true },
        { "PASSWORD123", true },
        { "$$Summer2024!!", true },
        { "letmein", true },
        { "stagedoor", true },
        { "STAGEDOOR2024", true },
        { "anna.karlsson", true },
        { "Anna.Karlsson1", true },
        { "violet-ferry-24", false },
        { "correct horse battery staple", false },
        { "20240913-sunshine-20240913", false }, /* long enough for a common word inside */
        { "anamorph", false },                   /* "Ana" is too short a word to count */
        { "\xc3\xa9\xc3\xa8\xc3\xa0\xc3\xbc\xc3\xb6\xc3\xa4\xc3\xb1\xc3\xa5",
          false },                                                            /* 8 characters */
        { "\xc3\xa9\xc3\xa8\xc3\xa0\xc3\xbc\xc3\xb6\xc3\xa4\xc3\xb1", true }, /* 7 of 14 bytes */
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        if (refused(cases[i].password) != cases[i].refused)
            FAIL("\"%s\" should%s be refused", cases[i].password, cases[i].refused ? "" : " not");
}

TEST(password_longer_than_the_limit_is_refused)
{
    char text[PASSWORD_BYTES_MAX + 2];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 17);
    CHECK(password_refused((struct str) { text, PASSWORD_BYTES_MAX }, NULL, 0) == NULL);
    CHECK(password_refused((struct str) { text, PASSWORD_BYTES_MAX + 1 }, NULL, 0) != NULL);
}

/* A word that is out of order, twice, or not in lower case is a slip in editing. */
TEST(common_passwords_are_sorted)
{
    struct str last = STR(""), line, word;
    size_t n = 0;

    for (size_t i = 0; common_passwords[i] != NULL; i++)
        for (line = str_of(common_passwords[i]); line.n > 0; n++) {
            line = str_split(line, ' ', &word);
            if (word.n == 0 || str_cmp(last, word) >= 0)
                FAIL("%.*s stands after %.*s", STR_FMT(word), STR_FMT(last));
            for (size_t k = 0; k < word.n; k++)
                CHECK(word.p[k] < 'A' || word.p[k] > 'Z');
            last = word;
        }
    CHECK(n > 2500);
}
