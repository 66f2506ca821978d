/* log.h -- structured logs: one JSON object a line, UTC, with level, event and members.
 *
 * A line goes into a bounded ring and a thread of its own writes it out; when the ring is full the
 * line is dropped and counted, because a slow disk may never slow a request. Secrets never go in:
 * members are named one by one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log;

/* Writes to fd (not closed). least: lines below it are not made. */
struct log *log_open(int fd, enum log_level least);
void log_close(struct log *l); /* writes out what waits */
uint64_t log_dropped(const struct log *l);

/* event is a constant like "http.request"; then name, value pairs as struct log_member. l may be
 * NULL (nothing is written). */
struct log_member {
    const char *name;
    bool is_text;
    struct str text;
    int64_t number;
};
void log_line(struct log *l, enum log_level level, const char *event,
              const struct log_member *members, size_t n);

#define L_STR(name, s) ((struct log_member) { (name), true, (s), 0 })
#define L_INT(name, i) ((struct log_member) { (name), false, { NULL, 0 }, (int64_t)(i) })
#define LOG_(l, level, event, ...)                                                                 \
    log_line((l), (level), (event), (const struct log_member[]) { __VA_ARGS__ },                   \
             sizeof((const struct log_member[]) { __VA_ARGS__ }) / sizeof(struct log_member))
#define log_info(l, event, ...)  LOG_(l, LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(l, event, ...)  LOG_(l, LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(l, event, ...) LOG_(l, LOG_LEVEL_ERROR, event, __VA_ARGS__)

#endif
