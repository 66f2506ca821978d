/* admin.h -- what operators do: roles, jobs put aside; and the development clock. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_ADMIN_H
#define SERVICES_ADMIN_H

#include "core/module.h"

extern const struct module admin_module;

#endif
