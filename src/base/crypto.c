/* crypto.c -- see crypto.h.
 *
 * OpenSSL 3 calls the plain SHA-256 functions deprecated, in favour of EVP. Ours they stay: EVP allocates in each call, and
 * where memory is short SHA256() gives back nothing at all; these cannot fail, and are quicker for short texts. */
/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/crypto.h"
#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

bool crypto_init(void)
{
    return sodium_init() >= 0;
}

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256_stream), "room for the library's state");

static SHA256_CTX *context_of(struct sha256_stream *s)
{
    return (SHA256_CTX *)(void *)s->state;
}

void sha256_begin(struct sha256_stream *s)
{
    must(SHA256_Init(context_of(s)) == 1);
}

void sha256_add(struct sha256_stream *s, const void *p, size_t n)
{
    must(SHA256_Update(context_of(s), p, n) == 1);
}

struct sha256 sha256_end(struct sha256_stream *s)
{
    struct sha256 h;

    must(SHA256_Final(h.b, context_of(s)) == 1);
    return h;
}

struct sha256 sha256_of(struct str s)
{
    struct sha256_stream stream;

    sha256_begin(&stream);
    if (s.n > 0)
        sha256_add(&stream, s.p, s.n);
    return sha256_end(&stream);
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

/* All of the text, and n bytes exactly. */
static bool exact_parse(struct str text, int variant, unsigned char *result, size_t n)
{
    size_t got;
    const char *end;

    return is_ascii(text) &&
           sodium_base642bin(result, n, text.p, text.n, NULL, &got, &end, variant) == 0 &&
           got == n && end == text.p + text.n;
}

bool base64url_parse(struct str text, unsigned char *result, size_t n)
{
    return exact_parse(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, result, n);
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

    if (crypto_pwhash_str_alg(text, password.p, password.n, work, memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return STR_NONE;
    return str_copy(a, str_of(text));
}

/* "$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH", as the library writes it. */
struct argon2id {
    int64_t kib, passes;
    unsigned char salt[crypto_pwhash_argon2id_SALTBYTES], hash[32];
};

enum { KIB_MAX = 1 << 22, PASSES_MAX = 1000 };

static bool number_of(struct str part, const char *name, int64_t max, int64_t *result)
{
    return str_starts(part, name) && str_int(str_cut(part, strlen(name), part.n), result) &&
           *result >= 1 && *result <= max;
}

static bool argon2id_parse(struct str text, struct argon2id *result)
{
    struct str nothing, kind, version, memory, passes, lanes, salt, rest;
    int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

    rest = str_split(text, '$', &nothing);
    rest = str_split(rest, '$', &kind);
    rest = str_split(rest, '$', &version);
    rest = str_split(rest, ',', &memory);
    rest = str_split(rest, ',', &passes);
    rest = str_split(rest, '$', &lanes);
    rest = str_split(rest, '$', &salt);
    return nothing.n == 0 && str_is(kind, "argon2id") && str_is(version, "v=19") &&
           number_of(memory, "m=", KIB_MAX, &result->kib) &&
           number_of(passes, "t=", PASSES_MAX, &result->passes) && str_is(lanes, "p=1") &&
           exact_parse(salt, variant, result->salt, sizeof(result->salt)) &&
           exact_parse(rest, variant, result->hash, sizeof(result->hash));
}

/* crypto_pwhash_str_verify() would say the same of what does not fit and of what it had no memory to compute. */
enum password password_check(struct str hash, struct str password)
{
    unsigned char computed[sizeof(((struct argon2id *)NULL)->hash)];
    struct argon2id stored;

    if (!argon2id_parse(hash, &stored))
        return PASSWORD_WRONG;
    if (crypto_pwhash_argon2id(computed, sizeof(computed), password.p, password.n, stored.salt,
                               (unsigned long long)stored.passes, (size_t)stored.kib << 10,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return PASSWORD_NO_MEMORY;
    return bytes_equal(computed, stored.hash, sizeof(computed)) ? PASSWORD_RIGHT : PASSWORD_WRONG;
}
