/* check.c -- the last words of a wrong program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *s)
{
    ssize_t ignored = write(STDERR_FILENO, s, strlen(s));

    (void)ignored;
}

_Noreturn void must_failed(const char *what, const char *file, int line)
{
    char digits[12];
    char *p = digits + sizeof(digits);

    *--p = 0;
    for (unsigned n = (unsigned)line; n > 0 && p > digits; n /= 10)
        *--p = (char)('0' + n % 10);
    say("must(");
    say(what);
    say(") failed at ");
    say(file);
    say(":");
    say(p);
    say("\n");
    abort();
}
