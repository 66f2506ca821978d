/* start.h -- brings the core up and down: migrations, runner, jobs, hub. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_START_H
#define CORE_START_H

#include "core/env.h"

/* Settings of the core itself (database.*, core.*, jobs.*) and its sweeping job. Stands first among
 * the modules. */
extern const struct module core_module;

/* e has its drivers, settings, clock, keys and modules; this makes revisions, exec, hub, jobs (with
 * workers threads; 0: none, for tests and tools, which drain), and calls each module's start. On an
 * error nothing runs. */
enum err env_start(struct env *e, int job_workers);
void env_stop(struct env *e);

#endif
