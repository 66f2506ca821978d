/* stripe_words.h -- sentences for people from Stripe's decline codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_STRIPE_WORDS_H
#define SYS_STRIPE_WORDS_H

#include "base/str.h"

/* Either may be none; the more exact one is asked first. Never none. */
struct str stripe_decline_sentence(struct str decline_code, struct str code);

#endif
