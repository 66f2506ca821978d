/* main.c -- joins all; owns no logic. The commands, which modules a program has, and where its things stand:
 *
 *   <data>/stagedoor.conf   settings            <data>/secret.key   the master key (0600)
 *   <data>/stagedoor.db     SQLite, unless database.url names PostgreSQL
 *   <data>/blobs  mail  scratch */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/file.h"
#include "core/exec.h"
#include "core/start.h"
#include "demo/demo.h"
#include "modules.h"
#include "sandbox/sandbox.h"
#include "server/server.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "sys/disk.h"
#include "sys/image_worker.h"
#include "sys/images_jailed.h"
#include "sys/mail_folder.h"
#include "sys/postgres.h"
#include "sys/sqlite.h"
#include "sys/stripe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define VERSION "0.1.0"
enum { DRAIN_S = 30, FILE_BYTES = 1 << 16 };

/* --- one run ---------------------------------------------------------------------------------------------------- */

struct program {
    const struct module *const *modules;
    size_t modules_n;
    const char *const *defaults; /* settings before the command line, ends in NULL */
    bool is_platform;            /* blobs, mails, payments, sessions; not the sandbox */
    bool looks_only;             /* may run beside the program that uses the data folder */
    struct arena arena;
    struct env env;
    int lock;
};

static bool complain(const char *what, struct str why)
{
    fprintf(stderr, "stagedoor: %s%s%.*s\n", what, why.p == NULL ? "" : ": ",
            why.p == NULL ? 0 : STR_FMT(why));
    return false;
}

static bool complain_of(const char *what, struct str path)
{
    char text[600];

    snprintf(text, sizeof(text), "%s %.*s: %s", what, STR_FMT(path), strerror(errno));
    return complain(text, STR_NONE);
}

static struct str data_path(struct program *p, const char *name)
{
    return str_printf(&p->arena, "%.*s/%s", STR_FMT(p->env.data), name);
}

/* The whole of a small file; none when there is no such file. */
static bool read_small(struct arena *a, struct str path, struct str *result)
{
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    char *text = arena_alloc(a, FILE_BYTES);

    *result = STR_NONE;
    if (fd < 0)
        return errno == ENOENT || complain_of("cannot read", path);
    ssize_t n = read(fd, text, FILE_BYTES - 1);
    close(fd);
    if (n < 0)
        return complain_of("cannot read", path);
    *result = (struct str) { text, (size_t)n };
    return true;
}

/* --data= is needed before the settings are, because the settings' file stands there. */
static struct str data_wanted(struct program *p, char **args, size_t n)
{
    const char *environment = getenv("STAGEDOOR_DATA");
    struct str data = environment != NULL ? str_of(environment) : STR("data");

    for (size_t i = 0; environment == NULL && p->defaults != NULL && p->defaults[i] != NULL; i++)
        if (strncmp(p->defaults[i], "--data=", 7) == 0)
            data = str_of(p->defaults[i] + 7);
    for (size_t i = 0; i < n; i++)
        if (strncmp(args[i], "--data=", 7) == 0)
            data = str_of(args[i] + 7);
    while (data.n > 1 && str_ends(data, "/"))
        data.n--;
    return str_copy(&p->arena, data);
}

static bool load_settings(struct program *p, char **args, size_t n)
{
    struct str file, why = STR_NONE;
    size_t all = 0;

    p->env.data = data_wanted(p, args, n);
    while (p->defaults != NULL && p->defaults[all] != NULL)
        all++;
    char **given = arena_array(&p->arena, char *, all + n + 1);
    for (size_t i = 0; i < all; i++)
        given[i] = arena_copy(&p->arena, p->defaults[i], strlen(p->defaults[i]) + 1);
    for (size_t i = 0; i < n; i++)
        given[all + i] = args[i];
    if (!read_small(&p->arena, data_path(p, "stagedoor.conf"), &file))
        return false;
    if (!settings_load(&p->arena, p->modules, p->modules_n, file, environ, given, all + n,
                       &p->env.settings, &why))
        return complain("settings", why);
    return true;
}

/* What was made in it stays in it, also when the power goes. */
static bool sync_folder(const char *path)
{
    return file_sync(path, O_DIRECTORY) || complain_of("cannot sync", str_of(path));
}

/* text: a path that ends where a folder's name does; the one above it is synced when it was made just now. */
static bool make_one(char *text)
{
    if (mkdir(text, 0700) != 0)
        return errno == EEXIST || complain_of("cannot make", str_of(text));
    char *slash = strrchr(text, '/');
    if (slash == NULL)
        return sync_folder(".");
    if (slash == text)
        return sync_folder("/");
    *slash = 0;
    bool good = sync_folder(text);
    *slash = '/';
    return good;
}

static bool make_folders(struct str path)
{
    char text[512];

    if (path.n >= sizeof(text))
        return complain("the data folder's path is too long", path);
    for (size_t i = 1; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        memcpy(text, path.p, i);
        text[i] = 0;
        if (!make_one(text))
            return false;
    }
    return true;
}

/* Two programs on one SQLite file would not see each other's changes in memory. */
static bool lock_data(struct program *p)
{
    struct str path = data_path(p, "lock");

    p->lock = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->lock < 0)
        return complain_of("cannot open", path);
    if (flock(p->lock, LOCK_EX | LOCK_NB) != 0)
        return complain("another stagedoor uses this data folder", p->env.data);
    return true;
}

/* Whole or not at all, and for good: without it nothing that was signed before is believed. */
static bool write_key(struct program *p, struct str path)
{
    struct str text = hex_print(&p->arena, p->env.master, sizeof(p->env.master));
    struct str temporary = data_path(p, "secret.key.new");
    int fd = open(temporary.p, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n &&
                write(fd, "\n", 1) == 1 && fsync(fd) == 0 && rename(temporary.p, path.p) == 0;

    if (fd >= 0)
        close(fd);
    return good ? sync_folder(p->env.data.p) : complain_of("cannot write", path);
}

static bool load_key(struct program *p)
{
    struct str path = data_path(p, "secret.key"), text;

    if (!read_small(&p->arena, path, &text))
        return false;
    if (text.p == NULL) {
        random_fill(p->env.master, sizeof(p->env.master));
        return write_key(p, path);
    }
    return hex_parse(str_trim(text), p->env.master, sizeof(p->env.master)) ||
           complain("this is no key of 64 hex digits", path);
}

static struct when real_now(struct clock *k)
{
    (void)k;
    return when_real_now();
}

static enum log_level level_of(struct str name)
{
    static const char *const names[] = { "debug", "info", "warn", "error", NULL };
    int level = enum_value(names, name);

    return level < 0 ? LOG_LEVEL_INFO : (enum log_level)level;
}

/* SQLite would make one that all may read, where the data folder lets them in. Its other files have the mode of this one. */
static bool make_database(struct program *p)
{
    struct str path = data_path(p, "stagedoor.db");
    int fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return complain_of("cannot open", path);
    close(fd); /* before SQLite has locks on it */
    return true;
}

static bool open_engine(struct program *p)
{
    struct env *e = &p->env;
    struct str url = setting_text(e->settings, "database.url");

    if (url.n > 0)
        e->engine = postgres_open(url, e->log);
    else if (p->looks_only || (lock_data(p) && make_database(p)))
        e->engine = sqlite_open(data_path(p, "stagedoor.db"), e->log);
    return e->engine != NULL;
}

static bool open_drivers(struct program *p)
{
    struct env *e = &p->env;

    if (!p->is_platform)
        return true;
    e->blobs = disk_open(data_path(p, "blobs"), e->log);
    e->mailer =
        mail_folder_open(data_path(p, "mail"), setting_text(e->settings, "mail.from"), e->log);
    if (e->blobs == NULL || e->mailer == NULL)
        return false;
    e->images = images_jailed_open(e->blobs, data_path(p, "scratch"), NULL, e->log);
    e->pay = stripe_open(&(struct stripe_options) {
        .url = setting_text(e->settings, "payment.stripe_url"),
        .key = setting_text(e->settings, "payment.stripe_key"),
        .webhook_secrets = setting_text(e->settings, "payment.stripe_webhook_secret"),
        .statement = setting_text(e->settings, "payment.statement"),
        .log = e->log,
        .random = random_fill,
    });
    e->authenticate = account_authenticate;
    return e->images != NULL && e->pay != NULL && sync_folder(e->data.p);
}

static struct str public_url(struct program *p)
{
    struct str url = setting_text(p->env.settings, "public_url");
    struct str address = setting_text(p->env.settings, "http.address");
    bool six = memchr(address.p, ':', address.n) != NULL;

    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    if (url.n > 0)
        return str_copy(&p->arena, url);
    return str_printf(&p->arena, "http://%s%.*s%s:%d", six ? "[" : "", STR_FMT(address),
                      six ? "]" : "", (int)setting_int(p->env.settings, "http.port"));
}

/* Everything but threads. */
static bool program_open(struct program *p, char **args, size_t n)
{
    struct env *e = &p->env;

    if (!crypto_init())
        return complain("the crypto library does not start", STR_NONE);
    if (!load_settings(p, args, n) || !make_folders(e->data) || !load_key(p))
        return false;
    e->modules = p->modules;
    e->modules_n = p->modules_n;
    e->log = log_open(STDERR_FILENO, level_of(setting_text(e->settings, "log.level")));
    e->clock.real = real_now;
    e->random = random_fill;
    e->development = setting_bool(e->settings, "development");
    e->public_url = public_url(p);
    return open_engine(p) && open_drivers(p);
}

static void program_close(struct program *p)
{
    struct env *e = &p->env;

    if (e->pay != NULL)
        e->pay->ops->close(e->pay);
    if (e->images != NULL)
        e->images->close(e->images);
    if (e->mailer != NULL)
        e->mailer->close(e->mailer);
    if (e->blobs != NULL)
        e->blobs->ops->close(e->blobs);
    if (e->engine != NULL)
        e->engine->ops->close(e->engine);
    if (e->log != NULL)
        log_close(e->log);
    if (p->lock >= 0)
        close(p->lock);
    arena_done(&p->arena);
}

/* --- serving ---------------------------------------------------------------------------------------------------- */

static void wait_for_signal(const sigset_t *signals)
{
    int which;

    while (sigwait(signals, &which) != 0) {
    }
}

/* A second Ctrl-C does not wait for the drain. */
static void end_by_signal(int which)
{
    (void)which;
    _exit(1);
}

static bool serve_until_signal(struct program *p, const sigset_t *signals)
{
    struct env *e = &p->env;
    struct server *s = server_open(e);
    struct str why = STR_NONE;
    bool good = server_listen(s, &p->arena, &why);

    if (good) {
        log_info(e->log, "http.listening", L_STR("url", e->public_url),
                 L_INT("port", server_port(s)), L_STR("engine", str_of(e->engine->ops->name)));
        wait_for_signal(signals);
        log_info(e->log, "http.draining", L_INT("limit_s", DRAIN_S));
        signal(SIGINT, end_by_signal);
        signal(SIGTERM, end_by_signal);
        pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    } else {
        complain("http", why);
    }
    if (!server_close(s, DRAIN_S)) {
        log_error(e->log, "http.stuck", L_INT("after_s", DRAIN_S));
        log_close(e->log);
        _exit(1); /* what runs may not be pulled from under its threads; the database is safe */
    }
    return good;
}

static bool serve(struct program *p, char **args, size_t n)
{
    struct rlimit files;
    sigset_t signals;
    bool good = false;

    /* Before there are threads, so that all of them have it. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (program_open(p, args, n)) {
        enum err e = env_start(&p->env, (int)setting_int(p->env.settings, "jobs.workers"));
        if (e == E_OK) {
            good = serve_until_signal(p, &signals);
            env_stop(&p->env);
        } else {
            complain("cannot start", str_of(err_sentence(e)));
        }
    }
    program_close(p);
    return good;
}

/* --- commands --------------------------------------------------------------------------------------------------- */

static struct program platform(void)
{
    return (struct program) {
        .modules = modules, .modules_n = modules_n, .is_platform = true, .lock = -1
    };
}

static bool command_serve(char **args, size_t n)
{
    struct program p = platform();

    return serve(&p, args, n);
}

static bool command_sandbox(char **args, size_t n)
{
    static const char *const defaults[] = { "--data=data/sandbox", "--http.port=8090",
                                            "--core.slow_workers=8", NULL };
    const struct module *list[16] = { &core_module, &program_module, &server_module };
    struct program p = { .modules = list, .modules_n = 3, .defaults = defaults, .lock = -1 };

    must(sandbox_modules_n + 3 <= COUNT(list));
    for (size_t i = 0; i < sandbox_modules_n; i++)
        list[p.modules_n++] = sandbox_modules[i];
    return serve(&p, args, n);
}

static void say(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static bool print_logins(void)
{
    return printf("Creator  %s\nFan      %s\nAdmin    %s\nPassword %s (all three)\n", DEMO_CREATOR,
                  DEMO_FAN, DEMO_ADMIN, DEMO_PASSWORD) > 0 &&
           fflush(stdout) == 0;
}

static bool demo_run(struct program *p)
{
    struct server *s = server_open(&p->env);
    struct str why = STR_NONE;
    bool good = server_listen(s, &p->arena, &why);

    if (good && demo_is_filled(s))
        good = complain("there are creators already; the demo fills an empty installation only",
                        STR_NONE);
    else if (good)
        good = demo_fill(&p->env, s, &p->arena, say, &why) || complain("demo", why);
    else
        complain("http", why);
    if (!server_close(s, DRAIN_S))
        _exit(1);
    return good;
}

/* The platform, with what makes two hundred people quick to make. */
static bool command_demo(char **args, size_t n)
{
    static const char *const defaults[] = {
        "--development=true", "--account.quick_hash=true", "--account.admin_email=" DEMO_ADMIN,
        "--http.rates=false", "--log.level=warn",          NULL
    };
    struct program p = platform();
    bool good = false;

    p.defaults = defaults;
    signal(SIGPIPE, SIG_IGN);
    if (program_open(&p, args, n)) {
        p.env.mailer->close(p.env.mailer);
        p.env.mailer = demo_mailer();
        if (env_start(&p.env, (int)setting_int(p.env.settings, "jobs.workers")) == E_OK) {
            good = demo_run(&p);
            env_stop(&p.env);
        }
    }
    program_close(&p);
    return good && print_logins();
}

static bool command_migrate(char **args, size_t n)
{
    struct program p = platform();
    bool good = program_open(&p, args, n);

    if (good) {
        enum err e = db_migrate(p.env.engine, p.env.log, p.modules, p.modules_n);
        good = e == E_OK || complain("cannot migrate", str_of(err_sentence(e)));
    }
    program_close(&p);
    return good;
}

static bool print(struct arena *a, struct str text)
{
    bool good = fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0;

    arena_done(a);
    return good;
}

static bool audit_told(const struct audit_report *r, struct arena *a)
{
    struct str head = hex_print(a, r->head.b, sizeof(r->head.b));

    printf("%" PRId64 " records are sealed and fit, %" PRId64 " wait for the seal\n", r->records,
           r->unsealed);
    printf("the last of them has the hash %.*s\n", STR_FMT(head));
    if (r->bad == 0)
        return true;
    struct str id = id_some(r->bad_id) ? id_text(a, ID_AUDIT, r->bad_id) : STR("no id");
    printf("record %" PRId64 " (%.*s) is the first that does not fit: %.*s\n", r->bad, STR_FMT(id),
           STR_FMT(r->why));
    return false;
}

static bool command_audit_verify(char **args, size_t n)
{
    struct program p = {
        .modules = modules, .modules_n = modules_n, .looks_only = true, .lock = -1
    };
    struct audit_report r;
    struct call c;

    bool good = program_open(&p, args, n);
    if (good) {
        call_begin(&c, &p.env, &p.arena);
        enum err e = p.env.engine->ops->open(p.env.engine, false, &c.db);
        if (e == E_OK)
            e = audit_verify(&c, &r);
        db_close(c.db);
        good = e == E_OK ? audit_told(&r, &p.arena)
                         : complain("cannot verify", str_of(err_sentence(e)));
    }
    program_close(&p);
    return good;
}

static bool command_config(char **args, size_t n)
{
    struct program p = platform();
    bool good = load_settings(&p, args, n);

    if (good) {
        struct str text = settings_print(p.env.settings, &p.arena);
        fwrite(text.p, 1, text.n, stdout);
    }
    program_close(&p);
    return good;
}

static bool command_openapi(char **args, size_t n)
{
    struct arena a = { 0 };

    (void)args, (void)n;
    return print(&a, server_openapi(&a, modules, modules_n));
}

static bool command_typescript(char **args, size_t n)
{
    struct arena a = { 0 };

    (void)args, (void)n;
    return print(&a, server_typescript(&a, modules, modules_n));
}

static bool command_routes(char **args, size_t n)
{
    struct arena a = { 0 };
    bool audit = n == 1 && strcmp(args[0], "--audit") == 0;

    if (n > 0 && !audit)
        return complain("routes knows --audit only", STR_NONE);
    return print(&a, audit ? server_audit(&a, modules, modules_n)
                           : server_route_list(&a, modules, modules_n));
}

static bool command_version(char **args, size_t n)
{
    (void)args, (void)n;
    return puts("stagedoor " VERSION) >= 0;
}

static bool command_help(char **args, size_t n);

static const struct {
    const char *name;
    bool (*run)(char **args, size_t n);
    const char *doc;
} commands[] = {
    { "serve", command_serve, "runs the platform; --name=value for each setting" },
    { "demo", command_demo,
      "fills an empty installation with a believable site; needs the sandbox" },
    { "sandbox", command_sandbox, "runs a payment provider to try things with, on port 8090" },
    { "migrate", command_migrate, "brings the database up to date, and ends" },
    { "audit-verify", command_audit_verify,
      "walks the chain of the audit log and names the first bad record" },
    { "config", command_config, "prints each setting, its value, where it comes from" },
    { "routes", command_routes, "prints the routes; --audit: who may call what" },
    { "openapi", command_openapi, "prints the API's description (OpenAPI 3.1)" },
    { "typescript", command_typescript, "prints the API's types for the web app" },
    { "version", command_version, "prints the version" },
    { "help", command_help, "prints this" },
};

static bool command_help(char **args, size_t n)
{
    (void)args, (void)n;
    puts("stagedoor -- a platform for creators and their fans, on your own machine\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        printf("  stagedoor %-12s %s\n", commands[i].name, commands[i].doc);
    return true;
}

int main(int argc, char **argv)
{
    const char *name = argc < 2 ? "help" : argv[1];

    if (strcmp(name, "image-worker") == 0) /* in the jail; see sys/image_worker.h */
        return image_worker_main(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argv + 2, argc < 2 ? 0 : (size_t)argc - 2) ? 0 : 1;
    fprintf(stderr, "stagedoor: there is no command \"%s\"; try \"stagedoor help\"\n", name);
    return 2;
}
