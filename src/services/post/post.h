/* post.h -- what creators publish. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_POST_H
#define SERVICES_POST_H

#include "core/module.h"

extern const struct module post_module;

#endif
