/* page.h -- the hosted pages, as a module. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_PAGE_H
#define SANDBOX_PAGE_H

#include "core/module.h"

extern const struct module sandbox_pages_module;

#endif
