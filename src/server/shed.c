/* shed.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/shed.h"
#include "core/exec.h"
#include "core/overload.h"
#include "core/settings.h"
#include "server/answer.h"
#include "server/state.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Those who were turned away should not all come again in the same moment. */
enum { ANSWERS = 3 };

struct shed {
    struct server *server;
    int64_t patience_us, patience_max_us;
    pthread_key_t loop; /* each loop has a queue, and so a struct overload, of its own */
    struct shared *answers[ANSWERS];
    uint64_t count;  /* atomic */
    int64_t told_us; /* shed_tell's own */
    uint64_t told, told_queue;
};

struct shed *shed_open(struct server *s)
{
    const struct settings *settings = s->env->settings;
    struct shed *shed = calloc(1, sizeof(*shed));

    must(shed != NULL);
    shed->server = s;
    shed->patience_us = setting_int(settings, "http.patience_ms") * 1000;
    shed->patience_max_us = setting_int(settings, "http.patience_max_ms") * 1000;
    if (shed->patience_max_us < shed->patience_us)
        shed->patience_max_us = shed->patience_us;
    must(pthread_key_create(&shed->loop, free) == 0);
    for (int i = 0; i < ANSWERS; i++) {
        shed->answers[i] = answer_busy(s, i + 1, "Many are here at once. Nothing was done.");
        must(shed->answers[i] != NULL);
    }
    return shed;
}

void shed_close(struct shed *s)
{
    free(pthread_getspecific(s->loop)); /* this thread's; the loops have ended */
    pthread_key_delete(s->loop);
    for (int i = 0; i < ANSWERS; i++)
        shared_drop(s->answers[i]);
    free(s);
}

/* NULL: no memory, so nobody is refused; the next request tries again. */
static struct overload *overload_of_loop(struct shed *s)
{
    struct overload *o = pthread_getspecific(s->loop);

    if (o != NULL)
        return o;
    o = malloc(sizeof(*o));
    if (o == NULL || pthread_setspecific(s->loop, o) != 0) {
        free(o);
        return NULL;
    }
    *o = (struct overload) { .patience_us = s->patience_us, .patience_max_us = s->patience_max_us };
    return o;
}

bool shed_refuses(struct request *r)
{
    struct shed *s = r->server->shed;

    if (s->patience_us == 0 || r->waited_us == NULL || r->route->vital)
        return false;
    struct overload *o = overload_of_loop(s);
    if (o == NULL || !overload_refuses(o, r->waited_us(r), r->began_us))
        return false;
    uint64_t n = __atomic_add_fetch(&s->count, 1, __ATOMIC_RELAXED);
    if (r->route->wire == WIRE_PAGE) { /* people see the app, which tells them */
        r->call.problem =
            (struct problem) { .code = E_BUSY, .retry_after = (int64_t)(n % ANSWERS) + 1 };
        answer_problem(r, E_BUSY);
    } else {
        answer_shared(r, shared_hold(s->answers[n % ANSWERS]));
    }
    return true;
}

uint64_t shed_count(const struct shed *s)
{
    return __atomic_load_n(&s->count, __ATOMIC_RELAXED);
}

/* In steps of the kernel's clock, 1 to 10 ms. */
int64_t shed_socket_waited_us(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t n = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return 0;
    return (int64_t)info.tcpi_last_data_recv * 1000;
}

void shed_tell(struct shed *s)
{
    int64_t now_us = env_monotonic_us(s->server->env);
    uint64_t n = shed_count(s);
    struct exec_figures f = exec_figures(s->server->env->exec);
    uint64_t queue = f.work_full + f.work_late + f.slow_full + f.slow_late;

    if (now_us - s->told_us < SECOND || (n == s->told && queue == s->told_queue))
        return;
    log_warn(s->server->env->log, "http.turned_away", L_INT("waited", (int64_t)(n - s->told)),
             L_INT("queue", (int64_t)(queue - s->told_queue)));
    s->told_us = now_us;
    s->told = n;
    s->told_queue = queue;
}
