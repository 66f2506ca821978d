/* env.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/env.h"

struct when env_real_now(struct env *e)
{
    return e->clock.real(&e->clock);
}

struct when env_now(struct env *e)
{
    return when_after(env_real_now(e), __atomic_load_n(&e->clock.offset_us, __ATOMIC_ACQUIRE));
}

int64_t env_monotonic_us(struct env *e)
{
    return e->clock.monotonic == NULL ? monotonic_us() : e->clock.monotonic(&e->clock);
}

void env_sleep_ms(struct env *e, int64_t ms)
{
    if (e->clock.sleep == NULL)
        sleep_ms(ms);
    else
        e->clock.sleep(&e->clock, ms);
}

struct sha256 env_key(const struct env *e, const char *purpose)
{
    return hmac_sha256((struct str) { (const char *)e->master, sizeof(e->master) },
                       str_of(purpose));
}

const struct job_kind *env_job_kind(const struct env *e, struct str name)
{
    for (size_t m = 0; m < e->modules_n; m++)
        for (size_t i = 0; i < e->modules[m]->jobs_n; i++)
            if (str_is(name, e->modules[m]->jobs[i].name))
                return &e->modules[m]->jobs[i];
    return NULL;
}

const struct event_kind *env_event_kind(const struct env *e, struct str name)
{
    for (size_t m = 0; m < e->modules_n; m++)
        for (size_t i = 0; i < e->modules[m]->events_n; i++)
            if (str_is(name, e->modules[m]->events[i]->name))
                return e->modules[m]->events[i];
    return NULL;
}
