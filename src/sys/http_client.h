/* http_client.h -- one HTTP request outwards: to payment providers and webhook receivers.
 *
 * What matters to money is how a request ended: answered, surely never sent, or unknown (it may have arrived). No redirects
 * are followed, no proxy of the environment is used, only http and https are spoken. Calls block; thread-safe. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_HTTP_CLIENT_H
#define SYS_HTTP_CLIENT_H

#include "base/str.h"

struct http_client;

enum http_end {
    HTTP_ANSWERED, /* .status and .body are complete */
    HTTP_NOT_SENT, /* no byte of the request left: no address, no connection, no TLS */
    HTTP_UNKNOWN,  /* it broke or ran out of time after sending began */
};

struct http_request {
    const char *method; /* "GET", "POST", "DELETE" */
    struct str url;
    const struct str *headers; /* "Name: value"; a line break inside is our bug */
    size_t headers_n;
    struct str body;
    int timeout_ms;  /* of the whole exchange; connecting takes 3 s of it at most; 0: 30 s */
    size_t body_max; /* of the reply; more ends the exchange as unknown; 0: 1 MiB */
    const char *const *wanted; /* names of the reply's headers to keep, ends in NULL; or NULL */
};

enum { HTTP_WANTED_MAX = 4 };

struct http_reply {
    int status;
    struct str body;
    struct str headers[HTTP_WANTED_MAX]; /* in the order of wanted; none when absent */
    struct str why;                      /* of NOT_SENT and UNKNOWN: a sentence for the log */
    int64_t took_us;
};

/* NULL: no memory. */
struct http_client *http_client_open(void);
enum http_end http_client_send(struct http_client *h, struct arena *a, const struct http_request *q,
                               struct http_reply *reply);
void http_client_close(struct http_client *h); /* NULL is allowed */

#endif
