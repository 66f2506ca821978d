/* file.h -- what the power may not take back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>

/* The bytes of the file at path are on the disk when it returns; with O_DIRECTORY in flags, the names in the folder. flags: more
 * for open(2). False: errno says why. */
bool file_sync(const char *path, int flags);

#endif
