/* scenario.h -- plays a scenario (the language stands in scenario.c); whoever wants may send its requests himself. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCENARIO_H
#define TEST_SCENARIO_H

#include "test/stage.h"

struct scenario_driver {
    /* Sends one request. waits: its answer may wait for a job, which must run meanwhile. line: of the file. */
    void (*call)(void *context, struct stage *s, int line, struct http_call *h, bool waits);
    /* After each line: runs what is due. */
    void (*due)(void *context, struct stage *s, int line);
    void *context;
};

/* driver: NULL as the scenario's own tests do. */
void scenario_play(const char *file, const char *engine, const struct scenario_driver *driver);

/* For constructors: registers test for each file that fits the pattern and for each engine, as PREFIX_FILE_on_ENGINE. When it
 * runs, unit_this()->file is the scenario, and scenario_engine() its engine. */
void scenario_tests(const char *pattern, const char *prefix, struct unit_test test);
const char *scenario_engine(void);

#endif
