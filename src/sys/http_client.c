/* http_client.c -- libcurl's easy interface, with a small stock of handles so that connections are used again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_client.h"
#include "base/check.h"
#include "base/when.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum { STOCK = 8, CONNECT_MS = 3000, TIMEOUT_MS = 30000, BODY_MAX = 1 << 20 };

struct http_client {
    pthread_mutex_t lock;
    CURL *stock[STOCK];
    size_t n;
};

struct http_client *http_client_open(void)
{
    struct http_client *h = calloc(1, sizeof(*h));

    if (h == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(h);
        return NULL;
    }
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    return h;
}

void http_client_close(struct http_client *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n; i++)
        curl_easy_cleanup(h->stock[i]);
    pthread_mutex_destroy(&h->lock);
    free(h);
    curl_global_cleanup();
}

static CURL *take(struct http_client *h)
{
    CURL *e = NULL;

    pthread_mutex_lock(&h->lock);
    if (h->n > 0)
        e = h->stock[--h->n];
    pthread_mutex_unlock(&h->lock);
    if (e == NULL)
        e = curl_easy_init();
    return e; /* NULL: no memory */
}

/* Handles keep their connections; what was set is forgotten. */
static void give_back(struct http_client *h, CURL *e)
{
    curl_easy_reset(e);
    pthread_mutex_lock(&h->lock);
    if (h->n < STOCK) {
        h->stock[h->n++] = e;
        e = NULL;
    }
    pthread_mutex_unlock(&h->lock);
    if (e != NULL)
        curl_easy_cleanup(e);
}

/* What the callbacks fill. */
struct receiving {
    struct arena *arena;
    struct buf body;
    size_t body_max;
    const char *const *wanted;
    struct http_reply *reply;
};

static size_t on_body(char *p, size_t one, size_t n, void *context)
{
    struct receiving *r = context;

    must(one == 1);
    if (n > r->body_max - r->body.n)
        return 0; /* curl ends the exchange with CURLE_WRITE_ERROR */
    buf_add(&r->body, (struct str) { p, n });
    return n;
}

static size_t on_header(char *p, size_t one, size_t n, void *context)
{
    struct receiving *r = context;
    struct str name, value = str_split((struct str) { p, n * one }, ':', &name);

    for (size_t i = 0; r->wanted != NULL && r->wanted[i] != NULL && value.p != NULL; i++)
        if (name.n == strlen(r->wanted[i]) && strncasecmp(name.p, r->wanted[i], name.n) == 0)
            r->reply->headers[i] = str_copy(r->arena, str_trim(value));
    return n;
}

/* Each copies its text, for which there may be no memory; then nothing is sent. */
#define SET(e, option, value) good = good && curl_easy_setopt((e), (option), (value)) == CURLE_OK

static bool header_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool header_list(struct arena *a, const struct http_request *q, struct curl_slist **list)
{
    /* curl would wait a second for "100 Continue" before a body of more than 1 KiB. */
    bool good = header_add(list, "Expect:");

    for (size_t i = 0; i < q->headers_n; i++) {
        must(memchr(q->headers[i].p, '\n', q->headers[i].n) == NULL);
        must(memchr(q->headers[i].p, '\r', q->headers[i].n) == NULL);
        good = good && header_add(list, str_copy(a, q->headers[i]).p);
    }
    return good;
}

static bool set_request(CURL *e, struct arena *a, const struct http_request *q,
                        struct curl_slist *headers)
{
    bool good = true;

    SET(e, CURLOPT_URL, str_copy(a, q->url).p);
    SET(e, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(e, CURLOPT_PROXY, "");
    SET(e, CURLOPT_NOSIGNAL, 1L);
    SET(e, CURLOPT_FOLLOWLOCATION, 0L);
    SET(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(e, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ms > 0 ? q->timeout_ms : TIMEOUT_MS));
    SET(e, CURLOPT_HTTPHEADER, headers);
    SET(e, CURLOPT_CUSTOMREQUEST, q->method);
    if (q->body.p != NULL) {
        SET(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
        SET(e, CURLOPT_POSTFIELDS, q->body.p);
    }
    return good;
}

static bool set_receiving(CURL *e, struct receiving *r, char why[CURL_ERROR_SIZE])
{
    bool good = true;

    SET(e, CURLOPT_WRITEFUNCTION, on_body);
    SET(e, CURLOPT_WRITEDATA, r);
    SET(e, CURLOPT_HEADERFUNCTION, on_header);
    SET(e, CURLOPT_HEADERDATA, r);
    SET(e, CURLOPT_ERRORBUFFER, why);
    return good;
}

/* curl counts the bytes of the request it handed to the socket, over all tries on kept connections. */
static enum http_end end_of(CURL *e, CURLcode code)
{
    long sent = 0;

    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    must(curl_easy_getinfo(e, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK);
    return sent == 0 ? HTTP_NOT_SENT : HTTP_UNKNOWN;
}

static enum http_end perform(CURL *e, struct receiving *r, char why[CURL_ERROR_SIZE])
{
    struct http_reply *reply = r->reply;
    long status = 0;
    CURLcode code = curl_easy_perform(e);
    enum http_end end = end_of(e, code);

    must(curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
    reply->status = (int)status;
    reply->body = buf_str(&r->body);
    if (end != HTTP_ANSWERED)
        reply->why = str_copy(r->arena, str_of(why[0] != 0 ? why : curl_easy_strerror(code)));
    return end;
}

enum http_end http_client_send(struct http_client *h, struct arena *a, const struct http_request *q,
                               struct http_reply *reply)
{
    char why[CURL_ERROR_SIZE] = "";
    struct receiving r = { .arena = a, .body = { .arena = a }, .wanted = q->wanted };
    CURL *e = take(h);
    struct curl_slist *headers = NULL;
    int64_t began = monotonic_us();
    enum http_end end = HTTP_NOT_SENT;

    *reply = (struct http_reply) { .why = STR("out of memory") };
    r.reply = reply;
    r.body_max = q->body_max > 0 ? q->body_max : BODY_MAX;
    if (e != NULL && header_list(a, q, &headers) && set_request(e, a, q, headers) &&
        set_receiving(e, &r, why)) {
        reply->why = STR_NONE;
        end = perform(e, &r, why);
    }
    reply->took_us = monotonic_us() - began;
    if (e != NULL)
        give_back(h, e);
    curl_slist_free_all(headers);
    return end;
}
