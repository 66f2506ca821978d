/* crypto_test.c -- against the published vectors, and the refusals. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"
#include "sys/jail_walls.h"
#include "test/unit.h"

#include <string.h>
#include <sys/resource.h>

static struct str hex(struct arena *a, struct sha256 h)
{
    return hex_print(a, h.b, SHA256_BYTES);
}

TEST(sha256_of_the_published_messages)
{
    struct arena a = { 0 };

    CHECK_STR(hex(&a, sha256_of(STR("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(hex(&a, sha256_of(STR_NONE)),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* RFC 4231, cases 1 and 2. */
    CHECK_STR(hex(&a, hmac_sha256(STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                                      "\x0b\x0b\x0b\x0b\x0b"),
                                  STR("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK_STR(hex(&a, hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(memcmp(hmac_sha256(STR_NONE, STR_NONE).b, hmac_sha256(STR(""), STR("")).b,
                 SHA256_BYTES) == 0);
    arena_done(&a);
}

TEST(a_key_made_ready_gives_the_same_mac_again)
{
    struct sha256 key = sha256_of(STR("key")), other = sha256_of(STR("another"));
    struct str k = { (const char *)key.b, sizeof(key.b) };
    struct hmac_key ready = hmac_key_of(&key), wrong = hmac_key_of(&other);

    for (int i = 0; i < 3; i++) {
        struct str text = str_cut(STR("what do ya want for nothing?"), 0, (size_t)i * 10);
        struct sha256 want = hmac_sha256(k, text), got = hmac_with(&ready, text);
        CHECK(memcmp(got.b, want.b, SHA256_BYTES) == 0);
        got = hmac_with(&wrong, text);
        CHECK(memcmp(got.b, want.b, SHA256_BYTES) != 0);
    }
}

TEST(sha256_in_pieces_is_sha256_at_once)
{
    char text[1000];

    random_fill(text, sizeof(text));
    struct sha256 whole = sha256_of((struct str) { text, sizeof(text) });
    for (size_t step = 1; step <= sizeof(text); step += 37) {
        struct sha256_stream s;
        sha256_begin(&s);
        for (size_t at = 0; at < sizeof(text); at += step)
            sha256_add(&s, text + at, sizeof(text) - at < step ? sizeof(text) - at : step);
        CHECK(bytes_equal(sha256_end(&s).b, whole.b, SHA256_BYTES));
    }
}

TEST(random_fill_fills_to_the_last_byte)
{
    enum { N = 700 };
    unsigned char seen[N] = { 0 }, some[N + 1];

    for (int round = 0; round < 40; round++) {
        memset(some, 0, sizeof(some));
        random_fill(some, N);
        for (size_t i = 0; i < N; i++)
            seen[i] |= some[i];
        CHECK_INT(some[N], 0);
    }
    /* A byte that stays 0 forty times is never written. */
    for (size_t i = 0; i < N; i++)
        if (seen[i] == 0)
            FAIL("byte %zu", i);
}

TEST(hex_has_one_length)
{
    struct arena a = { 0 };
    unsigned char four[5] = { 0, 0, 0, 0, 77 };

    CHECK(hex_parse(STR("00ff10a5"), four, 4));
    CHECK_STR(hex_print(&a, four, 4), "00ff10a5");
    CHECK_INT(four[4], 77);
    CHECK(!hex_parse(STR("00ff10a"), four, 4));
    CHECK(!hex_parse(STR("00ff10a5ff"), four, 4));
    CHECK(!hex_parse(STR("00ff10ag"), four, 4));
    CHECK(!hex_parse(STR("00ff 0a5"), four, 4));
    CHECK(!hex_parse(STR_NONE, four, 4));
    CHECK_STR(hex_print(&a, four, 0), "");
    arena_done(&a);
}

TEST(base64url_has_one_spelling)
{
    struct arena a = { 0 };
    unsigned char bytes[64], back[64];

    for (size_t n = 0; n <= sizeof(bytes); n++) {
        random_fill(bytes, sizeof(bytes));
        struct str text = base64url_print(&a, bytes, n);
        CHECK_INT(text.n, (n * 4 + 2) / 3);
        CHECK(base64url_parse(text, back, n) && memcmp(back, bytes, n) == 0);
        CHECK(n == 0 || !base64url_parse(text, back, n - 1));
        CHECK(n == sizeof(bytes) || !base64url_parse(text, back, n + 1));
    }
    CHECK_STR(base64url_print(&a, "\xfb\xff", 2), "-_8");
    CHECK(base64url_parse(STR("-_8"), back, 2));
    CHECK(!base64url_parse(STR("-_9"), back, 2)); /* bits left over */
    CHECK(!base64url_parse(STR("-_8="), back, 2));
    CHECK(!base64url_parse(STR("+/8"), back, 2));
    CHECK(!base64url_parse(STR("-_ "), back, 2));
    for (int c = 0x80; c <= 0xff; c++)
        CHECK(!base64url_parse((struct str) { (char[]) { '-', '_', (char)c }, 3 }, back, 2));
    arena_done(&a);
}

TEST_SECONDS(passwords_are_salted_and_checked, 30)
{
    struct arena a = { 0 };
    struct str word = STR("correct horse battery staple");

    REQUIRE(crypto_init());
    struct str one = password_hash(&a, word, true), two = password_hash(&a, word, true);
    struct str slow = password_hash(&a, word, false);
    CHECK(!str_eq(one, two));
    CHECK_INT(password_check(one, word), PASSWORD_RIGHT);
    CHECK_INT(password_check(two, word), PASSWORD_RIGHT);
    CHECK_INT(password_check(slow, word), PASSWORD_RIGHT);
    CHECK(str_starts(slow, "$argon2id$v=19$m=65536,t=3,p=1$"));
    CHECK_INT(password_check(one, STR("correct horse battery stapl")), PASSWORD_WRONG);
    CHECK_INT(password_check(one, STR("correct horse battery staple ")), PASSWORD_WRONG);
    CHECK_INT(password_check(one, STR("")), PASSWORD_WRONG);
    CHECK_INT(password_check(STR(""), word), PASSWORD_WRONG);
    CHECK_INT(password_check(STR("$argon2id$"), word), PASSWORD_WRONG);
    CHECK_INT(password_check(str_cut(one, 0, one.n - 1), word), PASSWORD_WRONG);
    CHECK_INT(password_check(str_printf(&a, "%.*s$", STR_FMT(one)), word), PASSWORD_WRONG);
    CHECK_INT(password_check(str_printf(&a, "x%.*s", STR_FMT(one)), word), PASSWORD_WRONG);
    CHECK_INT(password_check(str_printf(&a, "%.*s%0200d", STR_FMT(one), 0), word), PASSWORD_WRONG);
    arena_done(&a);
}

/* Whoever has the right password is not told that it is wrong because the machine is short of memory. */
TEST_SECONDS(no_memory_for_a_password_is_no_wrong_password, 30)
{
    struct arena a = { 0 };
    struct rlimit was, is;
    struct str word = STR("correct horse battery staple");

    if (SANITIZED)
        SKIP("a sanitizer's memory cannot be bounded");
    REQUIRE(crypto_init());
    struct str slow = password_hash(&a, word, false);
    REQUIRE(getrlimit(RLIMIT_AS, &was) == 0);
    is = (struct rlimit) { 0, was.rlim_max };
    REQUIRE(setrlimit(RLIMIT_AS, &is) == 0);
    enum password right = password_check(slow, word), wrong = password_check(slow, STR("horse"));
    struct str none = password_hash(&a, word, false);
    REQUIRE(setrlimit(RLIMIT_AS, &was) == 0);
    CHECK_INT(right, PASSWORD_NO_MEMORY);
    CHECK_INT(wrong, PASSWORD_NO_MEMORY);
    CHECK(none.p == NULL);
    arena_done(&a);
}

TEST(base64_is_read_as_basic_auth_writes_it)
{
    struct arena a = { 0 };

    CHECK_STR(base64_parse(&a, STR("c2tfdGVzdF94Og==")), "sk_test_x:");
    CHECK_STR(base64_parse(&a, STR("YWI/Pg==")), "ab?>");
    CHECK_INT(base64_parse(&a, STR("")).n, 0);
    CHECK(base64_parse(&a, STR("c2tf dGVz")).p == NULL);
    CHECK(base64_parse(&a, STR("c2tfdGVzdF94Og")).p == NULL);
    CHECK(base64_parse(&a, STR("x")).p == NULL);
    for (int c = 0x80; c <= 0xff; c++)
        CHECK(base64_parse(&a, (struct str) { (char[]) { 'A', 'A', 'A', (char)c }, 4 }).p == NULL);
    arena_done(&a);
}
