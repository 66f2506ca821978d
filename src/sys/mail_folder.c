/* mail_folder.c -- a mail is a file; whoever develops opens it, tests read the link in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mail_folder.h"
#include "base/check.h"
#include "base/file.h"
#include "sys/mail_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mail_folder {
    struct mailer mailer;
    struct log *log;
    struct arena arena; /* of the two texts below */
    struct str folder, from;
};

static enum err failed(const struct mail_folder *f, const char *path)
{
    int code = errno;

    log_error(f->log, "mail_folder.failed", L_STR("path", str_of(path)),
              L_STR("why", str_of(strerror(code))));
    return code == ENOSPC || code == EDQUOT ? E_STORAGE_FULL : E_INTERNAL;
}

static bool write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_cut(text, (size_t)n, text.n);
    }
    return true;
}

/* Whole or not at all, for a reader who watches the folder. */
static enum err put_file(const struct mail_folder *f, const char *path, const char *temporary,
                         struct str text)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return failed(f, temporary);
    bool good = write_all(fd, text) && fsync(fd) == 0;
    enum err e = good && rename(temporary, path) == 0 ? E_OK : failed(f, temporary);
    if (e != E_OK)
        unlink(temporary);
    close(fd);
    return e;
}

static enum err mail_folder_send(struct mailer *m, struct arena *a, const struct mail *mail)
{
    struct mail_folder *f = (struct mail_folder *)m;
    struct str text;

    /* It has looked at the id too, which becomes a name here. */
    TRY(mail_format(a, f->from, when_real_now(), mail, &text));
    const char *folder = f->folder.p;
    struct str path = str_printf(a, "%s/%.*s.eml", folder, STR_FMT(mail->id));
    struct str temporary = str_printf(a, "%s/.%.*s.tmp", folder, STR_FMT(mail->id));
    TRY(put_file(f, path.p, temporary.p, text));
    /* The job that sends it is done for good, so the file must be there for good. */
    return file_sync(f->folder.p, O_DIRECTORY) ? E_OK : failed(f, f->folder.p);
}

static void mail_folder_close(struct mailer *m)
{
    struct mail_folder *f = (struct mail_folder *)m;

    arena_done(&f->arena);
    free(f);
}

struct mailer *mail_folder_open(struct str folder, struct str from, struct log *log)
{
    struct mail_folder *f = calloc(1, sizeof(*f));

    must(f != NULL);
    f->mailer = (struct mailer) { .send = mail_folder_send, .close = mail_folder_close };
    f->log = log;
    f->folder = str_copy(&f->arena, folder);
    f->from = str_copy(&f->arena, from);
    if ((mkdir(f->folder.p, 0700) == 0 || errno == EEXIST) && access(f->folder.p, W_OK) == 0)
        return &f->mailer;
    failed(f, f->folder.p);
    mail_folder_close(&f->mailer);
    return NULL;
}
