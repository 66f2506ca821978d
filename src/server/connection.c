/* connection.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/connection.h"
#include "base/cond.h"
#include "server/answer.h"
#include "server/shed.h"
#include "server/state.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <sched.h>
#include <sys/socket.h>

enum {
    WATCH_MS = 250,
    HEAD_US =
        10 *
        SECOND, /* from the first byte of a head to its end; silence before is cut by the library */
    BODY_US = 20 * SECOND, /* of small bodies, whole; before the library loses its patience */
    PACE_US = 12 * SECOND, /* of files; twice as long is less than the library's patience */
    PACE_BYTES = 6000,     /* at least so much in each */
    LINGER_US = 5 * SECOND,
    LINGERERS_MAX = 1024,
};

struct lingerer {
    struct lingerer *next;
    int fd;
    int64_t until_us;
};

void connection_phase(struct connection *c, enum phase p)
{
    __atomic_store_n(&c->since_us, monotonic_us(), __ATOMIC_RELAXED);
    __atomic_store_n(&c->phase, (int)p, __ATOMIC_RELEASE);
}

static bool change(struct connection *c, enum phase from, enum phase to)
{
    int had = (int)from;

    return __atomic_compare_exchange_n(&c->phase, &had, (int)to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

bool connection_enter(struct connection *c)
{
    int had = __atomic_exchange_n(&c->phase, PHASE_BUSY, __ATOMIC_ACQ_REL);

    if (had == PHASE_CUT)
        __atomic_store_n(&c->phase, PHASE_CUT, __ATOMIC_RELEASE);
    return had != PHASE_CUT;
}

/* --- parking: whoever takes the phase from PARKED resumes the connection, once ---------------------------------- */

static void can_go_on(struct connection *c)
{
    struct loop *l = c->loop;

    pthread_mutex_lock(&l->lock);
    c->woken_next = l->woken;
    l->woken = c;
    pthread_mutex_unlock(&l->lock);
}

/* Its request is over: whoever is told true lets the connection go on. */
static bool take_back(struct connection *c)
{
    while (!change(c, PHASE_PARKED, PHASE_BUSY)) {
        if (__atomic_load_n(&c->phase, __ATOMIC_ACQUIRE) != PHASE_GIVING)
            return false;
        sched_yield(); /* the watch finds that it is over */
    }
    return true;
}

/* loops_wake() follows: see exec_when_told(). */
static void wake(struct request *r)
{
    struct connection *c = r->carrier;

    if (take_back(c))
        can_go_on(c);
}

static void loop_wake(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct connection *c = l->coming ? NULL : l->woken;
    if (c != NULL) {
        l->woken = c->woken_next;
        l->coming = c->brings = true;
    }
    pthread_mutex_unlock(&l->lock);
    if (c != NULL)
        MHD_resume_connection(c->mhd);
}

void loops_wake(struct http *h)
{
    size_t n = __atomic_load_n(&h->loops_n, __ATOMIC_ACQUIRE);

    for (size_t i = 0; i < n; i++)
        loop_wake(&h->loops[i]);
}

void connection_bring(struct connection *c)
{
    struct loop *l = c->loop;

    if (!c->brings)
        return;
    c->brings = false;
    pthread_mutex_lock(&l->lock);
    struct connection *others = l->woken;
    l->woken = NULL;
    l->coming = false;
    pthread_mutex_unlock(&l->lock);
    while (others != NULL) {
        struct connection *next = others->woken_next;
        MHD_resume_connection(others->mhd);
        others = next;
    }
}

void connection_park(struct connection *c)
{
    struct request *r = c->request;

    r->carrier = c;
    r->wake = wake;
    c->waiting = true;
    MHD_suspend_connection(c->mhd);
    __atomic_store_n(&c->deadline_us, r->deadline_us, __ATOMIC_RELAXED);
    connection_phase(c, PHASE_PARKED);
    if (!request_park(r) && take_back(c))
        MHD_resume_connection(c->mhd); /* it was over before we slept */
}

/* --- answers past the library ----------------------------------------------------------------------------------- */

static void send_all(int fd, struct str text)
{
    /* A few hundred bytes: they fit into the socket's buffer or the client is not worth waiting for. */
    ssize_t sent = send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
}

void connection_say(struct connection *c, enum err e, struct request *r)
{
    struct request *own = r == NULL ? request_new(c->http->server, STR("/"), STR("")) : r;
    if (own == NULL)
        return; /* no memory for a word: it is closed without one */
    struct buf b = { .arena = &own->arena };
    if (r == NULL) {
        request_refuse(own, e, NULL, NULL);
        request_begin(own, STR("GET"));
        request_go(own);
    }
    buf_add(&b, answer_head(own));
    if (!(r != NULL ? r->head : __atomic_load_n(&c->front.head, __ATOMIC_RELAXED)))
        buf_add(&b, own->answer.body);
    send_all(c->fd, buf_str(&b));
    if (r == NULL) {
        request_sent(own, own->answer.status);
        request_free(own);
    }
}

/* --- the list --------------------------------------------------------------------------------------------------- */

/* The one of this thread. */
static struct loop *loop_of(struct http *h, struct MHD_Connection *mhd)
{
    struct MHD_Daemon *daemon = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_DAEMON)->daemon;
    size_t i = 0;

    while (i < h->loops_n && h->loops[i].daemon != daemon)
        i++;
    must(i < LOOPS_MAX);
    if (i == h->loops_n) {
        h->loops[i].daemon = daemon;
        pthread_mutex_init(&h->loops[i].lock, NULL);
        __atomic_store_n(&h->loops_n, i + 1, __ATOMIC_RELEASE);
    }
    return &h->loops[i];
}

void connection_link(struct connection *c)
{
    struct http *h = c->http;

    pthread_mutex_lock(&h->lock);
    c->loop = loop_of(h, c->mhd);
    c->next = h->all;
    if (c->next != NULL)
        c->next->before = c;
    h->all = c;
    pthread_mutex_unlock(&h->lock);
}

void connection_unlink(struct connection *c)
{
    struct http *h = c->http;

    pthread_mutex_lock(&h->lock);
    *(c->before == NULL ? &h->all : &c->before->next) = c->next;
    if (c->next != NULL)
        c->next->before = c->before;
    pthread_mutex_unlock(&h->lock);
}

/* --- lingering -------------------------------------------------------------------------------------------------- */

void linger(struct http *h, int fd)
{
    struct lingerer *l;
    int own = dup(fd);

    if (own < 0)
        return;
    shutdown(own, SHUT_WR);
    pthread_mutex_lock(&h->lock);
    if (h->lingering == LINGERERS_MAX || (l = malloc(sizeof(*l))) == NULL) {
        close(own);
    } else {
        *l = (struct lingerer) { h->lingerers, own, monotonic_us() + LINGER_US };
        h->lingerers = l;
        h->lingering++;
    }
    pthread_mutex_unlock(&h->lock);
}

/* True when the client has closed, or had its time. */
static bool swallow(const struct lingerer *l, int64_t now_us)
{
    char waste[16384];
    ssize_t n;

    while ((n = recv(l->fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0) {
    }
    return n == 0 || (errno != EAGAIN && errno != EINTR) || now_us > l->until_us;
}

static void look_at_lingerers(struct http *h, int64_t now_us)
{
    for (struct lingerer **at = &h->lingerers; *at != NULL;) {
        struct lingerer *l = *at;
        if (!swallow(l, now_us)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        close(l->fd);
        free(l);
        h->lingering--;
    }
}

/* --- the watch -------------------------------------------------------------------------------------------------- */

/* Who was fast at first may not be slow for ever. */
static bool is_slow(struct connection *c, int64_t now_us, int64_t came)
{
    int64_t since_us = __atomic_load_n(&c->since_us, __ATOMIC_RELAXED);

    if (c->paced_us < since_us) {
        c->paced_us = since_us;
        c->paced_came = 0;
    }
    if (now_us - c->paced_us < PACE_US)
        return false;
    int64_t before = c->paced_came;
    c->paced_us = now_us;
    c->paced_came = came;
    return came - before < PACE_BYTES;
}

static bool too_slow(struct connection *c, int phase, int64_t now_us)
{
    int64_t for_us = now_us - __atomic_load_n(&c->since_us, __ATOMIC_RELAXED);

    if (phase == PHASE_IDLE) {
        int64_t head_us = __atomic_load_n(&c->front.head_since_us, __ATOMIC_RELAXED);
        return head_us != 0 && now_us - head_us > HEAD_US;
    }
    if (phase != PHASE_BODY)
        return false;
    if (__atomic_load_n(&c->whole, __ATOMIC_RELAXED))
        return for_us > BODY_US;
    return is_slow(c, now_us, __atomic_load_n(&c->came, __ATOMIC_RELAXED));
}

/* The loop finds the socket closed, or enters the handler and finds the phase. */
static void cut(struct connection *c, int phase)
{
    if (!change(c, (enum phase)phase, PHASE_CUT))
        return;
    metrics_add(c->http->server->metrics, METRIC_CUT, 1);
    connection_say(c, E_TIMEOUT, NULL);
    shutdown(c->fd, SHUT_RDWR);
}

static void give_up(struct connection *c, int64_t now_us)
{
    if (now_us < __atomic_load_n(&c->deadline_us, __ATOMIC_RELAXED) ||
        !change(c, PHASE_PARKED, PHASE_GIVING))
        return;
    /* It is ours now: nobody resumes the connection, so nobody frees the request. */
    if (!request_abandon(c->request)) { /* it is over, or about to park: theirs again */
        __atomic_store_n(&c->phase, PHASE_PARKED, __ATOMIC_RELEASE);
        return;
    }
    c->request = NULL;
    c->abandoned = true;
    __atomic_store_n(&c->phase, PHASE_BUSY, __ATOMIC_RELEASE);
    can_go_on(c);
}

/* libmicrohttpd 0.9.75 asks epoll for edges, and waits for the next one after a read that was not full: the end of a
 * connection that came together with the last bytes is then noticed by its time limit alone. Said again, it is an edge. So
 * it is looked for after each read that gave something, be it no more than the first line of a chunk. */
static void notice_end(struct connection *c, int phase)
{
    int64_t since_us = __atomic_load_n(&c->since_us, __ATOMIC_RELAXED);
    int64_t handed = __atomic_load_n(&c->front.handed, __ATOMIC_RELAXED);
    char one;

    if (phase > PHASE_BODY || (c->looked_since_us == since_us && c->looked_handed == handed))
        return;
    c->looked_since_us = since_us;
    c->looked_handed = handed;
    if (recv(c->fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        shutdown(c->fd, SHUT_RD);
}

static void look_at_all(struct http *h)
{
    int64_t now_us = monotonic_us();

    for (struct connection *c = h->all; c != NULL; c = c->next) {
        int phase = __atomic_load_n(&c->phase, __ATOMIC_ACQUIRE);
        if (phase == PHASE_PARKED)
            give_up(c, now_us);
        else if (too_slow(c, phase, now_us))
            cut(c, phase);
        else
            notice_end(c, phase);
    }
    look_at_lingerers(h, now_us);
}

static void rest(struct http *h)
{
    cond_wait_us(&h->stop, &h->lock, WATCH_MS * INT64_C(1000));
}

static void *watch(void *arg)
{
    struct http *h = arg;

    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        look_at_all(h);
        pthread_mutex_unlock(&h->lock);
        loops_wake(h); /* without the lock, because the library has locks of its own */
        shed_tell(h->server->shed);
        pthread_mutex_lock(&h->lock);
        if (!h->stopping)
            rest(h);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

void watch_start(struct http *h)
{
    must(pthread_create(&h->watch, NULL, watch, h) == 0);
}

void watch_stop(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->stop);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->watch, NULL);
}

void linger_end(struct http *h)
{
    look_at_lingerers(h, INT64_MAX);
}
