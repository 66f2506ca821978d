/* check.h -- must() for our bugs, blame() for theirs.
 *
 * must(x): an invariant of ours. It aborts, in production too: a wrong program may not touch money.
 * blame(x): their fault (a bad byte, a lying peer). It yields x, so it is written `if (blame(...))
 * refuse`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must(x)                                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!(x), 0))                                                             \
            must_failed(#x, __FILE__, __LINE__);                                                   \
    } while (0)

#define blame(x) (__builtin_expect(!!(x), 0))

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Prints the place and aborts. Async-signal-safe. */
_Noreturn void must_failed(const char *what, const char *file, int line);

#endif
