/* schema_files.h -- the migrations of schema/, linked into the program by tools/embed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SCHEMA_FILES_H
#define CORE_SCHEMA_FILES_H

#include "base/str.h"

struct schema_file {
    const char *name; /* "0001-core-jobs": the file's name without ".sql" */
    struct str sql;   /* NUL-terminated */
};

extern const struct schema_file schema_files[]; /* in the order of their numbers */
extern const size_t schema_files_n;

#endif
