/* image_worker.h -- the command "stagedoor image-worker": decodes one picture, inside the jail.
 *
 *   image-worker post|avatar|banner INPUT FOLDER      "-" and "." when image_process starts it
 *
 * Writes NAME.webp into FOLDER and says on stdout, a line each:
 *
 *   progress PERCENT
 *   source TYPE WIDTH HEIGHT
 *   rendition NAME WIDTH HEIGHT BYTES
 *   done                                 exit 0
 *   refused CODE detail                  exit 1
 *
 * Exit 2 and a line on stderr: it could not work at all (no libvips, no disk). It opens libvips at run time, so the
 * program itself does not carry a hundred libraries. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_IMAGE_WORKER_H
#define SYS_IMAGE_WORKER_H

/* argv[0] is the command's name. */
int image_worker_main(int argc, char **argv);

#endif
