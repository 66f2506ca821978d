/* power_image.c -- what the disk would hold: the images of power.h, made from the record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/power_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512 };

const char *const fate_names[] = { "lost", "kept", "torn", "reordered", "shredded", NULL };

struct content {
    char *p;
    size_t n, room;
};

struct list {
    size_t *v;
    size_t n, room;
};

struct inode {
    struct content synced;
    struct list since; /* operations since its last sync */
};

struct images {
    struct power *p;
    uint64_t seed;
    size_t at;
    struct inode inodes[INODES_MAX];
    int names[NAMES_MAX]; /* as the synced folder has them */
    struct list names_since;
};

/* A part of an operation that is kept or not by itself. */
struct unit {
    size_t op;
    int64_t at;
    size_t n;
    const char *data; /* NULL: it is the length that changes */
};

struct units {
    struct unit *v;
    size_t n, room;
};

/* --- small parts ------------------------------------------------------------------------------------------------ */

/* splitmix64 */
uint64_t images_chance(struct images *i, uint64_t n)
{
    uint64_t z = i->seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

static void *grown(void *v, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return v;
    *room = n * 2 + 64;
    v = realloc(v, *room * size);
    must(v != NULL);
    return v;
}

static void list_add(struct list *l, size_t op)
{
    l->v = grown(l->v, l->n, &l->room, sizeof(l->v[0]));
    l->v[l->n++] = op;
}

static void resize(struct content *c, size_t n)
{
    if (n > c->room) {
        c->room = n + n / 2;
        c->p = realloc(c->p, c->room);
        must(c->p != NULL);
    }
    if (n > c->n)
        memset(c->p + c->n, 0, n - c->n);
    c->n = n;
}

static void put(struct content *c, int64_t at, const char *data, size_t n)
{
    if ((size_t)at + n > c->n)
        resize(c, (size_t)at + n);
    if (n > 0)
        memcpy(c->p + at, data, n);
}

static void apply(const struct power *p, struct content *c, const struct op *o)
{
    if (o->kind == OP_WRITE)
        put(c, o->at, p->bytes + o->data, o->n);
    else
        resize(c, (size_t)o->at);
}

/* --- forward ---------------------------------------------------------------------------------------------------- */

static void names_apply(struct images *i, int *names, size_t op)
{
    const struct op *o = &i->p->ops[op];

    names[o->name] = o->kind == OP_CREATE ? o->inode : -1;
}

/* A sync that failed: some of it may be there, and nothing else will ever be. */
static void sync_lost(struct images *i, struct inode *f)
{
    for (size_t k = 0; k < f->since.n; k++)
        if (images_chance(i, 2) == 0)
            apply(i->p, &f->synced, &i->p->ops[f->since.v[k]]);
    f->since.n = 0;
}

static void forward_one(struct images *i, size_t op)
{
    const struct op *o = &i->p->ops[op];
    struct inode *f = &i->inodes[o->inode < 0 ? 0 : o->inode];

    switch (o->kind) {
    case OP_WRITE:
    case OP_TRUNCATE:
        list_add(&f->since, op);
        break;
    case OP_SYNC:
        for (size_t k = 0; k < f->since.n; k++)
            apply(i->p, &f->synced, &i->p->ops[f->since.v[k]]);
        f->since.n = 0;
        break;
    case OP_SYNC_LOST:
        sync_lost(i, f);
        break;
    case OP_TURNED_OUT:
        resize(&f->synced, 0);
        put(&f->synced, 0, i->p->bytes + o->data, o->n);
        f->since.n = 0;
        break;
    case OP_CREATE:
    case OP_DELETE:
        list_add(&i->names_since, op);
        break;
    case OP_FOLDER_SYNC:
        for (size_t k = 0; k < i->names_since.n; k++)
            names_apply(i, i->names, i->names_since.v[k]);
        i->names_since.n = 0;
        break;
    }
}

void images_forward(struct images *i, size_t at)
{
    must(at >= i->at && at <= power_now(i->p));
    for (; i->at < at; i->at++)
        forward_one(i, i->at);
}

struct images *images_open(struct power *p, uint64_t seed)
{
    struct images *i = calloc(1, sizeof(*i));

    must(i != NULL);
    i->p = p;
    i->seed = seed;
    for (int k = 0; k < NAMES_MAX; k++)
        i->names[k] = -1;
    return i;
}

void images_close(struct images *i)
{
    for (int k = 0; k < INODES_MAX; k++) {
        free(i->inodes[k].synced.p);
        free(i->inodes[k].since.v);
    }
    free(i->names_since.v);
    free(i);
}

/* --- one image -------------------------------------------------------------------------------------------------- */

static void unit_add(struct units *u, struct unit unit)
{
    u->v = grown(u->v, u->n, &u->room, sizeof(u->v[0]));
    u->v[u->n++] = unit;
}

/* Whole, or sector by sector. */
static void units_add(struct images *i, struct units *u, size_t op, bool sectors)
{
    const struct op *o = &i->p->ops[op];
    const char *data = i->p->bytes + o->data;

    if (o->kind == OP_TRUNCATE || !sectors) {
        unit_add(u, (struct unit) { op, o->at, o->n, o->kind == OP_TRUNCATE ? NULL : data });
        return;
    }
    for (size_t done = 0; done < o->n;) {
        size_t n = SECTOR - (size_t)((o->at + (int64_t)done) % SECTOR);
        n = n < o->n - done ? n : o->n - done;
        unit_add(u, (struct unit) { op, o->at + (int64_t)done, n, data + done });
        done += n;
    }
}

static void shuffle(struct images *i, struct units *u)
{
    for (size_t k = u->n; k > 1; k--) {
        size_t other = (size_t)images_chance(i, k);
        struct unit kept = u->v[k - 1];
        u->v[k - 1] = u->v[other];
        u->v[other] = kept;
    }
}

/* Which of the operations were under way when, or after, the power went. */
static bool keeps(struct images *i, enum fate fate, size_t op, size_t cut)
{
    if (fate == FATE_TORN)
        return op < cut || (op == cut && images_chance(i, 2) == 0);
    return fate == FATE_KEPT || (fate != FATE_LOST && images_chance(i, 2) == 0);
}

static void rubbish(struct images *i, struct content *c, const struct unit *u)
{
    char bytes[SECTOR];

    for (size_t k = 0; k < u->n; k++)
        bytes[k] = (char)images_chance(i, 256);
    put(c, u->at, bytes, u->n);
}

static void content_of(struct images *i, const struct inode *f, enum fate fate, size_t cut,
                       struct content *result)
{
    struct units u = { 0 };

    resize(result, f->synced.n);
    memcpy(result->p == NULL ? "" : result->p, f->synced.p == NULL ? "" : f->synced.p, f->synced.n);
    if (fate == FATE_LOST)
        return;
    for (size_t k = 0; k < f->since.n; k++)
        units_add(i, &u, f->since.v[k],
                  fate == FATE_SHREDDED || (fate == FATE_TORN && f->since.v[k] == cut));
    if (fate >= FATE_REORDERED)
        shuffle(i, &u);
    for (size_t k = 0; k < u.n; k++) {
        if (!keeps(i, fate, u.v[k].op, cut))
            continue;
        if (u.v[k].data == NULL)
            resize(result, (size_t)u.v[k].at);
        else if (fate == FATE_SHREDDED && images_chance(i, 16) == 0)
            rubbish(i, result, &u.v[k]);
        else
            put(result, u.v[k].at, u.v[k].data, u.v[k].n);
    }
    free(u.v);
}

static void file_put(const char *folder, const char *path, const struct content *c)
{
    const char *base = strrchr(path, '/');
    char to[400];

    snprintf(to, sizeof(to), "%s%s", folder, base == NULL ? path : base);
    if (c == NULL) {
        must(unlink(to) == 0 || errno == ENOENT);
        return;
    }
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    for (size_t done = 0; done < c->n;) {
        ssize_t n = write(fd, c->p + done, c->n - done);
        must(n > 0);
        done += (size_t)n;
    }
    close(fd);
}

/* An operation after which nothing was kept: one of those that are not synced. */
static size_t cut_of(struct images *i)
{
    size_t n = 0, first = i->at;

    for (int k = 0; k < i->p->inodes_n; k++) {
        const struct list *l = &i->inodes[k].since;
        n += l->n;
        if (l->n > 0 && l->v[0] < first)
            first = l->v[0];
    }
    return n == 0 ? i->at : first + (size_t)images_chance(i, i->at - first);
}

enum fate image_write(struct images *i, const char *folder)
{
    enum fate fate = (enum fate)images_chance(i, FATE_COUNT);
    size_t cut = cut_of(i);
    int names[NAMES_MAX];

    memcpy(names, i->names, sizeof(names));
    for (size_t k = 0; k < i->names_since.n; k++)
        if (keeps(i, fate, i->names_since.v[k], cut))
            names_apply(i, names, i->names_since.v[k]);
    for (int k = 0; k < i->p->names_n; k++) {
        struct content c = { 0 };
        if (names[k] < 0) {
            file_put(folder, i->p->names[k].path, NULL);
            continue;
        }
        content_of(i, &i->inodes[names[k]], fate, cut, &c);
        file_put(folder, i->p->names[k].path, &c);
        free(c.p);
    }
    return fate;
}

const char *image_folder(void)
{
    static char path[300];

    snprintf(path, sizeof(path), "%s/image", unit_dir());
    mkdir(path, 0700);
    return path;
}

void power_forget(struct power *p, const char *path, int inode)
{
    struct images *i = images_open(p, (uint64_t)inode);
    size_t folder = (size_t)(strrchr(path, '/') - path);
    char name[300];

    must(folder < sizeof(name));
    memcpy(name, path, folder);
    name[folder] = 0;
    images_forward(i, power_now(p));
    struct inode *f = &i->inodes[inode];
    must(f->since.n == 0); /* it was synced just before */
    file_put(name, path, &f->synced);
    power_note(p, (struct op) { OP_TURNED_OUT, 0, inode, 0, f->synced.n, 0 }, f->synced.p);
    images_close(i);
}
