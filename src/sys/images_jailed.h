/* images_jailed.h -- core/images.h on image.h: renditions become files that the blob store can keep. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_IMAGES_JAILED_H
#define SYS_IMAGES_JAILED_H

#include "base/log.h"
#include "core/blob.h"
#include "core/images.h"

/* scratch: a folder, made if its parent exists, in which each worker gets one of its own; what a crash left there an hour
 * ago is swept. program: NULL for this very program, which must know the command image-worker. Logs one warning when the
 * machine lacks a wall of the jail. NULL, with a line in the log, when scratch cannot be used. */
struct images *images_jailed_open(struct blobs *blobs, struct str scratch, const char *program,
                                  struct log *log);

#endif
