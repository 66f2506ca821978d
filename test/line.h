/* line.h -- a hall (hall.h) with an open port, and bytes to and from it as they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_LINE_H
#define TEST_LINE_H

#include "test/hall.h"

struct line_out {
    struct hall *hall;
    int port;
};

/* setting: one more, "--name=value", or NULL. */
struct line_out line_open(const char *setting);
void line_close(struct line_out *l);

int line_dial(struct line_out *l);
void line_say(int fd, struct str text);
/* All until the other side closes, or `until` has come (NULL: never), or 5 s. */
struct str line_hear(struct line_out *l, int fd, const char *until);
/* Says it, hears all, hangs up. */
struct str line_ask(struct line_out *l, struct str text);

/* Of the first answer. */
int reply_status(struct str reply);
int reply_count(struct str text, const char *word);

#endif
