/* settings.h -- typed settings: default < file < environment < command line. The table of each
 * module says what exists. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "core/module.h"

struct settings;

/* file: "name = value" lines, '#' comments; none when there is none. args: the "--name=value" ones.
 * False, with a sentence in
 * *why, for an unknown name or a value out of range. */
bool settings_load(struct arena *a, const struct module *const *modules, size_t n, struct str file,
                   char *const *environment, char *const *args, size_t args_n,
                   struct settings **result, struct str *why);
struct str setting_text(const struct settings *s, const char *name); /* must() exist */
int64_t setting_int(const struct settings *s, const char *name);
bool setting_bool(const struct settings *s, const char *name);
/* "name = value   # source; doc" a line; secrets are masked. */
struct str settings_print(const struct settings *s, struct arena *a);

#endif
