/* png.h -- writes a picture as PNG (ISO/IEC 15948): 8 bits, RGB. For pictures that we draw ourselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_PNG_H
#define SYS_PNG_H

#include "base/str.h"

/* rgb: height rows of width * 3 bytes. */
struct str png_write(struct arena *a, const unsigned char *rgb, uint32_t width, uint32_t height);

#endif
