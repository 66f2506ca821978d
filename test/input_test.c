/* input_test.c -- what must not get in, and what must not get out with a picture.
 *
 * Bad input through the API: the right status, the field named, and nothing stored. And pictures with places, names and
 * words in their metadata: no stored or served byte has them, but for the originals, which no route serves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "core/metrics.h"
#include "test/stage.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- what is stored --------------------------------------------------------------------------------------------- */

/* nftw carries no context: the test that walks. */
static struct walk {
    struct arena *arena;
    const struct str *originals; /* hashes in hex */
    size_t originals_n;
    int files, clean, originals_found, dirty_originals;
} the_walk;

static bool holds(struct str text, const char *part, size_t n)
{
    return text.n >= n && memmem(text.p, text.n, part, n) != NULL;
}

/* Names of chunks and words that a scrubbed WebP has not; in other files the words alone. */
static bool is_dirty(struct str bytes)
{
    static const char *const chunks[] = { "EXIF", "XMP ", "ICCP", "Exif" };
    bool webp = bytes.n > 12 && memcmp(bytes.p + 8, "WEBP", 4) == 0;

    for (size_t i = 0; webp && i < COUNT(chunks); i++)
        if (holds(bytes, chunks[i], 4))
            return true;
    return holds(bytes, "CANARY", 6) || holds(bytes, "ns.adobe.com", 12);
}

static bool is_original(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    for (size_t i = 0; i < the_walk.originals_n; i++)
        if (str_is(the_walk.originals[i], name))
            return true;
    return false;
}

static int visit(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s, (void)where;
    if (kind != FTW_F)
        return 0;
    the_walk.files++;
    if (the_walk.arena == NULL)
        return 0;
    bool dirty = is_dirty(fixture_read(the_walk.arena, path));
    if (is_original(path)) {
        the_walk.originals_found++;
        the_walk.dirty_originals += dirty;
    } else if (dirty) {
        FAIL("%s has metadata", path);
    } else {
        the_walk.clean++;
    }
    return 0;
}

static void walk(const char *folder)
{
    must(nftw(folder, visit, 16, FTW_PHYS) == 0);
}

static int files_stored(struct stage *s)
{
    the_walk = (struct walk) { .arena = NULL };
    walk(str_printf(s->arena, "%s/blobs", unit_dir()).p);
    return the_walk.files;
}

static enum err count_rows(struct call *c)
{
    int64_t *n = c->prepared;

    return db_int(c, n,
                  "SELECT (SELECT count(*) FROM asset WHERE state <> 'failed')"
                  " + (SELECT count(*) FROM asset WHERE original IS NOT NULL)"
                  " + (SELECT count(*) FROM rendition) + (SELECT count(*) FROM post)"
                  " + (SELECT count(*) FROM access_rule) + (SELECT count(*) FROM creator)"
                  " + (SELECT count(*) FROM job WHERE state = 'waiting' AND kind LIKE 'media%')");
}

static int rows_stored(struct stage *s)
{
    struct arena a = { 0 };
    struct call c;
    int64_t n = 0;

    call_begin(&c, s->house->env, &a);
    c.prepared = &n;
    CHECK_OK(exec_transaction(s->house->env->exec, &c, READ, count_rows));
    arena_done(&a);
    return (int)n;
}

static struct str creator_made(struct stage *s)
{
    struct str ana = stage_sign_up(s, "ana");

    stage_must(s, ana, "POST", "/v1/creators", "{\"handle\":\"ana\",\"name\":\"Ana\",\"bio\":\"\"}",
               201);
    return ana;
}

/* --- metadata --------------------------------------------------------------------------------------------------- */

enum { PICTURES = 5, PURPOSES = 3 };
static const char *const pictures[PICTURES] = { "phone.jpg", "turned.jpg", "picture.png",
                                                "picture.webp", "picture.heic" };
static const char *const purposes[PURPOSES] = { "post", "avatar", "banner" };

static void served_is_clean(struct stage *s, struct str ana, struct str reply)
{
    static const char *const urls[] = { "thumb_url", "feed_url", "full_url", "teaser_url" };
    int served = 0;

    CHECK(!is_dirty(reply));
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct str url = stage_member(s, reply, urls[i]);
        if (url.p == NULL)
            continue;
        struct http_call h = stage_ask(s, ana, "GET", str_copy(s->arena, url).p, NULL);
        CHECK_INT(h.status, 200);
        CHECK(h.reply.n > 12 && memcmp(h.reply.p + 8, "WEBP", 4) == 0);
        if (is_dirty(h.reply))
            FAIL("%.*s has metadata", STR_FMT(url));
        served++;
    }
    CHECK(served >= 2);
}

static void pictures_leave_their_metadata_behind(const char *engine)
{
    struct str originals[PICTURES];

    fixtures_make();
    struct stage *s = stage_open(engine);
    struct str ana = creator_made(s);
    for (int i = 0; i < PICTURES; i++) {
        struct str path = str_printf(s->arena, "%s/%s", FIXTURES, pictures[i]);
        struct sha256 h = sha256_of(fixture_read(s->arena, path.p));
        originals[i] = hex_print(s->arena, h.b, SHA256_BYTES);
        for (int k = 0; k < PURPOSES; k++) {
            struct http_call up = stage_upload(s, ana, purposes[k], pictures[i]);
            CHECK_INT(up.status, 201);
            served_is_clean(s, ana, up.reply);
        }
    }
    the_walk = (struct walk) { .arena = s->arena, .originals = originals, .originals_n = PICTURES };
    walk(unit_dir());
    /* The control: what the walk looks for is there to be found, in the originals. */
    CHECK_INT(the_walk.originals_found, PICTURES);
    CHECK_INT(the_walk.dirty_originals, PICTURES);
    CHECK(the_walk.clean >= PICTURES * 8);
    stage_close(s);
}

TEST_SLOW(pictures_leave_their_metadata_behind_on_sqlite, 60)
{
    pictures_leave_their_metadata_behind("sqlite");
}

TEST_SECONDS(pictures_leave_their_metadata_behind_on_postgres, 60)
{
    pictures_leave_their_metadata_behind("postgres");
}

/* --- files that are none ---------------------------------------------------------------------------------------- */

ENGINES_SECONDS(refused_pictures_leave_nothing_behind, 60)
{
    static const char *const bad[] = { "text.jpg",       "truncated.jpg",  "truncated.png",
                                       "truncated.webp", "truncated.heic", "header.jpg",
                                       "bomb.png",       "heavy.png",      "long.png",
                                       "drawing.jpg",    "document.jpg",   "film.jpg",
                                       "playlist.jpg",   "noise.jpg",      "liar.png" };

    fixtures_make();
    struct stage *s = stage_open(engine);
    struct str ana = creator_made(s);
    CHECK_INT(stage_upload(s, ana, "post", "tagged.jpg").status, 201);
    int files = files_stored(s), rows = rows_stored(s);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct http_call h = stage_upload(s, ana, purposes[i % PURPOSES], bad[i]);
        struct str detail = stage_member(s, h.reply, "detail");
        CHECK_INT(h.status, 415);
        CHECK_STR(stage_member(s, h.reply, "code"), "unsupported_image");
        CHECK_STR(stage_member(s, h.reply, "field"), "body");
        CHECK(detail.n > 20); /* it says what to do */
        if (files_stored(s) != files || rows_stored(s) != rows)
            FAIL("%s left %d files, %d rows", bad[i], files_stored(s) - files,
                 rows_stored(s) - rows);
    }
    struct http_call h = stage_upload(s, ana, "post", "empty.jpg");
    CHECK_INT(h.status, 400);
    CHECK_INT(files_stored(s), files);
    CHECK_INT(rows_stored(s), rows);
    stage_close(s);
}

/* --- bodies that are too much, or too little -------------------------------------------------------------------- */

static int connect_to(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct timeval limit = { .tv_sec = 20 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

static bool put(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        text = str_cut(text, (size_t)n, text.n);
    }
    return true;
}

/* Up to the end of the connection, or to the end of a JSON object. */
static struct str answer_of(struct stage *s, int fd)
{
    struct buf b = { .arena = s->arena };
    ssize_t n = 1;

    while (n > 0 && (b.n == 0 || b.p[b.n - 1] != '}')) {
        n = recv(fd, buf_room(&b, 4096), 4096, 0);
        b.n += n > 0 ? (size_t)n : 0;
    }
    return b.n == 0 ? STR("") : buf_str(&b);
}

static struct str head(struct stage *s, struct str token, const char *target, const char *more)
{
    return str_printf(s->arena,
                      "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %.*s\r\n"
                      "Content-Type: image/jpeg\r\n%s\r\n",
                      target, STR_FMT(token), more);
}

#define UPLOAD "/v1/media?purpose=post&filename=x.jpg"

static void refused_unread(struct stage *s, struct str token, const char *target, const char *more,
                           const char *status)
{
    int fd = connect_to(server_port(s->server));

    CHECK(put(fd, head(s, token, target, more)));
    struct str got = answer_of(s, fd);
    if (!str_starts(got, status))
        FAIL("%s %s: should be %s, is %.*s", target, more, status, STR_FMT(str_cut(got, 0, 200)));
    close(fd);
}

/* 66 MiB in pieces whose sum nobody has declared. */
static void refused_underway(struct stage *s, struct str token)
{
    int fd = connect_to(server_port(s->server));
    char *piece = arena_alloc(s->arena, 1 << 20);
    bool open = put(fd, head(s, token, UPLOAD, "Transfer-Encoding: chunked\r\n"));

    memset(piece, 0x55, 1 << 20);
    for (int i = 0; i < 66 && open; i++)
        open = put(fd, STR("100000\r\n")) && put(fd, (struct str) { piece, 1 << 20 }) &&
               put(fd, STR("\r\n"));
    struct str got = answer_of(s, fd);
    if (got.n > 0 && !str_starts(got, "HTTP/1.1 413"))
        FAIL("should be 413, is %.*s", STR_FMT(str_cut(got, 0, 200)));
    close(fd);
}

/* The disk may take its time to forget a file, on a machine that does much else. */
static void becomes(struct stage *s, int files)
{
    for (int i = 0; i < 1500 && files_stored(s) != files; i++)
        nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
    CHECK_INT(files_stored(s), files);
}

/* A part of what was declared is stored; then a little more comes, and the end in the same packet. That is noticed as an end:
 * the least speed of a body, which is asked for after 10 s, would cut the connection too, and count it. */
static void cut_off(struct stage *s, struct str token, const char *framing, struct str first,
                    struct str last)
{
    int fd = connect_to(server_port(s->server)), files = files_stored(s);

    CHECK(put(fd, head(s, token, UPLOAD, framing)));
    CHECK(put(fd, first));
    becomes(s, files + 1);
    nanosleep(&(struct timespec) { 0, 600000000 }, NULL); /* the watch has looked at it, twice */
    CHECK_INT(send(fd, last.p, last.n, MSG_NOSIGNAL | MSG_MORE), last.n);
    close(fd);
    becomes(s, files);
    CHECK_INT(metrics_get(s->house->env->metrics, METRIC_CUT), 0);
}

ENGINES_SECONDS(bodies_of_the_wrong_size_leave_nothing_behind, 90)
{
    struct stage *s = stage_open(engine);
    struct str ana = creator_made(s), fan = stage_sign_up(s, "fan"), why = STR_NONE;

    if (!server_listen(s->server, s->arena, &why))
        FAIL("%.*s", STR_FMT(why));
    int files = files_stored(s), rows = rows_stored(s);
    refused_unread(s, ana, UPLOAD, "Content-Length: 2147483648\r\n", "HTTP/1.1 413");
    refused_unread(s, ana, UPLOAD, "Content-Length: 2147483648\r\nExpect: 100-continue\r\n",
                   "HTTP/1.1 413");
    refused_unread(s, ana, UPLOAD, "Content-Length: 67108865\r\n", "HTTP/1.1 413");
    refused_unread(s, ana, UPLOAD, "Content-Length: 99999999999999999999\r\n", "HTTP/1.1 4");
    refused_unread(s, ana, UPLOAD, "Content-Length: -1\r\n", "HTTP/1.1 400");
    refused_unread(s, fan, UPLOAD, "Content-Length: 2147483648\r\n", "HTTP/1.1 403");
    refused_unread(s, STR("x"), UPLOAD, "Content-Length: 2147483648\r\n", "HTTP/1.1 401");
    refused_unread(s, ana, "/v1/posts", "Content-Length: 2147483648\r\n", "HTTP/1.1 415");
    CHECK_INT(files_stored(s), files);
    cut_off(s, ana, "Content-Length: 100000\r\n", STR("\xff\xd8\xff\xe0"), STR(" a picture"));
    cut_off(s, ana, "Transfer-Encoding: chunked\r\n", STR("4\r\n\xff\xd8\xff\xe0\r\n"),
            STR("a\r\n"));
    refused_underway(s, ana);
    becomes(s, files);
    CHECK_INT(rows_stored(s), rows);
    /* And it serves as before. */
    stage_must(s, ana, "GET", "/v1/media", NULL, 200);
    stage_close(s);
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *body;
    int status;
    const char *blamed; /* code or field */
} bad_json[] = {
    { "{", 400, "bad_json" },
    { "{\"text\":\"x\",\"access\":\"public\"}}", 400, "bad_json" },
    { "{\"text\":\"x\",\"access\":\"public\"} x", 400, "bad_json" },
    { "{'text':'x'}", 400, "bad_json" },
    { "{\"text\":\"x\",}", 400, "bad_json" },
    { "{\"text\":\"\\ud800\",\"access\":\"public\"}", 400, "bad_json" },
    { "{\"text\":\"\xff\",\"access\":\"public\"}", 400, "bad_json" },
    { "{\"text\":\"\\u0000\",\"access\":\"public\"}", 400, NULL },
    { "\xef\xbb\xbf{\"text\":\"x\",\"access\":\"public\"}", 400, "bad_json" },
    { "null", 400, "bad_json" },
    { "7", 400, "bad_json" },
    { "\"text\"", 400, "bad_json" },
    { "[]", 400, "bad_json" },
    { "{\"text\":\"x\",\"text\":\"x\",\"access\":\"public\"}", 400, "bad_json" },
    { "{\"text\":\"x\",\"access\":\"public\",\"__proto__\":{}}", 400, "__proto__" },
    { "{\"text\":\"x\",\"access\":\"public\",\"\":1}", 400, "unknown_member" },
    { "{\"text\":\"x\",\"access\":0}", 400, "access" },
    { "{\"text\":\"x\",\"access\":[\"public\"]}", 400, "access" },
    { "{\"text\":{\"a\":1},\"access\":\"public\"}", 400, "text" },
    { "{\"text\":true,\"access\":\"public\"}", 400, "text" },
    { "{\"text\":1e999,\"access\":\"public\"}", 400, NULL },
    { "{\"text\":\"x\",\"access\":\"public\",\"publish\":1}", 400, "publish" },
    { "{\"text\":\"x\",\"access\":\"public\",\"media\":{}}", 400, "media" },
    { "{\"text\":\"x\",\"access\":\"public\",\"media\":[null]}", 400, "media[0]" },
    { "{\"text\":\"x\",\"access\":\"public\",\"media\":[\"\"]}", 404, "media[0]" },
    { "{\"text\":\"x\",\"access\":\"public\",\"media\":[\"usr_0000000000001\"]}", 404, "media[0]" },
};

static struct str times(struct arena *a, const char *what, int n, const char *end)
{
    struct buf b = { .arena = a };

    for (int i = 0; i < n; i++)
        buf_add(&b, str_of(what));
    buf_add(&b, str_of(end));
    return buf_str(&b);
}

static void refuse(struct stage *s, struct str token, struct str body, int status,
                   const char *blamed)
{
    struct http_call h = stage_ask(s, token, "POST", "/v1/posts", str_copy(s->arena, body).p);
    struct str code = stage_member(s, h.reply, "code"), field = stage_member(s, h.reply, "field");

    if (h.status == status && (blamed == NULL || str_is(code, blamed) || str_is(field, blamed)))
        return;
    FAIL("%.*s: %d %.*s blaming %.*s, should be %d %s", STR_FMT(str_cut(body, 0, 80)), h.status,
         STR_FMT(code), STR_FMT(field), status, blamed == NULL ? "" : blamed);
}

TEST_SECONDS(malformed_json_is_told_and_leaves_nothing_behind, 30)
{
    struct stage *s = stage_open("sqlite");
    struct str ana = creator_made(s);
    int rows = rows_stored(s);

    for (size_t i = 0; i < COUNT(bad_json); i++)
        refuse(s, ana, str_of(bad_json[i].body), bad_json[i].status, bad_json[i].blamed);
    refuse(s, ana, times(s->arena, "[", 30000, ""), 400, "bad_json");
    refuse(s, ana, times(s->arena, "{\"media\":", 7000, "1"), 400, "bad_json");
    refuse(s, ana, times(s->arena, " ", 65000, "{}"), 400, "access");
    refuse(s, ana, times(s->arena, " ", 65600, "{}"), 413, "too_large");
    struct str many = times(s->arena, "\"ast_0000000000001\",", 20, "\"ast_0000000000002\"");
    refuse(s, ana, str_printf(s->arena, "{\"access\":\"public\",\"media\":[%.*s]}", STR_FMT(many)),
           400, "media");
    struct str text = times(s->arena, "\xc3\xa9", 5001, "");
    refuse(s, ana, str_printf(s->arena, "{\"access\":\"public\",\"text\":\"%.*s\"}", STR_FMT(text)),
           400, "text");
    CHECK_INT(rows_stored(s), rows);
    stage_close(s);
}
