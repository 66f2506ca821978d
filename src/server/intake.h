/* intake.h -- the body of a WIRE_FILE route, on its way from the socket into a temporary file of the blob store. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_INTAKE_H
#define SERVER_INTAKE_H

#include "core/env.h"

struct intake;

/* NULL when no file can be made: err says why. */
struct intake *intake_open(struct env *e, struct arena *a, enum err *err);
/* E_OK, E_STORAGE_FULL, E_INTERNAL. */
enum err intake_add(struct intake *t, const char *p, size_t n);
/* The file is complete. */
enum err intake_end(struct intake *t, struct upload *result);
int64_t intake_size(const struct intake *t);
/* Removes the file, if it is still where it was; NULL is allowed. */
void intake_drop(struct intake *t);

#endif
