/* picture.h -- draws the demo's photographs: scenes made from noise and light, no image from outside.
 *
 * The same seed gives the same picture. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_PICTURE_H
#define DEMO_PICTURE_H

#include "base/str.h"

enum scene { SCENE_STAGE, SCENE_HILLS, SCENE_AURORA, SCENE_LIGHTS, SCENE_SILK, SCENE_CLAY, SCENES };

/* palette: 0..11, a creator's own colours. Returns RGB bytes, width * height * 3. */
unsigned char *picture_draw(struct arena *a, enum scene scene, unsigned palette, uint64_t seed,
                            uint32_t width, uint32_t height);

#endif
