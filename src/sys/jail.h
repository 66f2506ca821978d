/* jail.h -- runs another program on bytes we do not trust.
 *
 * Walls, each standing on its own where the machine has it: user, network, process and IPC namespaces; uid 65534 when
 * we are root; no capabilities; NO_NEW_PRIVS; Landlock (only the system's libraries, the paths named and one folder);
 * a seccomp allow-list (no sockets, no new processes, only threads); rlimits; a wall-clock limit. The child gets no
 * descriptor but 0, 1 and 2, no environment but what is named here, and dies with the thread that runs it.
 *
 * Safe in a program with threads: all that allocates or locks is done before the fork; between fork and exec only raw
 * system calls are made. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_JAIL_H
#define SYS_JAIL_H

#include "base/str.h"

enum { JAIL_READ_ONLY_MAX = 4 };

enum jail_wall {
    JAIL_USERS = 1,   /* user namespace: no right over anything outside */
    JAIL_NETWORK = 2, /* network, IPC and host-name namespaces, all empty */
    JAIL_PIDS = 4,   /* process namespace: sees and signals nobody; all of it ends with the child */
    JAIL_FILES = 8,  /* Landlock */
    JAIL_CALLS = 16, /* seccomp */
    JAIL_LIMITS = 32, /* rlimits; always there */
    JAIL_ALL = 63,
};

struct jail_task {
    const char *const *argv; /* argv[0]: path of a program (no script); NULL ends */
    const char *const *env;  /* NULL: LC_ALL=C.UTF-8 alone */
    const char *read_only[JAIL_READ_ONLY_MAX]; /* files or folders besides the system's libraries */
    const char *read_write;                    /* folder; also where the child stands. NULL: none */
    int input;                                 /* descriptor that becomes stdin; 0: nothing */
    int nice;                                  /* added to our own */
    int cpu_s, wall_s;                         /* > 0 */
    int64_t memory_bytes;                      /* of address space; 0: no limit */
    int64_t file_bytes;                        /* of any one file written */
    size_t output_bytes;                       /* of stdout; more ends the child */

    /* Called with each whole line of stdout as it comes. May be NULL. */
    void (*line)(void *context, struct str line);
    void *context;

    unsigned without; /* walls to leave out: for the control run of a test, never otherwise */
};

enum jail_end {
    JAIL_OK,      /* exit 0 */
    JAIL_REFUSED, /* another exit status: the program's own word */
    JAIL_CRASHED, /* a signal: its bug, or a wall that kills */
    JAIL_TIMEOUT, /* wall clock or processor time */
    JAIL_FLOODED, /* more output than allowed */
    JAIL_KILLED,  /* SIGKILL from elsewhere (out of memory, an operator): trying again may help */
    JAIL_UNABLE,  /* never started; nothing of it ran */
};

struct jail_result {
    enum jail_end end;
    int status;              /* exit status, signal, or errno when unable */
    const char *stage;       /* what could not be done when unable; else "" */
    unsigned walls;          /* those that stood */
    struct str output;       /* stdout */
    struct str last_words;   /* the head of stderr, at most 4 KiB; hostile text */
    int64_t wall_us, cpu_us; /* how long it took */
    int64_t resident_bytes;  /* at its peak */
};

/* Runs the task to its end; output lives in the arena. */
enum jail_end jail_run(struct arena *a, const struct jail_task *t, struct jail_result *result);

/* Which walls this machine gives us, found by trying. What is not in JAIL_ALL deserves one line in the log. */
unsigned jail_probe(void);
/* "user namespaces" for one wall. */
const char *jail_wall_name(enum jail_wall wall);

/* For a worker of ours, in its only thread, once its libraries are loaded: from here on no program is executed and no file
 * is opened by path outside the folder it stands in (descriptors that are open stay so). What the kernel lacks is passed
 * over; false when a wall that it has does not stand. */
bool jail_seal(void);

#endif
