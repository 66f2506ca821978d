/* modules.h -- what the program is made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODULES_H
#define MODULES_H

#include "core/module.h"

/* From low to high: a module calls only those before it. */
extern const struct module *const modules[];
extern const size_t modules_n;
/* `stagedoor sandbox` is another program: core, this one, the server and the sandbox's own. */
extern const struct module program_module;

#endif
