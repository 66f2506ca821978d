/* picture.c -- a picture is a function from a point to a colour; a scene is such a function. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/picture.h"
#include "base/check.h"

#include <math.h>

struct rgb {
    float r, g, b;
};

/* Five colours from dark to light. */
struct palette {
    struct rgb c[5];
};

struct drawing {
    struct palette palette;
    uint32_t seed;
    float aspect; /* width / height */
};

#define HEX(n)                                                                                     \
    {                                                                                              \
        (float)((n) >> 16 & 255) / 255.0f, (float)((n) >> 8 & 255) / 255.0f,                       \
            (float)((n)&255) / 255.0f                                                              \
    }

static const struct palette palettes[12] = {
    { { HEX(0x14091f), HEX(0x4a1942), HEX(0xc2405a), HEX(0xf59e6b), HEX(0xffe3b8) } },
    { { HEX(0x061a2b), HEX(0x0f4c5c), HEX(0x3fa796), HEX(0xf5c26b), HEX(0xfff3d6) } },
    { { HEX(0x0b1026), HEX(0x253b80), HEX(0x6c7ae0), HEX(0xe39bd3), HEX(0xffe9f3) } },
    { { HEX(0x1a0f0a), HEX(0x5c2e1a), HEX(0xc96f2e), HEX(0xf2b35e), HEX(0xfdebc8) } },
    { { HEX(0x07160f), HEX(0x14532d), HEX(0x4f9d69), HEX(0xc8d96f), HEX(0xf7f9dc) } },
    { { HEX(0x1b0a14), HEX(0x6b1037), HEX(0xd6336c), HEX(0xff8fab), HEX(0xffe5ec) } },
    { { HEX(0x0a0f14), HEX(0x1f3a4d), HEX(0x4f7d95), HEX(0xb5c9c3), HEX(0xf4efe6) } },
    { { HEX(0x170b2e), HEX(0x3c1a78), HEX(0x7b4bd6), HEX(0x5fd4e8), HEX(0xe2fbff) } },
    { { HEX(0x1c1007), HEX(0x3d2b1f), HEX(0x8a6a4a), HEX(0xd9b98a), HEX(0xfaf0dc) } },
    { { HEX(0x050a18), HEX(0x10316b), HEX(0x1f7ad1), HEX(0x6fd3f2), HEX(0xeefcff) } },
    { { HEX(0x1d0a0a), HEX(0x6e1414), HEX(0xd63c2f), HEX(0xf6a13c), HEX(0xfff0c9) } },
    { { HEX(0x0d1117), HEX(0x30363d), HEX(0x8b6f9c), HEX(0xe6b8a2), HEX(0xfaf3ee) } },
};

/* --- light and noise -------------------------------------------------------------------------------------------- */

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float smooth(float from, float to, float x)
{
    float t = clamp01((x - from) / (to - from));

    return t * t * (3 - 2 * t);
}

static float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

static struct rgb mix(struct rgb a, struct rgb b, float t)
{
    return (struct rgb) { mixf(a.r, b.r, t), mixf(a.g, b.g, t), mixf(a.b, b.b, t) };
}

static struct rgb plus(struct rgb a, struct rgb b, float k)
{
    return (struct rgb) { a.r + b.r * k, a.g + b.g * k, a.b + b.b * k };
}

static struct rgb times(struct rgb a, float k)
{
    return (struct rgb) { a.r * k, a.g * k, a.b * k };
}

/* The palette as one ramp. */
static struct rgb ramp(const struct palette *p, float t)
{
    float at = clamp01(t) * 3.999f;
    int i = (int)at;

    return mix(p->c[i], p->c[i + 1], at - (float)i);
}

static uint32_t hash32(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x8da6b343u ^ y * 0xd8163841u ^ seed * 0xcb1ab31fu;

    h = (h ^ h >> 13) * 0x5bd1e995u;
    h = (h ^ h >> 15) * 0x27d4eb2du;
    return h ^ h >> 16;
}

static float chance(uint32_t x, uint32_t y, uint32_t seed)
{
    return (float)(hash32(x, y, seed) >> 8) / 16777216.0f;
}

/* Value noise, 0..1. */
static float noise(float x, float y, uint32_t seed)
{
    float fx = floorf(x), fy = floorf(y), u = x - fx, v = y - fy;
    uint32_t ix = (uint32_t)(int32_t)fx, iy = (uint32_t)(int32_t)fy;

    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    return mixf(mixf(chance(ix, iy, seed), chance(ix + 1, iy, seed), u),
                mixf(chance(ix, iy + 1, seed), chance(ix + 1, iy + 1, seed), u), v);
}

static float cloud(float x, float y, uint32_t seed, int octaves)
{
    float sum = 0, size = 0.5f;

    for (int i = 0; i < octaves; i++) {
        sum += noise(x, y, seed + (uint32_t)i * 101u) * size;
        x = x * 2.03f + 3.1f;
        y = y * 2.03f + 1.7f;
        size /= 2;
    }
    return sum;
}

/* --- scenes: x in 0..aspect, y in 0..1 downwards ---------------------------------------------------------------- */

/* Beams of light through haze, a pool of light on the boards. */
static struct rgb stage(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    float w = d->aspect, haze = cloud(x * 3, y * 3, d->seed, 4), floor_line = 0.74f;
    struct rgb c = mix(times(p->c[0], 0.5f), times(p->c[1], 0.55f), smooth(0, 1, y) * 0.8f);

    for (uint32_t i = 0; i < 6; i++) {
        float from = (chance(i, 1, d->seed) * 1.2f - 0.1f) * w,
              to = (chance(i, 2, d->seed) * 0.8f + 0.1f) * w;
        float at = mixf(from, to, y * 1.1f), width = 0.015f + 0.13f * y;
        float beam = expf(-(x - at) * (x - at) / (width * width)) * (0.25f + haze * 0.75f) *
                     (1.1f - y * 0.55f);
        c = plus(c, ramp(p, 0.45f + chance(i, 3, d->seed) * 0.5f), beam * 0.55f);
    }
    if (y > floor_line) {
        float depth = (y - floor_line) / (1 - floor_line), px = (x - w / 2) / (0.25f + depth);
        float board = fabsf(fmodf(px * 9 + 100, 1.0f) - 0.5f) < 0.03f ? 0.75f : 1.0f;
        float dx = (x - w * (0.4f + 0.2f * chance(7, 7, d->seed))) / 0.42f, dy = (y - 0.87f) / 0.1f;
        float pool = expf(-(dx * dx + dy * dy));
        c = mix(times(p->c[1], 0.22f), c, 0.25f);
        c = times(plus(c, p->c[4], pool * (0.55f + haze * 0.4f)), board);
    }
    return c;
}

/* Ridges that fade into the light behind them. */
static struct rgb hills(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    float sx = d->aspect * (0.3f + 0.4f * chance(1, 9, d->seed)),
          sy = 0.3f + 0.12f * chance(2, 9, d->seed);
    float r = sqrtf((x - sx) * (x - sx) + (y - sy) * (y - sy));
    struct rgb c = mix(ramp(p, 0.42f), ramp(p, 0.97f), smooth(0.0f, 0.6f, y) * 0.9f);

    c = plus(c, p->c[4], expf(-r * 5) * 0.5f);
    c = mix(c, p->c[4], smooth(0.078f, 0.072f, r));
    c = plus(c, p->c[4],
             (cloud(x * 2.2f, y * 9, d->seed + 5, 4) - 0.45f) * 0.25f * smooth(0.5f, 0.1f, y));
    for (uint32_t i = 0; i < 6; i++) {
        float t = (float)i / 5, base = 0.46f + 0.1f * (float)i;
        float ridge =
            base - (cloud(x * (1.6f + t * 1.5f) + (float)i * 7.3f, (float)i, d->seed + i * 31u, 5) -
                    0.45f) *
                       (0.34f - t * 0.12f);
        float cover = smooth(ridge - 0.0015f, ridge + 0.0015f, y);
        struct rgb rock = ramp(p, 0.62f - t * 0.58f), mist = ramp(p, 0.85f - t * 0.5f);
        c = mix(c, mix(rock, mist, smooth(ridge, ridge + 0.22f, y) * 0.55f), cover);
    }
    return c;
}

/* Curtains of light over still water. */
static struct rgb aurora(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    float shore = 0.7f;
    bool water = y > shore;
    float sway = water ? (noise(x * 14, y * 90, d->seed + 3) - 0.5f) * 0.02f : 0;
    float sky_y = water ? shore - (y - shore) * 1.4f : y, sx = x + sway;
    struct rgb c = mix(times(p->c[0], 0.8f), p->c[1], smooth(0.1f, 0.9f, sky_y) * 0.75f);

    for (uint32_t i = 0; i < 3; i++) {
        float fold = cloud(sx * 1.7f + (float)i * 5, (float)i * 2, d->seed + i, 4);
        float foot = 0.25f + fold * 0.5f - (float)i * 0.06f, over = foot - sky_y;
        float rays = 0.55f + 0.45f * noise(sx * 60 + fold * 30, (float)i, d->seed + 40);
        float light = over > 0 ? expf(-over * 5.5f) * smooth(0, 0.035f, over) * rays : 0;
        c = plus(c, ramp(p, 0.5f + 0.17f * (float)i), light * 0.8f);
    }
    if (!water && chance((uint32_t)(x * 700), (uint32_t)(y * 700), d->seed) > 0.9985f)
        c = plus(c, p->c[4], 0.8f * chance((uint32_t)(x * 700), 5, d->seed));
    float trees =
        shore - 0.02f -
        0.07f * cloud(x * 6, 1, d->seed + 70, 5) * smooth(0, 0.5f, fabsf(x / d->aspect - 0.55f));
    float mirrored = water ? shore + (shore - trees) * 0.7f : 2;
    if ((!water && y > trees) || y < mirrored * (float)water)
        c = times(p->c[0], 0.35f);
    return water ? times(c, 0.72f) : c;
}

/* A city at night, out of focus. */
static struct rgb lights(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    struct rgb c = mix(times(p->c[0], 0.7f), times(p->c[1], 0.9f),
                       smooth(0.2f, 1.0f, y + 0.3f * cloud(x, y, d->seed, 3)));

    for (uint32_t i = 0; i < 70; i++) {
        float layer = chance(i, 0, d->seed), r = 0.012f + 0.075f * layer * layer;
        float bx = chance(i, 1, d->seed) * d->aspect,
              by = 0.25f + 0.6f * chance(i, 2, d->seed) * (0.5f + 0.5f * layer);
        float dist = sqrtf((x - bx) * (x - bx) + (y - by) * (y - by));
        if (dist > r * 1.4f)
            continue;
        float disc = smooth(r, r * 0.9f, dist) * (0.55f + 0.45f * smooth(r * 0.55f, r, dist));
        c = plus(c, ramp(p, 0.4f + 0.6f * chance(i, 3, d->seed)), disc * (0.5f - 0.3f * layer));
    }
    return c;
}

/* Folded cloth: noise that is bent by noise. */
static struct rgb silk(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    float a = cloud(x * 1.3f, y * 1.3f, d->seed, 4),
          b = cloud(x * 1.3f + 5.2f, y * 1.3f + 1.3f, d->seed + 9, 4);
    float f = cloud(x * 1.1f + 2.6f * a, y * 1.1f + 2.6f * b, d->seed + 17, 4);
    float fold = sinf(f * 22 + a * 6), light = 0.5f + 0.5f * fold;
    struct rgb c = ramp(p, 0.12f + 0.7f * f + 0.15f * b);

    c = times(c, 0.45f + 0.75f * light);
    return plus(c, p->c[4], powf(light, 9) * 0.3f);
}

struct ball {
    float x, y, z, r;
};

/* Where the ray through (x, y) meets a ball; z towards us. */
static bool meets(const struct ball *b, float x, float y, float *z)
{
    float dx = x - b->x, dy = y - b->y, rest = b->r * b->r - dx * dx - dy * dy;

    if (rest < 0)
        return false;
    *z = b->z + sqrtf(rest);
    return true;
}

/* Clay balls in soft light: a still life. */
static struct rgb clay(const struct drawing *d, float x, float y)
{
    const struct palette *p = &d->palette;
    float wall = smooth(0.95f, 0.2f, y) * 0.2f, best = -10, lit = 1;
    struct rgb c = ramp(p, y < 0.66f ? 0.78f + wall : 0.86f - (y - 0.66f) * 0.5f);
    int hit = -1;
    struct ball balls[7], *b;

    c = times(c, 0.82f + 0.2f * smooth(1.2f, 0, sqrtf((x - 0.2f) * (x - 0.2f) + y * y)));
    for (uint32_t i = 0; i < 7; i++) {
        float r = 0.06f + 0.14f * chance(i, 1, d->seed), z = chance(i, 2, d->seed) * 0.5f;
        balls[i] = (struct ball) { (0.12f + 0.76f * ((float)i + 0.6f * chance(i, 3, d->seed)) / 7) *
                                       d->aspect,
                                   0.6f + z * 0.36f - r + 0.14f, z, r };
        b = &balls[i];
        float sx = (x - b->x - b->r * 0.55f) / (b->r * 1.5f),
              sy = (y - b->y - b->r * 0.95f) / (b->r * 0.34f);
        if (y > 0.62f)
            lit *= 1 - 0.5f * expf(-(sx * sx + sy * sy));
    }
    c = times(c, lit);
    for (int i = 0; i < 7; i++) {
        float z;
        if (meets(&balls[i], x, y, &z) && z > best) {
            best = z;
            hit = i;
        }
    }
    if (hit < 0)
        return c;
    b = &balls[hit];
    float nx = (x - b->x) / b->r, ny = (y - b->y) / b->r, nz = (best - b->z) / b->r;
    float sun = clamp01(-0.55f * nx - 0.62f * ny + 0.56f * nz), shine = powf(sun, 28) * 0.4f;
    float grain = (noise(x * 260, y * 260, d->seed) - 0.5f) * 0.05f;
    struct rgb body = ramp(p, 0.2f + 0.75f * chance((uint32_t)hit, 8, d->seed));
    body = times(body, 0.34f + 0.85f * sun + 0.14f * clamp01(ny) + grain);
    return plus(mix(body, c, smooth(0.25f, 0, nz) * 0.25f), p->c[4], shine);
}

/* --- pictures --------------------------------------------------------------------------------------------------- */

static unsigned char byte_of(float v, float grain)
{
    float x = v / (1 + 0.06f * v * v); /* highlights roll off, as on film */

    return (unsigned char)(clamp01(x + grain) * 255.0f + 0.5f);
}

unsigned char *picture_draw(struct arena *a, enum scene scene, unsigned palette, uint64_t seed,
                            uint32_t width, uint32_t height)
{
    static struct rgb (*const scenes[SCENES])(const struct drawing *d, float x, float y) = {
        stage, hills, aurora, lights, silk, clay,
    };
    struct drawing d = { palettes[palette % 12], (uint32_t)(seed * 2654435761u + 12345u),
                         (float)width / (float)height };
    unsigned char *rgb = arena_alloc(a, (size_t)width * height * 3), *to = rgb;

    must(scene < SCENES && width > 0 && height > 0);
    for (uint32_t py = 0; py < height; py++)
        for (uint32_t px = 0; px < width; px++) {
            float x = ((float)px + 0.5f) / (float)height, y = ((float)py + 0.5f) / (float)height;
            float vx = x / d.aspect - 0.5f, vy = y - 0.5f,
                  vignette = 1 - 0.55f * (vx * vx + vy * vy);
            float grain = (chance(px, py, d.seed) - 0.5f) * 0.022f;
            struct rgb c = times(scenes[scene](&d, x, y), vignette);
            *to++ = byte_of(c.r, grain);
            *to++ = byte_of(c.g, grain);
            *to++ = byte_of(c.b, grain);
        }
    return rgb;
}
