/* banned.h -- functions of libc that we do not call, and what to use instead.
 *
 * The Makefile puts this before every file (-include), so none can forget it. The headers that
 * declare these functions come first; then each is declared again as unavailable, which is an error
 * at the call, not before: system headers and members of the same name (env->random) are not
 * touched. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define BANNED(function, instead)                                                                  \
    extern __typeof__(function) function __attribute__((unavailable("banned: " instead)))

/* clang keeps the attribute off those that glibc defines inline; gcc, which builds everything too,
 * does not. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-attributes"
#endif

/* They do not know how much room there is. */
BANNED(strcpy, "use str_copy");
BANNED(stpcpy, "use str_copy");
BANNED(strcat, "use buf_add");
BANNED(strncpy, "use str_copy, or snprintf into a fixed array");
BANNED(strncat, "use buf_add");
BANNED(sprintf, "use snprintf or str_printf");
BANNED(vsprintf, "use vsnprintf or str_vprintf");
BANNED(mktemp, "use mkstemp");
BANNED(tmpnam, "use mkstemp");

/* They cannot say that the text is not a number. */
BANNED(atoi, "use str_int");
BANNED(atol, "use str_int");
BANNED(atoll, "use str_int");
BANNED(atof, "there are no floats in money; use strtod elsewhere");

/* They keep state where threads share it, or depend on the machine's zone. */
BANNED(strtok, "use str_split");
BANNED(strtok_r, "use str_split");
BANNED(gmtime, "use when_civil");
BANNED(localtime, "use when_civil; there are no local times here");
BANNED(localtime_r, "use when_civil; there are no local times here");
BANNED(ctime, "use when_print");
BANNED(asctime, "use when_print");
BANNED(mktime, "use civil_when");

/* Time and chance come from env, so that a run can be replayed. */
BANNED(time, "use env's clock");
BANNED(rand, "use env's random");
BANNED(srand, "use env's random");
BANNED(random, "use env's random");
BANNED(srandom, "use env's random");
BANNED(drand48, "use env's random");
BANNED(lrand48, "use env's random");

/* A shell between us and the program we meant. */
BANNED(system, "use the child runner of sys");
BANNED(popen, "use the child runner of sys");

#undef alloca
#define alloca(size) alloca_is_banned_use_an_arena(size)
#define gets(line)   gets_is_banned_use_fgets(line)

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#undef BANNED

#endif
