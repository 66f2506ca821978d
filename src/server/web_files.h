/* web_files.h -- the built web app, linked into the program by tools/embed.
 *
 * Sorted by path (strcmp), so it can be searched. Empty when there is no build/web: then the API stands alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_WEB_FILES_H
#define SERVER_WEB_FILES_H

#include "base/str.h"

struct web_file {
    const char *path;    /* "/index.html", "/assets/index-3f9c.js" */
    const char *type;    /* "text/html; charset=utf-8" */
    const char *etag;    /* a quoted strong tag, from the SHA-256 of the identity bytes */
    struct str identity; /* as built */
    struct str br, gzip; /* compressed; none where that is not smaller */
};

extern const struct web_file web_files[];
extern const size_t web_files_n;

#endif
