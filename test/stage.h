/* stage.h -- the whole program in a test: every module, real pictures in the real jail, the sandbox as the bank, a server
 * that is asked by a function call or over its socket.
 *
 *   struct stage *s = stage_open(engine);
 *   struct str ana = stage_sign_up(s, "ana");
 *   struct http_call h = stage_ask(s, ana, "POST", "/v1/creators", "{…}");
 *   CHECK_INT(h.status, 201);
 *
 * What is due runs after each request, and beside one that waits for it. Scenarios stand on the same (scenario.c). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_STAGE_H
#define TEST_STAGE_H

#include "server/server.h"
#include "test/bank.h"
#include "test/fixtures.h"

struct stage {
    struct house *house;
    struct server *server;
    struct bank *bank; /* NULL until stage_bank; it opens the server's port too */
    struct arena *arena;
    int keys; /* given so far */
};

struct stage *stage_open(const char *engine);
/* Of other modules than the program's: with a broken one, for a control. */
struct stage *stage_open_modules(const char *engine, const struct module *const *modules, size_t n);
void stage_close(struct stage *s);
void stage_bank(struct stage *s);

/* As it is, then everything that is due. */
void stage_call(struct stage *s, struct http_call *h);
/* The same for a call whose answer waits for a job. */
void stage_call_waiting(struct stage *s, struct http_call *h);
void stage_jobs(struct stage *s);

/* body: JSON, or NULL. An Idempotency-Key of its own goes with each that changes something. */
struct http_call stage_ask(struct stage *s, struct str token, const char *method, const char *path,
                           const char *body);
/* The same; the test ends when it does not answer `status`. The reply. */
struct str stage_must(struct stage *s, struct str token, const char *method, const char *path,
                      const char *body, int status);
/* Name's token; name@example.org. */
struct str stage_sign_up(struct stage *s, const char *name);
struct http_call stage_upload(struct stage *s, struct str token, const char *purpose,
                              const char *file);
/* A member of a reply as text ("subscription.id", "items.0.id"); none when absent. */
struct str stage_member(struct stage *s, struct str reply, const char *path);

#endif
