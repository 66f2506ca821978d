/* demo.c -- see demo.h.
 *
 * First everybody signs up and the pictures are uploaded (several threads: the jailed children do the work). Then an agenda
 * of everything that will happen is drawn by lot, sorted by time, and lived through in order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/demo.h"
#include "demo/cast.h"
#include "sys/http_client.h"
#include "sys/png.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DAYS = 42,
    PICTURES_EACH = 9,
    POSTS_EACH = 25,
    FOLLOWS_EACH = 5, /* of a fan, about */
    TIERS_EACH = 2,
    WORKERS = 3,
    AGENDA_MAX = CREATORS * POSTS_EACH + FANS * 20,
};

struct person {
    struct str token, name, email;
};

struct page_of {
    struct person person;
    struct str tiers[TIERS_EACH];
    struct str pictures[PICTURES_EACH];
    enum scene scenes[PICTURES_EACH];
};

enum deed { PUBLISH, FOLLOW, SUBSCRIBE, LEAVE };

struct item {
    int64_t at; /* business time */
    enum deed deed;
    int who, whom; /* fan (or creator) and creator */
};

struct demo {
    struct env *env;
    struct server *server;
    struct arena *arena;
    struct http_client *client;
    void (*say)(const char *line);
    struct str why;       /* first thing that went wrong */
    pthread_mutex_t lock; /* of why, and of the next creator to make */
    int next_creator;
    struct page_of pages[CREATORS];
    struct person fans[FANS];
    uint64_t dice;
    struct item agenda[AGENDA_MAX];
    size_t agenda_n;
};

/* --- asking the API --------------------------------------------------------------------------------------------- */

static void wrong(struct demo *d, struct str what)
{
    pthread_mutex_lock(&d->lock);
    if (d->why.p == NULL)
        d->why = what;
    pthread_mutex_unlock(&d->lock);
}

static bool failed(struct demo *d)
{
    pthread_mutex_lock(&d->lock);
    bool f = d->why.p != NULL;
    pthread_mutex_unlock(&d->lock);
    return f;
}

/* The answer as JSON; NULL when it was not a success (noted in d->why). */
static const struct json *ask(struct demo *d, struct arena *a, struct http_call *h)
{
    const char *why;

    server_call(d->server, a, h);
    if (h->status >= 200 && h->status < 300)
        return h->reply.n == 0 ? arena_new(a, struct json) : json_parse(a, h->reply, &why);
    wrong(d, str_printf(a, "%s %.*s answered %d: %.*s", h->method, STR_FMT(h->target), h->status,
                        STR_FMT(h->reply)));
    return NULL;
}

FORMAT(6, 7)
static const struct json *send(struct demo *d, struct arena *a, const struct person *who,
                               const char *method, const char *target, const char *format, ...)
{
    struct http_call h = { .method = method, .target = str_of(target), .token = who->token };
    unsigned char key[12];
    va_list args;

    d->env->random(key, sizeof(key));
    h.headers[h.headers_n++] =
        (struct header) { "Idempotency-Key", hex_print(a, key, sizeof(key)) };
    va_start(args, format);
    if (format[0] != 0)
        h.body = str_vprintf(a, format, args);
    va_end(args);
    return ask(d, a, &h);
}

static const char *path(struct arena *a, const char *before, struct str value, const char *behind)
{
    return str_printf(a, "%s%.*s%s", before, STR_FMT(value), behind).p;
}

/* --- mails: kept, so that everybody can confirm the address ----------------------------------------------------- */

struct kept_mail {
    struct kept_mail *next;
    char to[100], token[100];
};

struct demo_mailer {
    struct mailer mailer;
    pthread_mutex_t lock;
    struct kept_mail *mails;
};

static enum err mail_keep(struct mailer *m, struct arena *a, const struct mail *mail)
{
    struct demo_mailer *dm = (struct demo_mailer *)m;
    const char *token = strstr(str_copy(a, mail->text).p, "token=");

    if (token == NULL)
        return E_OK;
    struct kept_mail *k = calloc(1, sizeof(*k));
    must(k != NULL);
    snprintf(k->to, sizeof(k->to), "%.*s", STR_FMT(mail->to));
    snprintf(k->token, sizeof(k->token), "%.*s", (int)strcspn(token + 6, " \r\n"), token + 6);
    pthread_mutex_lock(&dm->lock);
    k->next = dm->mails;
    dm->mails = k;
    pthread_mutex_unlock(&dm->lock);
    return E_OK;
}

static void mail_close(struct mailer *m)
{
    struct demo_mailer *dm = (struct demo_mailer *)m;

    while (dm->mails != NULL) {
        struct kept_mail *next = dm->mails->next;
        free(dm->mails);
        dm->mails = next;
    }
    pthread_mutex_destroy(&dm->lock);
    free(dm);
}

struct mailer *demo_mailer(void)
{
    struct demo_mailer *dm = calloc(1, sizeof(*dm));

    must(dm != NULL);
    dm->mailer = (struct mailer) { mail_keep, mail_close };
    pthread_mutex_init(&dm->lock, NULL);
    return &dm->mailer;
}

/* The token that was mailed to this address; none when nothing has come yet. */
static struct str mailed(struct demo *d, struct arena *a, struct str to)
{
    struct demo_mailer *dm = (struct demo_mailer *)d->env->mailer;
    struct str token = STR_NONE;

    pthread_mutex_lock(&dm->lock);
    for (struct kept_mail *k = dm->mails; k != NULL && token.p == NULL; k = k->next)
        if (str_is(to, k->to))
            token = str_copy(a, str_of(k->token));
    pthread_mutex_unlock(&dm->lock);
    return token;
}

/* --- chance, the same each time --------------------------------------------------------------------------------- */

static unsigned roll(struct demo *d, unsigned below)
{
    must(below > 0);
    d->dice = d->dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->dice >> 33) % below;
}

/* --- people ----------------------------------------------------------------------------------------------------- */

/* The mail is a job: it comes a moment later. */
static void confirm(struct demo *d, struct arena *a, const struct person *p)
{
    struct str token = mailed(d, a, p->email);

    for (int i = 0; token.p == NULL && i < 1000 && !failed(d); i++) {
        sleep_ms(10);
        token = mailed(d, a, p->email);
    }
    if (token.p == NULL)
        wrong(d, STR("the mail that confirms an address did not come"));
    else
        send(d, a, p, "POST", "/v1/email-verifications/confirm", "{\"token\":\"%.*s\"}",
             STR_FMT(token));
}

static bool sign_up(struct demo *d, struct arena *a, struct person *p)
{
    struct person nobody = { 0 };

    if (send(d, a, &nobody, "POST", "/v1/accounts",
             "{\"email\":\"%.*s\",\"password\":\"" DEMO_PASSWORD "\",\"name\":\"%.*s\"}",
             STR_FMT(p->email), STR_FMT(p->name)) == NULL)
        return false;
    const struct json *session =
        send(d, a, &nobody, "POST", "/v1/sessions",
             "{\"email\":\"%.*s\",\"password\":\"" DEMO_PASSWORD "\",\"kind\":\"bearer\"}",
             STR_FMT(p->email));
    p->token = json_text(session, "token");
    if (p->token.p != NULL)
        confirm(d, a, p);
    return !failed(d);
}

static struct str upload(struct demo *d, struct arena *a, const struct person *p,
                         const char *purpose, enum scene scene, unsigned palette, uint64_t seed,
                         uint32_t width, uint32_t height)
{
    struct arena drawing = { 0 };
    unsigned char *rgb = picture_draw(&drawing, scene, palette, seed, width, height);
    struct http_call h = { .method = "POST", .token = p->token, .type = STR("image/png") };

    h.target = str_printf(a, "/v1/media?purpose=%s&filename=%s-%" PRIu64 ".png", purpose, purpose,
                          seed % 1000);
    h.body = png_write(&drawing, rgb, width, height);
    const struct json *asset = ask(d, a, &h);
    arena_done(&drawing);
    return json_text(asset, "id");
}

static bool dress_page(struct demo *d, struct arena *a, int i)
{
    const struct creator_role *role = &creators[i];
    struct page_of *page = &d->pages[i];
    uint64_t seed = (uint64_t)i * 1000;

    struct str avatar =
        upload(d, a, &page->person, "avatar", SCENE_CLAY, role->palette, seed + 901, 400, 400);
    struct str banner = upload(d, a, &page->person, "banner", role->scenes[0], role->palette,
                               seed + 902, 1500, 500);
    if (avatar.p == NULL || banner.p == NULL)
        return false;
    send(d, a, &page->person, "PUT", "/v1/creators/me/avatar", "{\"asset\":\"%.*s\"}",
         STR_FMT(avatar));
    send(d, a, &page->person, "PUT", "/v1/creators/me/banner", "{\"asset\":\"%.*s\"}",
         STR_FMT(banner));
    for (int k = 0; k < PICTURES_EACH && !failed(d); k++) {
        bool tall = k % 3 == 1;
        page->scenes[k] = role->scenes[k % SCENES_EACH];
        page->pictures[k] =
            upload(d, a, &page->person, "post", page->scenes[k], role->palette,
                   seed + (uint64_t)k * 7 + 3, tall ? 960 : 1280, tall ? 1200 : 960);
        if (page->pictures[k].p != NULL)
            send(d, a, &page->person, "PATCH", path(a, "/v1/media/", page->pictures[k], ""),
                 "{\"alt\":\"A drawn scene by %s\"}", role->name);
    }
    return !failed(d);
}

static void make_creator(struct demo *d, struct arena *a, int i)
{
    const struct creator_role *role = &creators[i];
    struct page_of *page = &d->pages[i];

    page->person.name = str_of(role->name);
    page->person.email = i == 0 ? STR(DEMO_CREATOR) : str_printf(a, "%s@example.org", role->handle);
    if (!sign_up(d, a, &page->person))
        return;
    send(d, a, &page->person, "POST", "/v1/creators",
         "{\"handle\":\"%s\",\"name\":\"%s\",\"bio\":\"%s\"}", role->handle, role->name, role->bio);
    for (int k = 0; k < TIERS_EACH && !failed(d); k++) {
        const struct tier_role *t = &role->tiers[k];
        page->tiers[k] = json_text(send(d, a, &page->person, "POST", "/v1/creators/me/tiers",
                                        "{\"name\":\"%s\",\"description\":\"%s\",\"price\":%" PRId64
                                        ",\"currency\":\"%s\"}",
                                        t->name, t->description, t->price, role->currency),
                                   "id");
    }
    if (!failed(d))
        dress_page(d, a, i);
}

struct worker {
    struct demo *demo;
    struct arena arena; /* kept until the demo is over: it owns tokens and ids */
    pthread_t thread;
};

static void *make_creators(void *arg)
{
    struct worker *w = arg;
    struct demo *d = w->demo;
    char line[80];

    while (!failed(d)) {
        pthread_mutex_lock(&d->lock);
        int i = d->next_creator < CREATORS ? d->next_creator++ : -1;
        pthread_mutex_unlock(&d->lock);
        if (i < 0)
            break;
        make_creator(d, &w->arena, i);
        snprintf(line, sizeof(line), "demo: creator %d of %d, @%s", i + 1, CREATORS,
                 creators[i].handle);
        d->say(line);
    }
    return NULL;
}

static void make_fans(struct demo *d)
{
    struct person admin = { .email = STR(DEMO_ADMIN), .name = STR("Stage Manager") };

    d->say("demo: two hundred fans sign up");
    sign_up(d, d->arena, &admin);
    for (int i = 0; i < FANS && !failed(d); i++) {
        const char *first = first_names[i % FIRST_NAMES],
                   *last = last_names[(i * 7 + i / FIRST_NAMES) % LAST_NAMES];
        struct str plain = str_printf(d->arena, "%s.%s%d@example.org", first, last, i);
        d->fans[i].name = str_printf(d->arena, "%s %s", first, last);
        d->fans[i].email = i == 0 ? STR(DEMO_FAN) : str_lower(d->arena, plain);
        sign_up(d, d->arena, &d->fans[i]);
    }
}

/* --- the agenda ------------------------------------------------------------------------------------------------- */

static void plan(struct demo *d, int64_t day, enum deed deed, int who, int whom)
{
    int64_t at = day * DAY + (int64_t)(6 + roll(d, 17)) * HOUR + (int64_t)roll(d, 60) * MINUTE;

    must(d->agenda_n < AGENDA_MAX);
    d->agenda[d->agenda_n++] = (struct item) { at, deed, who, whom };
}

static void plan_fan(struct demo *d, int fan)
{
    /* Maya, whose login is printed, follows many and subscribes to some; the printed creator is popular. */
    unsigned follows = fan == 0 ? 9 : 1 + roll(d, FOLLOWS_EACH * 2);

    for (unsigned i = 0; i < follows; i++) {
        int creator = fan == 0 ? (int)i : roll(d, 4) == 0 ? 0 : (int)roll(d, CREATORS);
        int64_t day = 1 + roll(d, DAYS - 2);
        plan(d, day, FOLLOW, fan, creator);
        bool subscribes = fan == 0 ? i >= 1 && i <= 3 : roll(d, 100) < 38;
        if (!subscribes)
            continue;
        plan(d, day + 1, SUBSCRIBE, fan, creator);
        if (roll(d, 12) == 0 && fan != 0)
            plan(d, day + 1, LEAVE, fan, creator);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (int)x->deed - (int)y->deed;
}

static void make_agenda(struct demo *d)
{
    for (int c = 0; c < CREATORS; c++)
        for (int i = 0; i < POSTS_EACH; i++)
            plan(d, (int64_t)i * DAYS / POSTS_EACH + roll(d, 2), PUBLISH, c, c);
    for (int f = 0; f < FANS; f++)
        plan_fan(d, f);
    qsort(d->agenda, d->agenda_n, sizeof(d->agenda[0]), by_time);
}

/* --- living through it ------------------------------------------------------------------------------------------ */

static struct str caption(struct demo *d, struct arena *a, enum scene scene, bool picture)
{
    const char *const *list = picture ? captions[scene] : notes;
    unsigned n = 0;

    while (list[n] != NULL)
        n++;
    return str_printf(a, "%s", list[roll(d, n)]);
}

static void publish(struct demo *d, struct arena *a, int i)
{
    struct page_of *page = &d->pages[i];
    unsigned lot = roll(d, 100), first = roll(d, PICTURES_EACH),
             n = lot < 12   ? 0
                 : lot < 80 ? 1
                            : 2 + roll(d, 3);
    struct buf media = { .arena = a };
    const char *access = lot % 10 < 3 ? "public" : lot % 10 < 5 ? "followers" : "tiers";
    struct str tiers = STR("");

    for (unsigned k = 0; k < n; k++)
        buf_printf(&media, "%s\"%.*s\"", k > 0 ? "," : "",
                   STR_FMT(page->pictures[(first + k * 2) % PICTURES_EACH]));
    if (access[0] == 't' && lot % 10 < 8)
        tiers =
            str_printf(a, "\"%.*s\",\"%.*s\"", STR_FMT(page->tiers[0]), STR_FMT(page->tiers[1]));
    else if (access[0] == 't')
        tiers = str_printf(a, "\"%.*s\"", STR_FMT(page->tiers[1]));
    struct str text = caption(d, a, page->scenes[first], n > 0), pictures = buf_str(&media);
    send(d, a, &page->person, "POST", "/v1/posts",
         "{\"text\":\"%.*s\",\"access\":\"%s\",\"tiers\":[%.*s],\"media\":[%.*s],\"publish\":true}",
         STR_FMT(text), access, STR_FMT(tiers), STR_FMT(pictures));
}

static void follow(struct demo *d, struct arena *a, const struct item *it)
{
    send(d, a, &d->fans[it->who], "PUT",
         path(a, "/v1/creators/", str_of(creators[it->whom].handle), "/follow"), "%s", "");
}

/* As a fan's browser does: fills in the hosted page and comes back. */
static bool pay(struct demo *d, struct arena *a, struct str url, const char *card)
{
    const struct str type = STR("Content-Type: application/x-www-form-urlencoded");
    struct http_request q = {
        .method = "POST", .url = url, .headers = &type, .headers_n = 1, .timeout_ms = 10000
    };
    struct http_reply reply;

    q.body = str_printf(a, "number=%s&expiry=12%%2F34&cvc=123&name=Demo+Fan", card);
    if (http_client_send(d->client, a, &q, &reply) == HTTP_ANSWERED && reply.status < 500)
        return true;
    wrong(d, str_printf(a, "the hosted page %.*s did not take the card", STR_FMT(url)));
    return false;
}

/* The settled payment is told by webhook and job: a moment later. */
static bool settled(struct demo *d, struct arena *a, const struct person *fan,
                    struct str subscription)
{
    for (int i = 0; i < 200 && !failed(d); i++) {
        const struct json *s =
            send(d, a, fan, "GET", path(a, "/v1/subscriptions/", subscription, ""), "%s", "");
        if (!str_is(json_text(s, "state"), "incomplete") || json_text(s, "decline").p != NULL)
            return true;
        sleep_ms(10);
    }
    return false;
}

static void subscribe(struct demo *d, struct arena *a, const struct item *it)
{
    const struct person *fan = &d->fans[it->who];
    struct page_of *page = &d->pages[it->whom];
    struct str tier = page->tiers[roll(d, 4) == 0];
    struct http_call h = { .method = "POST",
                           .target = STR("/v1/subscriptions"),
                           .token = fan->token };
    const char *why;

    h.headers[h.headers_n++] =
        (struct header) { "Idempotency-Key",
                          str_printf(a, "demo-%d-%d-%" PRId64, it->who, it->whom, it->at) };
    h.body = str_printf(a, "{\"tier\":\"%.*s\"}", STR_FMT(tier));
    server_call(d->server, a, &h);
    if (h.status == 409)
        return; /* subscribed already: chance drew the same pair twice */
    const struct json *answer = h.status < 300 ? json_parse(a, h.reply, &why) : NULL;
    struct str url = json_text(answer, "checkout_url"),
               id = json_text(json_get(answer, "subscription"), "id");
    if (url.p == NULL || id.p == NULL) {
        wrong(d, str_printf(a, "POST /v1/subscriptions answered %d: %.*s", h.status,
                            STR_FMT(h.reply)));
        return;
    }
    bool declined = it->who != 0 && roll(d, 25) == 0;
    if (pay(d, a, url, declined ? "4000000000000002" : "4242424242424242"))
        settled(d, a, fan, id);
}

static void leave(struct demo *d, struct arena *a, const struct item *it)
{
    const struct person *fan = &d->fans[it->who];
    const struct json *list = send(d, a, fan, "GET", "/v1/subscriptions", "%s", "");
    const struct json *items = json_get(list, "items");

    for (size_t i = 0; items != NULL && i < items->n; i++) {
        struct str id = json_text(&items->items[i], "id");
        if (str_is(json_text(&items->items[i], "state"), "active")) {
            send(d, a, fan, "POST", path(a, "/v1/subscriptions/", id, "/cancel"), "%s", "");
            return;
        }
    }
}

static void live(struct demo *d, int64_t start)
{
    char line[80];
    int64_t day = -1;

    for (size_t i = 0; i < d->agenda_n && !failed(d); i++) {
        const struct item *it = &d->agenda[i];
        struct arena a = { 0 };
        int64_t offset = start + it->at - env_real_now(d->env).us;
        __atomic_store_n(&d->env->clock.offset_us, offset < 0 ? offset : 0, __ATOMIC_RELEASE);
        if (it->deed == PUBLISH)
            publish(d, &a, it->who);
        else if (it->deed == FOLLOW)
            follow(d, &a, it);
        else if (it->deed == SUBSCRIBE)
            subscribe(d, &a, it);
        else
            leave(d, &a, it);
        if (d->why.p != NULL)
            d->why = str_copy(d->arena, d->why);
        arena_done(&a);
        if (it->at / DAY > day + 6) {
            day = it->at / DAY;
            snprintf(line, sizeof(line), "demo: day %" PRId64 " of %d", day + 1, DAYS);
            d->say(line);
        }
    }
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

bool demo_is_filled(struct server *s)
{
    struct arena a = { 0 };
    struct http_call h = { .method = "GET", .target = STR("/v1/creators?limit=1") };
    const char *why;

    server_call(s, &a, &h);
    const struct json *items =
        h.status == 200 ? json_get(json_parse(&a, h.reply, &why), "items") : NULL;
    bool filled = items == NULL || items->n > 0;
    arena_done(&a);
    return filled;
}

static void make_people(struct demo *d, struct worker *workers)
{
    for (int i = 0; i < WORKERS; i++) {
        workers[i].demo = d;
        must(pthread_create(&workers[i].thread, NULL, make_creators, &workers[i]) == 0);
    }
    make_fans(d);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
}

bool demo_fill(struct env *e, struct server *s, struct arena *a, void (*say)(const char *line),
               struct str *why)
{
    struct demo *d = calloc(1, sizeof(*d));
    struct worker workers[WORKERS] = { 0 };

    must(d != NULL);
    *d = (struct demo) { .env = e, .server = s, .arena = a, .say = say, .dice = 42 };
    d->client = http_client_open();
    pthread_mutex_init(&d->lock, NULL);
    int64_t start = env_real_now(e).us - (int64_t)(DAYS + 2) * DAY;
    __atomic_store_n(&e->clock.offset_us, start - env_real_now(e).us, __ATOMIC_RELEASE);
    make_people(d, workers);
    make_agenda(d);
    live(d, start);
    __atomic_store_n(&e->clock.offset_us, 0, __ATOMIC_RELEASE);
    bool good = d->why.p == NULL;
    *why = good ? STR_NONE : str_copy(a, d->why);
    for (int i = 0; i < WORKERS; i++)
        arena_done(&workers[i].arena);
    http_client_close(d->client);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return good;
}
