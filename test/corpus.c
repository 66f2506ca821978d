/* corpus.c -- the inputs in test/corpus, replayed as ordinary tests, one a target; no libFuzzer is needed.
 *
 * A corpus must show that its target asks what it says: something is taken, something is refused, each HOLDS of the file is
 * reached, and each, turned upside down, ends the replay. To replay one file, or to debug it:
 *
 *   build/debug-gcc/tests --as replay id test/corpus/id/0f3a… */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fixtures.h"
#include "test/fuzz.h"
#include "test/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "test/corpus"
enum { TARGETS_MAX = 64, BYTES_MAX = 64 * 1024, SECONDS = 60 };

struct corpus {
    struct arena arena;
    const struct fuzz_target *target;
    struct str *inputs;
    size_t n, bytes;
};

static const struct fuzz_target *target_named(const char *name)
{
    struct fuzz_target **list;
    size_t n = fuzz_targets(&list);

    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

static int no_dots(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void corpus_read(struct corpus *c)
{
    const char *folder = str_printf(&c->arena, FOLDER "/%s", c->target->name).p;
    struct dirent **names = NULL;
    int n = scandir(folder, &names, no_dots, alphasort);

    if (n <= 0)
        FAIL("there is no %s; ./dev fuzz --keep %s makes it", folder, c->target->name);
    REQUIRE(n > 0);
    c->n = (size_t)n;
    c->inputs = arena_array(&c->arena, struct str, c->n);
    for (size_t i = 0; i < c->n; i++) {
        c->inputs[i] =
            fixture_read(&c->arena, str_printf(&c->arena, "%s/%s", folder, names[i]->d_name).p);
        c->bytes += c->inputs[i].n;
        free(names[i]);
    }
    free(names);
}

static void replay(const struct corpus *c)
{
    for (size_t i = 0; i < c->n; i++)
        fuzz_run(c->target, c->inputs[i].p, c->inputs[i].n);
}

/* Does it end the replay? In a process of its own, which begins from nothing. */
static bool found_when_broken(const struct corpus *c, const struct fuzz_claim *claim)
{
    int status = 0;
    pid_t pid = fork();

    REQUIRE(pid >= 0);
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        fuzz_break(claim);
        replay(c);
        _exit(0);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void check_claims(const struct corpus *c, bool broken)
{
    struct fuzz_claim **list;
    size_t n = fuzz_claims(&list), own = 0;

    for (size_t i = 0; i < n; i++) {
        const struct fuzz_claim *k = list[i];
        if (strcmp(k->file, c->target->file) != 0)
            continue;
        own++;
        if (broken ? !found_when_broken(c, k) : k->asked == 0)
            FAIL("%s:%d: nothing in the corpus %s: %s", k->file, k->line,
                 broken ? "breaks" : "reaches", k->what);
    }
    CHECK(own > 0);
}

static void corpus_test(void)
{
    struct corpus c = { .target = target_named(strchr(unit_this()->name, '_') + 1) };
    size_t refused = 0;

    unit_dir(); /* made here, so that those below share it and it is removed */
    corpus_read(&c);
    check_claims(&c, true);
    for (size_t i = 0; i < c.n; i++) {
        uint64_t before = fuzz_taken_so_far();
        fuzz_run(c.target, c.inputs[i].p, c.inputs[i].n);
        refused += fuzz_taken_so_far() == before;
    }
    check_claims(&c, false);
    CHECK(refused > 0 && refused < c.n);
    CHECK(c.bytes <= BYTES_MAX); /* `./dev fuzz --keep` makes it small */
    arena_done(&c.arena);
}

__attribute__((constructor)) static void register_corpora(void)
{
    static struct unit_test tests[TARGETS_MAX];
    static char names[TARGETS_MAX][64];
    struct fuzz_target **list;
    size_t n = fuzz_targets(&list);

    must(n < TARGETS_MAX);
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "corpus_%s", list[i]->name);
        tests[i] = (struct unit_test) { .name = names[i],
                                        .file = list[i]->file,
                                        .line = list[i]->line,
                                        .seconds = SECONDS,
                                        .run = corpus_test };
        unit_register(&tests[i]);
    }
}

PROGRAM(replay)
{
    const struct fuzz_target *t = argc < 1 ? NULL : target_named(argv[0]);
    struct arena a = { 0 };

    if (t == NULL) {
        fprintf(stderr, "replay TARGET FILE...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        struct str bytes = fixture_read(&a, argv[i]);
        fuzz_run(t, bytes.p, bytes.n);
    }
    arena_done(&a);
    return 0;
}
