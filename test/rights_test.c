/* rights_test.c -- the table of rights: each kind of post, asked for by each kind of viewer, on each way that a byte can leave.
 *
 * The table below says who may see what. The crawl asks for everything as everybody, and looks into every reply, whatever
 * it was asked for: no text, no signed path, no byte of a picture whose right is missing. It is done in the present; later,
 * when every paid period has passed and no job has run; and over the socket.
 * Controls: the same crawl over a program without the check must find fault on each of these ways. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "server/web_files.h"
#include "services/access/access.h"
#include "services/media/media.h"
#include "test/stage.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the table -------------------------------------------------------------------------------------------------- */

enum viewer {
    NOBODY,
    STRANGER,
    FOLLOWER,
    SUB_A,
    SUB_B,
    LEAVING, /* of A; cancelled, paid until later */
    EXPIRED, /* of A */
    CREATOR_HERSELF,
    OTHER_CREATOR,
    A_MODERATOR,
    AN_ADMIN,
    VIEWERS
};
static const char *const viewer_names[] = { "nobody", "stranger", "follower", "suba",
                                            "subb",   "leaving",  "gone",     "ana",
                                            "bo",     "moder",    "admin" };

enum kind { DRAFT, PUBLIC, FOLLOWERS, TIER_A, TIERS_AB, POSTS };

/* y: sees all of it. l: sees that it is there, locked. -: it is not there. */
static const char table[POSTS][VIEWERS + 1] = {
    /*              n s f a b l e c o m a */
    [DRAFT] = "-------y---",  [PUBLIC] = "yyyyyyyyyyy",   [FOLLOWERS] = "llyyyylylll",
    [TIER_A] = "lllylylylll", [TIERS_AB] = "lllyyylylll",
};
/* The same when all paid periods have passed. */
static const char table_later[POSTS][VIEWERS + 1] = {
    [DRAFT] = "-------y---",  [PUBLIC] = "yyyyyyyyyyy",   [FOLLOWERS] = "llyllllylll",
    [TIER_A] = "lllllllylll", [TIERS_AB] = "lllllllylll",
};

static const struct {
    const char *name, *picture, *body;
} posts[POSTS] = {
    [DRAFT] = { "draft", "tagged.jpg", "\"access\":\"public\"" },
    [PUBLIC] = { "public", "turned.jpg", "\"access\":\"public\",\"publish\":true" },
    [FOLLOWERS] = { "followers", "alpha.png", "\"access\":\"followers\",\"publish\":true" },
    [TIER_A] = { "tier-a", "grey.jpg", "\"access\":\"tiers\",\"tiers\":[\"$a\"],\"publish\":true" },
    [TIERS_AB] = { "tiers-ab", "picture.webp",
                   "\"access\":\"tiers\",\"tiers\":[\"$a\",\"$b\"],\"publish\":true" },
};

/* --- the crawl -------------------------------------------------------------------------------------------------- */

enum { FILES = 3, WINDOW = 64 };
static const char *const files[FILES] = { "thumb", "feed", "full" };

/* What a control must find, each on its own. */
enum fault { FAULT_STATUS, FAULT_LOCK, FAULT_TEXT, FAULT_PATH, FAULT_BYTES, FAULTS };

struct published {
    struct str id, asset, teaser_url, secret;
    struct str bytes[FILES], etag;   /* of the full one */
    struct str urls[VIEWERS][FILES]; /* as handed out; none: was not */
};

struct crawl {
    struct stage *stage;
    struct arena *arena;
    struct str tokens[VIEWERS];
    struct published posts[POSTS];
    const char (*table)[VIEWERS + 1];
    bool socket, control; /* control: faults are wanted, and only counted */
    int faults[FAULTS], asked;
};

static void fault(struct crawl *k, enum fault kind, enum viewer v, struct str target,
                  const char *what)
{
    k->faults[kind]++;
    if (!k->control)
        FAIL("%s, %.*s: %s", viewer_names[v], STR_FMT(target), what);
}

static bool holds(struct str text, struct str part)
{
    return part.n > 0 && text.n >= part.n && memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* A piece from the middle of the coded picture, which no other picture has. */
static struct str piece(struct str bytes)
{
    size_t n = bytes.n < 2 * WINDOW ? bytes.n / 2 : WINDOW;

    return str_cut(bytes, bytes.n - n - bytes.n / 4, n);
}

/* Whatever was asked: nothing of a post that this viewer may not see. */
static void look_through(struct crawl *k, enum viewer v, struct str target, struct str reply)
{
    for (int p = 0; p < POSTS; p++) {
        const struct published *post = &k->posts[p];
        if (k->table[p][v] == 'y')
            continue;
        if (holds(reply, post->secret))
            fault(k, FAULT_TEXT, v, target, "the text of a locked post");
        if (holds(reply, str_printf(k->arena, "/%.*s/t", STR_FMT(post->asset))) ||
            holds(reply, str_printf(k->arena, "/%.*s/f", STR_FMT(post->asset))))
            fault(k, FAULT_PATH, v, target, "the path of a locked picture");
        if (k->table[p][v] == '-' && holds(reply, post->id) && !holds(target, post->id))
            fault(k, FAULT_TEXT, v, target, "the id of a draft");
        for (int f = 0; f < FILES; f++)
            if (holds(reply, piece(post->bytes[f])))
                fault(k, FAULT_BYTES, v, target, "bytes of a locked picture");
    }
}

/* --- asking, by a call or over the socket ----------------------------------------------------------------------- */

static int connect_to(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static struct str exchange(struct crawl *k, struct str request)
{
    int fd = connect_to(server_port(k->stage->server));
    struct buf b = { .arena = k->arena };
    ssize_t n = 1;

    REQUIRE(write(fd, request.p, request.n) == (ssize_t)request.n);
    while (n > 0) {
        n = read(fd, buf_room(&b, 65536), 65536);
        b.n += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return buf_str(&b);
}

static void ask_socket(struct crawl *k, struct http_call *h)
{
    struct str token = h->token;
    struct str head =
        str_printf(k->arena, "GET %.*s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n",
                   STR_FMT(h->target));
    struct str bearer =
        token.p == NULL ? STR("")
                        : str_printf(k->arena, "Authorization: Bearer %.*s\r\n", STR_FMT(token));
    struct str more = h->headers_n == 0 ? STR("")
                                        : str_printf(k->arena, "%s: %.*s\r\n", h->headers[0].name,
                                                     STR_FMT(h->headers[0].value));
    struct str all = exchange(
        k, str_printf(k->arena, "%.*s%.*s%.*s\r\n", STR_FMT(head), STR_FMT(bearer), STR_FMT(more)));
    const char *body = memmem(all.p, all.n, "\r\n\r\n", 4);
    int64_t status = 0;

    if (body == NULL || !str_int(str_cut(all, 9, 3), &status))
        FAIL("over the socket: \"%.*s\" for %.*s", STR_FMT(str_cut(all, 0, 300)),
             STR_FMT(h->target));
    REQUIRE(body != NULL && all.n > 12 && str_int(str_cut(all, 9, 3), &status));
    h->status = (int)status;
    h->reply = str_cut(all, (size_t)(body - all.p) + 4, all.n);
    h->reply_headers[h->reply_headers_n++] = (struct header) { "X-Head", all };
}

static struct http_call ask_with(struct crawl *k, enum viewer v, struct str target,
                                 const char *header, struct str value)
{
    struct http_call h = { .method = "GET", .target = target, .token = k->tokens[v] };

    k->asked++;
    if (header != NULL)
        h.headers[h.headers_n++] = (struct header) { header, value };
    if (k->socket)
        ask_socket(k, &h);
    else
        server_call(k->stage->server, k->arena, &h);
    look_through(k, v, target, h.reply);
    for (size_t i = 0; i < h.reply_headers_n; i++)
        look_through(k, v, target, h.reply_headers[i].value);
    return h;
}

static struct http_call ask_as(struct crawl *k, enum viewer v, struct str target)
{
    return ask_with(k, v, target, NULL, STR_NONE);
}

static void expect(struct crawl *k, enum viewer v, struct str target, int status)
{
    struct http_call h = ask_as(k, v, target);

    if (h.status != status)
        fault(k, FAULT_STATUS, v, target,
              str_printf(k->arena, "status %d, should be %d", h.status, status).p);
}

/* --- what a viewer is told -------------------------------------------------------------------------------------- */

static void expect_post(struct crawl *k, enum viewer v, struct str target, struct str reply,
                        struct str at, const struct published *post, char right)
{
    struct str text =
        stage_member(k->stage, reply, str_printf(k->arena, "%.*stext", STR_FMT(at)).p);
    struct str locked =
        stage_member(k->stage, reply, str_printf(k->arena, "%.*slocked", STR_FMT(at)).p);
    struct str full =
        stage_member(k->stage, reply, str_printf(k->arena, "%.*smedia.0.full_url", STR_FMT(at)).p);
    bool open = right == 'y';

    if (str_is(locked, open ? "false" : "true") && str_eq(text, open ? post->secret : STR("")) &&
        (full.p != NULL) == open)
        return;
    fault(k, FAULT_LOCK, v, target, open ? "it should be open" : "it should be locked");
}

static void take_urls(struct crawl *k, enum viewer v, struct published *post, struct str reply)
{
    for (int f = 0; f < FILES; f++) {
        struct str member = str_printf(k->arena, "media.0.%s_url", files[f]);
        post->urls[v][f] = stage_member(k->stage, reply, member.p);
    }
}

static void crawl_posts(struct crawl *k, enum viewer v)
{
    for (int p = 0; p < POSTS; p++) {
        struct published *post = &k->posts[p];
        char right = k->table[p][v];
        struct str target = str_printf(k->arena, "/v1/posts/%.*s", STR_FMT(post->id));
        struct http_call h = ask_as(k, v, target);
        if (h.status != (right == '-' ? 404 : 200))
            fault(k, FAULT_STATUS, v, target, "the status is not so");
        if (h.status != 200)
            continue;
        expect_post(k, v, target, h.reply, STR(""), post, right);
        take_urls(k, v, post, h.reply);
        ask_with(k, v, target, "If-None-Match", STR("*"));
    }
}

/* Each post of the list as the table says; none that is not there. */
static void crawl_list(struct crawl *k, enum viewer v, const char *path, bool drafts)
{
    struct str target = str_of(path);
    struct http_call h = ask_as(k, v, target);
    int64_t found = 0;

    if (h.status != 200) {
        fault(k, FAULT_STATUS, v, target, "the list is not there");
        return;
    }
    for (;; found++) {
        struct str at = str_printf(k->arena, "items.%" PRId64 ".", found);
        struct str id =
            stage_member(k->stage, h.reply, str_printf(k->arena, "%.*sid", STR_FMT(at)).p);
        if (id.p == NULL)
            break;
        for (int p = 0; p < POSTS; p++)
            if (str_eq(id, k->posts[p].id))
                expect_post(k, v, target, h.reply, at, &k->posts[p], k->table[p][v]);
    }
    if (found != (drafts ? 1 : POSTS - 1))
        fault(k, FAULT_STATUS, v, target, "not as many posts as there should be");
}

/* Followers have ana's posts in their feed, and so have subscribers, who do not follow here. */
static bool has_feed(const struct crawl *k, enum viewer v)
{
    return v == FOLLOWER || (k->table[TIERS_AB][v] == 'y' && v != CREATOR_HERSELF);
}

static void crawl_feed(struct crawl *k, enum viewer v)
{
    if (v == NOBODY)
        expect(k, v, STR("/v1/feed"), 401);
    else if (has_feed(k, v))
        crawl_list(k, v, "/v1/feed", false);
    else if (!holds(ask_as(k, v, STR("/v1/feed")).reply, STR("\"items\":[]")))
        fault(k, FAULT_STATUS, v, STR("/v1/feed"), "it should be empty");
}

static void crawl_studio(struct crawl *k, enum viewer v)
{
    if (v == CREATOR_HERSELF) {
        crawl_list(k, v, "/v1/studio/posts", false);
        crawl_list(k, v, "/v1/studio/posts?state=draft", true);
        return;
    }
    int status = v == NOBODY ? 401 : v == OTHER_CREATOR ? 200 : 403;
    expect(k, v, STR("/v1/studio/posts"), status);
    expect(k, v, STR("/v1/studio/posts?state=draft"), status);
    expect(k, v, STR("/v1/media"), status);
    for (int p = 0; p < POSTS; p++)
        expect(k, v, str_printf(k->arena, "/v1/media/%.*s", STR_FMT(k->posts[p].asset)),
               status == 200 ? 404 : status);
}

static void crawl_pages(struct crawl *k, enum viewer v)
{
    if (web_files_n == 0)
        return;
    expect(k, v, STR("/@ana"), 200);
    if (ask_with(k, v, STR("/"), "Accept", STR("text/html")).status != 200)
        fault(k, FAULT_STATUS, v, STR("/"), "it should be there");
    for (int p = 0; p < POSTS; p++) {
        struct str target = str_printf(k->arena, "/p/%.*s", STR_FMT(k->posts[p].id));
        struct http_call h = ask_as(k, v, target);
        bool there = k->table[p][v] != '-';
        if (h.status != (there ? 200 : 404))
            fault(k, FAULT_STATUS, v, target, "the status is not so");
        if (there && !holds(h.reply, STR("og:title")))
            fault(k, FAULT_STATUS, v, target, "there is no share card");
        if (there && !holds(h.reply, k->posts[p].teaser_url))
            fault(k, FAULT_STATUS, v, target, "the share card has no teaser");
    }
}

static void crawl_others(struct crawl *k, enum viewer v)
{
    static const char *const paths[] = { "/v1/creators",      "/v1/creators/ana", "/v1/follows",
                                         "/v1/subscriptions", "/v1/payments",     "/v1/me",
                                         "/openapi.json" };

    for (size_t i = 0; i < COUNT(paths); i++)
        ask_as(k, v, str_of(paths[i]));
}

/* --- the bytes -------------------------------------------------------------------------------------------------- */

/* A path made for nobody in particular shows what anybody may see; another is its session's alone. */
static bool may_use(const struct crawl *k, enum viewer asks, enum viewer owns, int p)
{
    return k->table[p][asks] == 'y' && (asks == owns || owns == NOBODY);
}

static void crawl_url(struct crawl *k, enum viewer v, enum viewer owner, int p, int f)
{
    const struct published *post = &k->posts[p];
    struct str url = post->urls[owner][f];
    struct http_call h = ask_as(k, v, url);
    bool may = may_use(k, v, owner, p);

    if (h.status != (may ? 200 : 404))
        fault(k, FAULT_BYTES, v, url, may ? "it should be sent" : "it should not be sent");
    if (may && !str_eq(h.reply, post->bytes[f]))
        fault(k, FAULT_BYTES, v, url, "these are other bytes");
    if (may || f != FILES - 1)
        return;
    /* Nor "as you have it", nor a part of it. */
    if (ask_with(k, v, url, "If-None-Match", post->etag).status != 404 ||
        ask_with(k, v, url, "If-None-Match", STR("*")).status != 404 ||
        ask_with(k, v, url, "Range", STR("bytes=0-99")).status != 404)
        fault(k, FAULT_STATUS, v, url, "a conditional or partial request tells something");
}

static void crawl_urls(struct crawl *k)
{
    for (int p = 0; p < POSTS; p++)
        for (int owner = 0; owner < VIEWERS; owner++)
            for (int f = 0; f < FILES; f++)
                for (int v = 0; v < VIEWERS && k->posts[p].urls[owner][f].p != NULL; v++)
                    crawl_url(k, (enum viewer)v, (enum viewer)owner, p, f);
}

/* The public teaser is all that a public path gives. */
static void crawl_public_paths(struct crawl *k, enum viewer v)
{
    for (int p = 0; p < POSTS; p++) {
        struct published *post = &k->posts[p];
        expect(k, v, post->teaser_url, 200);
        for (int f = 0; f < FILES; f++) {
            struct str teaser = str_cut(post->teaser_url, 0, post->teaser_url.n - 11);
            expect(k, v,
                   str_printf(k->arena, "/media/%.*s/%s.webp", STR_FMT(post->asset), files[f]),
                   404);
            expect(k, v, str_printf(k->arena, "%.*s%s.webp", STR_FMT(teaser), files[f]), 404);
        }
        expect(k, v, str_printf(k->arena, "/media/%.*s/teaser.webp", STR_FMT(post->asset)), 404);
        expect(k, v, str_printf(k->arena, "/media/%.*s/original", STR_FMT(post->asset)), 404);
    }
}

static void crawl_as_all(struct crawl *k)
{
    for (int v = 0; v < VIEWERS; v++) {
        crawl_posts(k, (enum viewer)v);
        crawl_list(k, (enum viewer)v, "/v1/creators/ana/posts", false);
        crawl_feed(k, (enum viewer)v);
        crawl_studio(k, (enum viewer)v);
        crawl_pages(k, (enum viewer)v);
        crawl_others(k, (enum viewer)v);
        crawl_public_paths(k, (enum viewer)v);
    }
    crawl_urls(k);
}

/* --- forging ---------------------------------------------------------------------------------------------------- */

static void expect_nothing(struct crawl *k, enum viewer v, struct str target)
{
    struct http_call h = ask_as(k, v, target);

    if (h.status == 200 || h.status == 206 || h.status == 304)
        fault(k, FAULT_BYTES, v, target, "it should give nothing");
}

static struct str with_byte(struct crawl *k, struct str text, size_t at, char c)
{
    char *copy = arena_copy(k->arena, text.p, text.n);

    copy[at] = c;
    return (struct str) { copy, text.n };
}

/* Every character of a good token, changed: its holder himself gets nothing then. */
static void forge_tokens(struct crawl *k)
{
    struct str url = k->posts[TIER_A].urls[SUB_A][2];

    REQUIRE(url.p != NULL && ask_as(k, SUB_A, url).status == 200);
    for (size_t i = 3; i < url.n && url.p[i] != '/'; i++) {
        expect_nothing(k, SUB_A, with_byte(k, url, i, url.p[i] == 'A' ? 'B' : 'A'));
        expect_nothing(k, SUB_A, with_byte(k, url, i, url.p[i] == '1' ? '2' : '1'));
        if (url.p[i] != '.')
            expect_nothing(k, SUB_A, with_byte(k, url, i, '.'));
    }
}

/* A good token with another picture behind it; a good path of another; a token without its end. */
static void forge_paths(struct crawl *k)
{
    struct str url = k->posts[PUBLIC].urls[STRANGER][2];
    const char *slash = memchr(url.p + 3, '/', url.n - 3);
    struct str token = str_cut(url, 0, (size_t)(slash - url.p));

    for (int p = 0; p < POSTS; p++)
        for (int f = 0; f < FILES && p != PUBLIC; f++)
            expect_nothing(k, STRANGER,
                           str_printf(k->arena, "%.*s/%.*s/%s.webp", STR_FMT(token),
                                      STR_FMT(k->posts[p].asset), files[f]));
    expect(k, STRANGER, url, 200);
    for (size_t n = 4; n < token.n; n++)
        expect_nothing(k, STRANGER,
                       str_printf(k->arena, "%.*s/%.*s/full.webp", (int)n, token.p,
                                  STR_FMT(k->posts[PUBLIC].asset)));
}

/* Numbers beside those of posts and pictures: all that is found is public. */
static void guess_ids(struct crawl *k, enum viewer v)
{
    struct id id;

    for (int p = 0; p < POSTS; p++)
        for (int64_t step = -24; step <= 24; step++) {
            REQUIRE(id_parse(k->posts[p].asset, "ast", &id));
            struct str near = id_text(k->arena, ID_ASSET, (struct id) { id.v + step });
            for (int f = 0; f < FILES; f++)
                expect_nothing(
                    k, v, str_printf(k->arena, "/media/%.*s/%s.webp", STR_FMT(near), files[f]));
            ask_as(k, v, str_printf(k->arena, "/media/%.*s/teaser.webp", STR_FMT(near)));
            expect_nothing(k, v, str_printf(k->arena, "/v1/media/%.*s", STR_FMT(near)));
            REQUIRE(id_parse(k->posts[p].id, "pst", &id));
            near = id_text(k->arena, ID_POST, (struct id) { id.v + step });
            ask_as(k, v, str_printf(k->arena, "/v1/posts/%.*s", STR_FMT(near)));
        }
}

static struct str replaced(struct crawl *k, struct str text, const char *what, struct str with)
{
    const char *at = memmem(text.p, text.n, what, strlen(what));

    if (at == NULL)
        return text;
    size_t n = (size_t)(at - text.p);
    return str_printf(k->arena, "%.*s%.*s%.*s", (int)n, text.p, STR_FMT(with),
                      (int)(text.n - n - strlen(what)), at + strlen(what));
}

/* The blob's name is known; no path takes it. */
static void guess_blobs(struct crawl *k, enum viewer v)
{
    static const char *const paths[] = {
        "/blobs/$2/$h",        "/blobs/$h",
        "/data/blobs/$2/$h",   "/media/$2/$h",
        "/media/$h/full.webp", "/media/../blobs/$2/$h",
        "/m/$h/$2/full.webp",  "/assets/../../blobs/$2/$h",
        "/%2e%2e/blobs/$2/$h", "/assets/%2e%2e%2fblobs%2f$2%2f$h",
    };
    struct sha256 h = sha256_of(k->posts[TIER_A].bytes[FILES - 1]);
    struct str hash = hex_print(k->arena, h.b, SHA256_BYTES);

    for (size_t i = 0; i < COUNT(paths); i++)
        expect_nothing(
            k, v,
            replaced(k, replaced(k, str_of(paths[i]), "$2", str_cut(hash, 0, 2)), "$h", hash));
}

/* --- setting the stage ------------------------------------------------------------------------------------------ */

static void subscribe(struct crawl *k, enum viewer v, struct str tier, bool leaves)
{
    struct stage *s = k->stage;
    struct str body = str_printf(k->arena, "{\"tier\":\"%.*s\"}", STR_FMT(tier)), to;
    struct str reply = stage_must(s, k->tokens[v], "POST", "/v1/subscriptions", body.p, 201);
    struct str id = stage_member(s, reply, "subscription.id");

    CHECK_INT(bank_pay(s->bank, k->arena, stage_member(s, reply, "checkout_url"),
                       STR("4242424242424242"), &to),
              303);
    stage_jobs(s);
    stage_must(s, k->tokens[v], "DELETE", "/v1/creators/ana/follow", NULL, 200);
    if (leaves)
        stage_must(s, k->tokens[v], "POST",
                   str_printf(k->arena, "/v1/subscriptions/%.*s/cancel", STR_FMT(id)).p, NULL, 200);
}

static void pass_days(struct crawl *k, int days, bool jobs)
{
    __atomic_add_fetch(&k->stage->house->env->clock.offset_us, days * DAY, __ATOMIC_ACQ_REL);
    bank_pass(k->stage->bank, days * DAY);
    if (jobs)
        stage_jobs(k->stage);
}

static void people(struct crawl *k)
{
    struct stage *s = k->stage;

    for (int v = STRANGER; v < VIEWERS; v++)
        k->tokens[v] = stage_sign_up(s, viewer_names[v]);
    struct str link = mailed_token(s->house); /* the last one signed up is the admin */
    stage_must(s, STR_NONE, "POST", "/v1/email-verifications/confirm",
               str_printf(k->arena, "{\"token\":\"%.*s\"}", STR_FMT(link)).p, 204);
    struct str me = stage_must(s, k->tokens[A_MODERATOR], "GET", "/v1/me", NULL, 200);
    struct str id = stage_member(s, me, "id");
    stage_must(s, k->tokens[AN_ADMIN], "PUT",
               str_printf(k->arena, "/v1/admin/accounts/%.*s/role", STR_FMT(id)).p,
               "{\"role\":\"moderator\"}", 204);
    struct str again = stage_must(s, STR_NONE, "POST", "/v1/sessions",
                                  "{\"email\":\"moder@example.org\",\"password\":\"correct horse "
                                  "moder staple\",\"kind\":\"bearer\"}",
                                  201);
    k->tokens[A_MODERATOR] = stage_member(s, again, "token");
    stage_must(s, k->tokens[CREATOR_HERSELF], "POST", "/v1/creators",
               "{\"handle\":\"ana\",\"name\":\"Ana\",\"bio\":\"\"}", 201);
    stage_must(s, k->tokens[OTHER_CREATOR], "POST", "/v1/creators",
               "{\"handle\":\"bo_\",\"name\":\"Bo\",\"bio\":\"\"}", 201);
}

static struct str tier(struct crawl *k, const char *name)
{
    struct str body = str_printf(
        k->arena, "{\"name\":\"%s\",\"description\":\"\",\"price\":500,\"currency\":\"EUR\"}",
        name);

    return stage_member(k->stage,
                        stage_must(k->stage, k->tokens[CREATOR_HERSELF], "POST",
                                   "/v1/creators/me/tiers", body.p, 201),
                        "id");
}

static void publish(struct crawl *k, int p, struct str a, struct str b)
{
    struct published *post = &k->posts[p];
    struct str ana = k->tokens[CREATOR_HERSELF];
    struct http_call up = stage_upload(k->stage, ana, "post", posts[p].picture);

    CHECK_INT(up.status, 201);
    post->asset = stage_member(k->stage, up.reply, "id");
    post->teaser_url = stage_member(k->stage, up.reply, "teaser_url");
    post->secret = str_printf(k->arena, "SECRET of %s.", posts[p].name);
    for (int f = 0; f < FILES; f++) {
        struct str url =
            stage_member(k->stage, up.reply, str_printf(k->arena, "%s_url", files[f]).p);
        struct http_call h = stage_ask(k->stage, ana, "GET", str_copy(k->arena, url).p, NULL);
        REQUIRE(h.status == 200 && h.reply.n > 30);
        post->bytes[f] = h.reply;
        post->etag = http_call_header(&h, "ETag");
    }
    struct str body = str_printf(k->arena, "{\"text\":\"%.*s\",\"media\":[\"%.*s\"],%s}",
                                 STR_FMT(post->secret), STR_FMT(post->asset), posts[p].body);
    body = replaced(k, replaced(k, body, "$a", a), "$b", b);
    post->id = stage_member(
        k->stage, stage_must(k->stage, ana, "POST", "/v1/posts", str_copy(k->arena, body).p, 201),
        "id");
}

/* The search for bytes can only find what stands in one picture alone. */
static void pieces_differ(const struct crawl *k)
{
    for (int p = 0; p < POSTS; p++)
        for (int q = 0; q < POSTS; q++)
            for (int f = 0; f < FILES; f++)
                for (int g = 0; g < FILES && p != q; g++)
                    if (holds(k->posts[p].bytes[f], piece(k->posts[q].bytes[g])))
                        FAIL("%s %s holds a piece of %s %s", posts[p].name, files[f], posts[q].name,
                             files[g]);
}

static void crawl_open(struct crawl *k, const char *engine)
{
    fixtures_make();
    *k = (struct crawl) { .stage = stage_open(engine), .table = table };
    k->arena = k->stage->arena;
    stage_bank(k->stage);
    people(k);
    struct str a = tier(k, "A"), b = tier(k, "B");
    for (int p = 0; p < POSTS; p++)
        publish(k, p, a, b);
    pieces_differ(k);
    subscribe(k, EXPIRED, a, true);
    pass_days(k, 32, true);
    stage_must(k->stage, k->tokens[FOLLOWER], "PUT", "/v1/creators/ana/follow", NULL, 200);
    subscribe(k, SUB_A, a, false);
    subscribe(k, SUB_B, b, false);
    subscribe(k, LEAVING, a, true);
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

ENGINES_SECONDS(rights_are_as_the_table_says, 120)
{
    struct crawl k;

    crawl_open(&k, engine);
    crawl_as_all(&k);
    crawl_as_all(&k); /* the second time from the reply cache */
    forge_tokens(&k);
    forge_paths(&k);
    for (int v = 0; v < VIEWERS; v++)
        if (v != CREATOR_HERSELF) {
            guess_ids(&k, (enum viewer)v);
            guess_blobs(&k, (enum viewer)v);
        }
    k.socket = true;
    crawl_as_all(&k);
    k.socket = false;
    /* Paid periods pass, and no job is there to say so. */
    pass_days(&k, 45, false);
    k.table = table_later;
    crawl_urls(&k);
    crawl_as_all(&k);
    k.socket = true;
    crawl_as_all(&k);
    CHECK(k.asked > 10000);
    stage_close(k.stage);
}

/* --- controls: a program without the check ---------------------------------------------------------------------- */

static enum err open_all_rules(struct call *c)
{
    return db_run(c, "UPDATE access_rule SET kind = 'public', hidden = 0");
}

/* Each picture is said to stand in the public post too. */
static enum err open_all_assets(struct call *c)
{
    const struct id *object = c->prepared;

    return db_run(c,
                  "INSERT INTO access_asset (asset, object) SELECT DISTINCT asset, $1 FROM "
                  "access_asset WHERE true ON CONFLICT DO NOTHING",
                  *object);
}

static void behind_its_back(struct crawl *k, handler *run, void *prepared)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, k->stage->house->env, &a);
    c.prepared = prepared;
    CHECK_OK(exec_transaction(k->stage->house->env->exec, &c, WRITE, run));
    arena_done(&a);
}

TEST_SLOW(rights_crawl_finds_a_check_that_lets_all_in, 60)
{
    struct crawl k;

    crawl_open(&k, "sqlite");
    behind_its_back(&k, open_all_rules, NULL);
    k.control = true;
    crawl_as_all(&k);
    for (int f = FAULT_LOCK; f < FAULTS; f++)
        CHECK(k.faults[f] > 0);
    stage_close(k.stage);
}

TEST_SLOW(rights_crawl_finds_bytes_that_nobody_guards, 60)
{
    struct crawl k;
    struct id object;

    crawl_open(&k, "sqlite");
    crawl_as_all(&k);
    REQUIRE(id_parse(k.posts[PUBLIC].id, "pst", &object));
    behind_its_back(&k, open_all_assets, &object);
    pass_days(&k, 45, false);
    k.table = table_later;
    k.control = true;
    crawl_urls(&k);
    CHECK(k.faults[FAULT_BYTES] > 0);
    stage_close(k.stage);
}

/* --- a path's time ---------------------------------------------------------------------------------------------- */

TEST_SLOW(rights_paths_end, 60)
{
    struct crawl k;

    crawl_open(&k, "sqlite");
    for (int v = 0; v < VIEWERS; v++)
        crawl_posts(&k, (enum viewer)v);
    crawl_urls(&k); /* files that are asked for again come into memory, */
    crawl_urls(&k); /* and answers that have them are kept */
    house_shift(2 * HOUR);
    for (int p = 0; p < POSTS; p++)
        for (int owner = 0; owner < VIEWERS; owner++)
            for (int v = 0; v < VIEWERS && k.posts[p].urls[owner][0].p != NULL; v++)
                for (int f = 0; f < FILES; f++)
                    expect(&k, (enum viewer)v, k.posts[p].urls[owner][f],
                           v == owner || owner == NOBODY ? 410 : 404);
    stage_close(k.stage);
}

/* The clock goes on, no row changes, no job runs: what the cache kept while the period was paid is not given after it. */
TEST_SLOW(rights_kept_answers_end_with_the_paid_period, 60)
{
    struct crawl k;

    crawl_open(&k, "sqlite");
    for (int v = SUB_A; v <= LEAVING; v++) {
        crawl_posts(&k, (enum viewer)v);
        crawl_list(&k, (enum viewer)v, "/v1/creators/ana/posts", false);
        crawl_feed(&k, (enum viewer)v);
    }
    house_shift(45 * DAY);
    k.table = table_later;
    for (int v = SUB_A; v <= LEAVING; v++) {
        crawl_posts(&k, (enum viewer)v);
        crawl_list(&k, (enum viewer)v, "/v1/creators/ana/posts", false);
        crawl_feed(&k, (enum viewer)v);
    }
    stage_close(k.stage);
}
