/* crypto.h -- hashes, MACs, randomness, password hashes, and the text forms of bytes. OpenSSL and
 * libsodium inside. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX = 64 };

struct sha256 {
    unsigned char b[SHA256_BYTES];
};

/* Call once, before any other. False when the library cannot start. */
bool crypto_init(void);

struct sha256 sha256_of(struct str s);
struct sha256 hmac_sha256(struct str key, struct str message);
/* For many messages under one key: a key that was made ready costs half of the next MAC. */
struct hmac_key {
    _Alignas(16) unsigned char ready[256]; /* the library's */
};
struct hmac_key hmac_key_of(const struct sha256 *key);
struct sha256 hmac_with(const struct hmac_key *key, struct str message);
/* In pieces, for files and streams. */
struct sha256_stream {
    uint64_t state[14];
};
void sha256_begin(struct sha256_stream *s);
void sha256_add(struct sha256_stream *s, const void *p, size_t n);
struct sha256 sha256_end(struct sha256_stream *s);

bool bytes_equal(const void *a, const void *b, size_t n); /* constant time */
void random_fill(void *p, size_t n);                      /* from the kernel */

struct str hex_print(struct arena *a, const void *p, size_t n);       /* lower case */
bool hex_parse(struct str hex, unsigned char *result, size_t n);      /* exactly n bytes */
struct str base64url_print(struct arena *a, const void *p, size_t n); /* no padding */
/* exactly n bytes, no padding */
bool base64url_parse(struct str text, unsigned char *result, size_t n);
/* The usual alphabet, with padding; none when it is not that. */
struct str base64_parse(struct arena *a, struct str text);

/* argon2id, t=3, m=64 MiB, p=1 (about 50 ms): only from `.prepare`, on the slow pool. quick=true,
 * for tests and demo data, takes the library's least (t=1, m=8 KiB). None: there is no memory for it. */
struct str password_hash(struct arena *a, struct str password, bool quick);
enum password { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_NO_MEMORY };
enum password password_check(struct str hash, struct str password);

#endif
