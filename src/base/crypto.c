/* crypto.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"
#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

bool crypto_init(void)
{
    return sodium_init() >= 0;
}

struct sha256 sha256_of(struct str s)
{
    struct sha256 h;

    SHA256((const unsigned char *)s.p, s.n, h.b);
    return h;
}

/* libsodium's: OpenSSL 3.0 looks its algorithms up under locks at each call, which takes longer than the hashing. */
static crypto_auth_hmacsha256_state *state_of(struct hmac_key *k)
{
    _Static_assert(sizeof(crypto_auth_hmacsha256_state) <= sizeof(k->ready), "a key has room");
    return (crypto_auth_hmacsha256_state *)(void *)k->ready;
}

static struct hmac_key key_ready(const void *key, size_t n)
{
    struct hmac_key k = { { 0 } };

    must(crypto_auth_hmacsha256_init(state_of(&k), key, n) == 0);
    return k;
}

struct hmac_key hmac_key_of(const struct sha256 *key)
{
    return key_ready(key->b, sizeof(key->b));
}

struct sha256 hmac_with(const struct hmac_key *key, struct str message)
{
    struct hmac_key k = *key;
    struct sha256 h;

    must(crypto_auth_hmacsha256_update(state_of(&k), (const unsigned char *)message.p, message.n) ==
         0);
    must(crypto_auth_hmacsha256_final(state_of(&k), h.b) == 0);
    return h;
}

struct sha256 hmac_sha256(struct str key, struct str message)
{
    struct hmac_key k = key_ready(key.p == NULL ? "" : key.p, key.n);

    return hmac_with(&k, message);
}

struct sha256_stream *sha256_begin(void)
{
    EVP_MD_CTX *x = EVP_MD_CTX_new();

    must(x != NULL && EVP_DigestInit_ex(x, EVP_sha256(), NULL) == 1);
    return (struct sha256_stream *)x;
}

void sha256_add(struct sha256_stream *s, const void *p, size_t n)
{
    must(EVP_DigestUpdate((EVP_MD_CTX *)s, p, n) == 1);
}

struct sha256 sha256_end(struct sha256_stream *s)
{
    struct sha256 h;

    must(EVP_DigestFinal_ex((EVP_MD_CTX *)s, h.b, NULL) == 1);
    EVP_MD_CTX_free((EVP_MD_CTX *)s);
    return h;
}

bool bytes_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void random_fill(void *p, size_t n)
{
    for (unsigned char *at = p; n > 0;) {
        size_t take = n < 256 ? n : 256;
        must(getrandom(at, take, 0) == (ssize_t)take);
        at += take;
        n -= take;
    }
}

struct str hex_print(struct arena *a, const void *p, size_t n)
{
    char *text = arena_alloc(a, n * 2 + 1);

    sodium_bin2hex(text, n * 2 + 1, p, n);
    return (struct str) { text, n * 2 };
}

bool hex_parse(struct str hex, unsigned char *result, size_t n)
{
    size_t got;
    const char *end;

    if (hex.n != n * 2)
        return false;
    return sodium_hex2bin(result, n, hex.p, hex.n, NULL, &got, &end) == 0 && got == n &&
           end == hex.p + hex.n;
}

struct str base64url_print(struct arena *a, const void *p, size_t n)
{
    int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t size = sodium_base64_encoded_len(n, variant);
    char *text = arena_alloc(a, size);

    sodium_bin2base64(text, size, p, n, variant);
    return (struct str) { text, strlen(text) };
}

/* libsodium 1.0.18 reckons with signed characters, and takes some bytes beyond ASCII for digits. */
static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

bool base64url_parse(struct str text, unsigned char *result, size_t n)
{
    size_t got;
    const char *end;

    if (!is_ascii(text))
        return false;
    return sodium_base642bin(result, n, text.p, text.n, NULL, &got, &end,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           got == n && end == text.p + text.n;
}

struct str base64_parse(struct arena *a, struct str text)
{
    size_t max = text.n / 4 * 3 + 1, got;
    char *result = arena_alloc(a, max);

    if (!is_ascii(text) || sodium_base642bin((unsigned char *)result, max, text.p, text.n, NULL,
                                             &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return STR_NONE;
    return (struct str) { result, got };
}

struct str password_hash(struct arena *a, struct str password, bool quick)
{
    char text[crypto_pwhash_STRBYTES];
    unsigned long long work = quick ? crypto_pwhash_argon2id_OPSLIMIT_MIN : 3;
    size_t memory = quick ? crypto_pwhash_argon2id_MEMLIMIT_MIN : (size_t)64 << 20;

    must(crypto_pwhash_str_alg(text, password.p, password.n, work, memory,
                               crypto_pwhash_ALG_ARGON2ID13) == 0);
    return str_copy(a, str_of(text));
}

bool password_check(struct str hash, struct str password)
{
    char text[crypto_pwhash_STRBYTES] = { 0 };

    if (hash.n >= sizeof(text))
        return false;
    memcpy(text, hash.p, hash.n);
    return crypto_pwhash_str_verify(text, password.p, password.n) == 0;
}
