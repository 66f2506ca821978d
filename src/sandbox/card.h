/* card.h -- the test cards and how each behaves. Only their numbers are taken: no real card is ever stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_CARD_H
#define SANDBOX_CARD_H

#include "base/str.h"

enum card_does {
    CARD_PAYS,
    CARD_DECLINES,
    CARD_DECLINES_LATER, /* can be saved; every charge is declined */
    /* wants the payer's confirmation, until it was set up for payments without him */
    CARD_ASKS_ONCE,
    CARD_ASKS_ALWAYS, /* ... each time: without the payer it declines */
};

struct card {
    const char *number;
    const char *token; /* "pm_card_visa"; NULL: none */
    enum card_does does;
    const char *code, *decline_code, *message; /* of its refusal */
    const char *hint;                          /* for the hosted page's list; NULL: not there */
};

const struct card *card_of_number(struct str number); /* digits only; NULL: not a test card */
const struct card *card_of_token(struct str token);
const struct card *card_at(size_t i); /* NULL past the end */

const char *card_brand(const struct card *k); /* "visa" */
struct str card_last4(const struct card *k);

/* Is it a card number at all (13 to 19 digits, check digit)? */
bool card_number_is_sound(struct str number);

#endif
