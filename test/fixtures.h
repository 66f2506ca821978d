/* fixtures.h -- pictures for tests, drawn by test/fixtures/make.sh into build/fixtures on first use. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FIXTURES_H
#define TEST_FIXTURES_H

#include "test/unit.h"

#define FIXTURES "build/fixtures"

/* Skips the test where they cannot be read (libvips under ThreadSanitizer). */
void fixtures_make(void);
/* A whole file; the test ends when there is none. */
struct str fixture_read(struct arena *a, const char *path);

#endif
