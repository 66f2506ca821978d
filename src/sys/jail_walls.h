/* jail_walls.h -- the walls that need preparing before the fork: Landlock rules and the seccomp program. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_JAIL_WALLS_H
#define SYS_JAIL_WALLS_H

#include "sys/jail.h"

#include <linux/filter.h>

/* Sanitizers reserve terabytes of addresses, read /proc and call more than the program does: a few walls are lower for
 * them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#elif __has_feature(thread_sanitizer)
#define SANITIZED         1
#define SANITIZED_THREADS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__SANITIZE_THREAD__)
#define SANITIZED         1
#define SANITIZED_THREADS 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#ifndef SANITIZED_THREADS
#define SANITIZED_THREADS 0
#endif

/* The highest version of Landlock that the kernel offers; 0: none. */
int landlock_version(void);
/* A ruleset to restrict oneself with: system libraries, program, t->read_only readable; dir (-1: none) writable.
 * -1 with errno when a path cannot be opened. landlock_version() > 0. */
int landlock_rules(const struct jail_task *t, int program, int dir);

/* True when the kernel takes filters. */
bool seccomp_works(void);
/* The allow-list as a program in the arena. False when libseccomp cannot make it (a bug, or no memory). */
bool seccomp_program(struct arena *a, struct sock_fprog *result);

#endif
