/* state.h -- what a server has, for the files of this folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include "core/limiter.h"
#include "core/metrics.h"
#include "server/hot.h"
#include "server/replies.h"
#include "server/request.h"
#include "server/server.h"
#include "server/sessions.h"
#include "server/web.h"

#include <pthread.h>

struct http;
struct shed;
struct streams;

enum request_log { LOG_NONE, LOG_WRITES, LOG_ALL };

struct server {
    struct env *env;
    struct arena arena; /* as long as the server */
    struct routes routes;
    struct sessions *sessions;
    struct limiter *limiter;
    struct replies *replies;
    struct hot *hot;
    struct metrics *metrics;
    struct web *web;
    struct streams *streams;
    struct shed *shed;
    struct http *http;    /* NULL: no socket */
    struct shared *sorry; /* 503 for those who waited in vain, or for whom nothing can be made */

    bool https;           /* the public address is https: Secure cookies, HSTS */
    bool limit_rates;     /* setting http.rates */
    enum request_log log; /* setting http.log */
    struct str cookie;    /* "__Host-sid=" or "sid=" */
    struct str csp_page;  /* Content-Security-Policy of pages and their files */
    struct str proxies;   /* setting http.proxies */
    bool draining;        /* atomic */

    server_watcher *watcher; /* NULL: nobody watches */
    void *watching;

    int64_t abandoned; /* requests that only the runner still knows; atomic */

    pthread_mutex_t free_lock;
    struct request *free_requests;
    size_t free_n;
};

#endif
