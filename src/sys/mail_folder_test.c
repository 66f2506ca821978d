/* mail_folder_test.c -- mails as text and as files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mail_folder.h"
#include "sys/mail_format.h"
#include "test/unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct mail good = {
    .to = { "ana@example.org", 15 },
    .subject = { "Confirm your address", 20 },
    .text = { "Hello Ana,\n\nhttp://x/verify?token=a_b-c\n", 40 },
    .id = { "job_01", 6 },
};
#define FROM STR("Stagedoor <noreply@stage.example>")

static enum err format(struct arena *a, const struct mail *m, struct str *text)
{
    *text = STR_NONE;
    return mail_format(a, FROM, (struct when) { 1795228645 * SECOND }, m, text);
}

static struct str header(struct str text, const char *name)
{
    struct str line;

    while ((text = str_split(text, '\n', &line)).p != NULL)
        if (str_starts(line, name))
            return str_trim(str_cut(line, strlen(name) + 1, line.n));
    return STR_NONE;
}

TEST(mail_has_the_headers_of_rfc_5322)
{
    struct arena a = { 0 };
    struct str text;

    CHECK_OK(format(&a, &good, &text));
    CHECK_STR(text, "Date: Sat, 21 Nov 2026 02:37:25 +0000\r\n"
                    "From: Stagedoor <noreply@stage.example>\r\n"
                    "To: ana@example.org\r\n"
                    "Subject: Confirm your address\r\n"
                    "Message-ID: <job_01@stage.example>\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n"
                    "Auto-Submitted: auto-generated\r\n"
                    "\r\n"
                    "Hello Ana,\r\n"
                    "\r\n"
                    "http://x/verify?token=a_b-c\r\n");
    arena_done(&a);
}

TEST(mail_headers_cannot_be_forged)
{
    static const struct {
        const char *to, *subject, *id;
    } rows[] = {
        { "ana@example.org\r\nBcc: x@y.z", "s", "j" },
        { "ana@example.org\nBcc: x@y.z", "s", "j" },
        { "ana@example.org, bo@example.org", "s", "j" },
        { "<ana@example.org>", "s", "j" },
        { "ana", "s", "j" },
        { "@example.org", "s", "j" },
        { "a@b@c", "s", "j" },
        { "", "s", "j" },
        { NULL, "s", "j" },
        { "ana@example.org", "s\r\nBcc: x@y.z", "j" },
        { "ana@example.org", "s\rx", "j" },
        { "ana@example.org", "s", "../../etc/passwd" },
        { "ana@example.org", "s", "a.b" },
        { "ana@example.org", "s", "" },
        { "ana@example.org", "s", NULL },
    };
    struct arena a = { 0 };
    struct str text;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail m = { .to = str_of(rows[i].to),
                          .subject = str_of(rows[i].subject),
                          .id = str_of(rows[i].id),
                          .text = STR("x") };
        if (format(&a, &m, &text) != E_INVALID)
            FAIL("row %zu was taken", i);
    }
    arena_done(&a);
}

TEST(mail_subjects_of_the_world_are_encoded)
{
    struct arena a = { 0 };
    struct mail m = good;
    struct str text;

    m.subject = STR("Zoë wrote");
    CHECK_OK(format(&a, &m, &text));
    CHECK_STR(header(text, "Subject:"), "=?UTF-8?Q?Zo=C3=AB=20wrote?=");
    m.subject = STR("=?UTF-8?Q?x?=");
    CHECK_OK(format(&a, &m, &text));
    CHECK_STR(header(text, "Subject:"), "=?UTF-8?Q?=3D=3FUTF=2D8=3FQ=3Fx=3F=3D?=");
    m.subject = STR("日本語日本語日本語日本語日本語日本語");
    CHECK_OK(format(&a, &m, &text));
    for (struct str line, rest = text; (rest = str_split(rest, '\n', &line)).p != NULL;)
        CHECK(line.n <= 78 + 9);
    arena_done(&a);
}

TEST(mail_text_has_our_line_ends_only)
{
    struct arena a = { 0 };
    struct mail m = good;
    struct str text;

    m.text = STR("a\r\nb\r.\r\0c");
    CHECK_OK(format(&a, &m, &text));
    CHECK(str_ends(text, "\r\n\r\na\r\nb.c\r\n"));
    m.text = STR("");
    CHECK_OK(format(&a, &m, &text));
    CHECK(str_ends(text, "auto-generated\r\n\r\n"));
    arena_done(&a);
}

TEST(mail_lines_are_not_too_long)
{
    struct arena a = { 0 };
    struct mail m = good;
    struct str text;
    char *long_line = arena_alloc(&a, 5001);

    for (size_t i = 0; i < 5000; i += 2)
        memcpy(long_line + i, "é", 2);
    m.text = (struct str) { long_line, 5000 };
    CHECK_OK(format(&a, &m, &text));
    for (struct str line, rest = text; (rest = str_split(rest, '\n', &line)).p != NULL;) {
        CHECK(line.n < 998);
        CHECK(str_is_utf8(line));
    }
    arena_done(&a);
}

TEST(mails_become_files)
{
    struct arena a = { 0 };
    struct str folder = str_printf(&a, "%s/outbox", unit_dir());
    struct mailer *m = mail_folder_open(folder, FROM, NULL);
    struct mail bad = good;
    char text[2048] = "";

    REQUIRE(m != NULL);
    CHECK_OK(m->send(m, &a, &good));
    CHECK_OK(m->send(m, &a, &good));
    bad.to = STR("a\nb@c");
    CHECK_INT(m->send(m, &a, &bad), E_INVALID);
    int fd = open(str_printf(&a, "%.*s/job_01.eml", STR_FMT(folder)).p, O_RDONLY);
    REQUIRE(fd >= 0);
    CHECK(read(fd, text, sizeof(text) - 1) > 0);
    CHECK(strstr(text, "token=a_b-c\r\n") != NULL);
    close(fd);
    m->close(m);
    CHECK(mail_folder_open(STR("/proc/version/x"), FROM, NULL) == NULL);
    arena_done(&a);
}
