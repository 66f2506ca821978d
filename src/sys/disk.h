/* disk.h -- blobs in a folder of this machine (core/blob.h says the contract). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_DISK_H
#define SYS_DISK_H

#include "base/log.h"
#include "core/blob.h"

/* Makes the folder, if its parent exists, and clears out what uploads of yesterday left behind. NULL, with a line in the
 * log, when it cannot be used. */
struct blobs *disk_open(struct str folder, struct log *log);

#endif
