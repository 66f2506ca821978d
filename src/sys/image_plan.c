/* image_plan.c -- see image_plan.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image_plan.h"
#include "base/check.h"

#include <string.h>

/* The teaser is what the public sees of a locked picture: a few dozen pixels, then blurred, so that nothing finer can be
 * won back from it. */
static const struct image_plan plans[] = {
    [IMAGE_POST] = { .purpose = "post",
                     .n = 4,
                     .steps = { { .name = "full", 2160, 2160, .quality = 82, .effort = 2 },
                                { .name = "feed", 1080, 1080, .quality = 80, .effort = 4 },
                                { .name = "thumb", 320, 320, .quality = 75, .effort = 4 },
                                { .name = "teaser",
                                  40,
                                  40,
                                  .quality = 30,
                                  .effort = 4,
                                  .blur = 2 } } },
    [IMAGE_AVATAR] = { .purpose = "avatar",
                       .shaped = true,
                       .by_interest = true,
                       .n = 2,
                       .steps = { { .name = "full", 400, 400, .quality = 82, .effort = 4 },
                                  { .name = "thumb", 96, 96, .quality = 80, .effort = 4 } } },
    [IMAGE_BANNER] = { .purpose = "banner",
                       .shaped = true,
                       .n = 2,
                       .steps = { { .name = "full", 1500, 500, .quality = 82, .effort = 4 },
                                  { .name = "thumb", 600, 200, .quality = 78, .effort = 4 } } },
};

const struct image_plan *image_plan_of(enum image_purpose purpose)
{
    must((size_t)purpose < COUNT(plans));
    return &plans[purpose];
}

const struct image_plan *image_plan_named(const char *purpose)
{
    for (size_t i = 0; i < COUNT(plans); i++)
        if (strcmp(plans[i].purpose, purpose) == 0)
            return &plans[i];
    return NULL;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

void image_plan_size(const struct image_plan *p, int width, int height, int *w, int *h)
{
    int ratio = p->steps[0].width / p->steps[0].height;

    must(width > 0 && height > 0);
    if (!p->shaped) {
        *w = p->steps[0].width;
        *h = p->steps[0].height;
        return;
    }
    /* Ratios are whole numbers: 1 and 3. A source thinner than one row of the shape stays a row. */
    must(p->steps[0].width == ratio * p->steps[0].height);
    *h = least(p->steps[0].height, least(height, width / ratio));
    if (*h < 1)
        *h = 1;
    *w = least(*h * ratio, width);
}

enum image_refusal image_plan_refusal(enum image_kind kind)
{
    static const enum image_refusal why[] = {
        [KIND_EMPTY] = IMAGE_EMPTY,    [KIND_SVG] = IMAGE_IS_SVG,   [KIND_PDF] = IMAGE_IS_PDF,
        [KIND_VIDEO] = IMAGE_IS_VIDEO, [KIND_TEXT] = IMAGE_IS_TEXT, [KIND_OTHER] = IMAGE_UNKNOWN,
    };

    must(kind >= KIND_ACCEPTED && (size_t)kind < COUNT(why));
    return why[kind];
}
