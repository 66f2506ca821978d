/* modules.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"
#include "core/start.h"
#include "server/server.h"
#include "services/access/access.h"
#include "services/account/account.h"
#include "services/admin/admin.h"
#include "services/audit/audit.h"
#include "services/creator/creator.h"
#include "services/ledger/ledger.h"
#include "services/media/media.h"
#include "services/payment/payment.h"
#include "services/post/post.h"
#include "services/subscription/subscription.h"

static const struct setting settings[] = {
    { "data", SETTING_TEXT, "data", "The folder that holds everything this program keeps", 0, 0 },
    { "public_url", SETTING_URL, "",
      "The address that browsers use, https://… in production; empty: the one listened on", 0, 0 },
    { "development", SETTING_BOOL, "false",
      "For the developer's machine: a clock that can be moved, quick password hashes", 0, 0 },
    { "log.level", SETTING_WORD, "info debug warn error", "debug, info, warn or error", 0, 0 },
    { "mail.from", SETTING_TEXT, "Stagedoor <noreply@localhost>", "Sender of mails", 0, 0 },
};
const struct module program_module = { .name = "program", MODULE_SETTINGS(settings) };

const struct module *const modules[] = {
    &core_module,         &program_module, &server_module,  &platform_module,
    &audit_module,        &account_module, &session_module, &recovery_module,
    &creator_module,      &media_module,   &ledger_module,  &payment_module,
    &subscription_module, &access_module,  &post_module,    &admin_module,
};
const size_t modules_n = COUNT(modules);
