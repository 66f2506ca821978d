/* form.h -- nested forms ("line_items[0][price_data][unit_amount]=500") into a tree like that of JSON.
 *
 * Objects and lists nest, leaves are texts. A name whose members are exactly 0, 1 .. n-1, or "[]", is a list. Names twice,
 * names that are a value here and an object there, and everything beyond the limits is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_FORM_H
#define SANDBOX_FORM_H

#include "base/json.h"

enum { FORM_PAIRS_MAX = 500, FORM_DEPTH_MAX = 8, FORM_NAME_MAX = 300 };

/* An object, perhaps empty; NULL with a sentence in *why. */
const struct json *form_parse(struct arena *a, struct str text, struct str *why);

/* "price_data.currency": along the names; NULL when something is not there. */
const struct json *form_at(const struct json *j, const char *path);
/* ... its text; none when absent or no text. */
struct str form_text(const struct json *j, const char *path);

#endif
