/* card.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/card.h"
#include "base/check.h"

#include <string.h>

#define DECLINED "card_declined", "generic_decline", "Your card was declined."

static const struct card cards[] = {
    { "4242424242424242", "pm_card_visa", CARD_PAYS, NULL, NULL, NULL, "pays" },
    { "4000056655665556", "pm_card_visa_debit", CARD_PAYS, NULL, NULL, NULL, NULL },
    { "5555555555554444", "pm_card_mastercard", CARD_PAYS, NULL, NULL, NULL, "pays" },
    { "5200828282828210", "pm_card_mastercard_debit", CARD_PAYS, NULL, NULL, NULL, NULL },
    { "378282246310005", "pm_card_amex", CARD_PAYS, NULL, NULL, NULL, NULL },
    { "6011111111111117", "pm_card_discover", CARD_PAYS, NULL, NULL, NULL, NULL },
    { "4000002500003155", "pm_card_authenticationRequiredOnSetup", CARD_ASKS_ONCE, NULL, NULL, NULL,
      "asks for confirmation (3D Secure)" },
    { "4000002760003184", "pm_card_authenticationRequired", CARD_ASKS_ALWAYS, NULL, NULL, NULL,
      "asks for confirmation each time" },
    { "4000000000003220", "pm_card_threeDSecure2Required", CARD_ASKS_ALWAYS, NULL, NULL, NULL,
      NULL },
    { "4000000000000002", "pm_card_chargeDeclined", CARD_DECLINES, DECLINED, "is declined" },
    { "4000000000009995", "pm_card_chargeDeclinedInsufficientFunds", CARD_DECLINES, "card_declined",
      "insufficient_funds", "Your card has insufficient funds.", "has insufficient funds" },
    { "4000000000009987", "pm_card_chargeDeclinedLostCard", CARD_DECLINES, "card_declined",
      "lost_card", "Your card was declined.", "was reported lost" },
    { "4000000000009979", "pm_card_chargeDeclinedStolenCard", CARD_DECLINES, "card_declined",
      "stolen_card", "Your card was declined.", NULL },
    { "4000000000000069", "pm_card_chargeDeclinedExpiredCard", CARD_DECLINES, "expired_card",
      "expired_card", "Your card has expired.", "has expired" },
    { "4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", CARD_DECLINES, "incorrect_cvc",
      "incorrect_cvc", "Your card's security code is incorrect.", "has a wrong CVC" },
    { "4000000000000119", "pm_card_chargeDeclinedProcessingError", CARD_DECLINES,
      "processing_error", "processing_error",
      "An error occurred while processing your card. Try again in a little bit.", NULL },
    { "4000000000006975", "pm_card_chargeDeclinedVelocityLimitExceeded", CARD_DECLINES,
      "card_declined", "card_velocity_exceeded",
      "Your card was declined for making repeated attempts too frequently or exceeding its amount "
      "limit.",
      NULL },
    { "4000000000000341", "pm_card_chargeCustomerFail", CARD_DECLINES_LATER, DECLINED,
      "can be saved, then is declined" },
};

const struct card *card_of_number(struct str number)
{
    for (size_t i = 0; i < COUNT(cards); i++)
        if (str_is(number, cards[i].number))
            return &cards[i];
    return NULL;
}

const struct card *card_of_token(struct str token)
{
    /* The names with the brand in them are older, and still in use. */
    static const char old[] = "pm_card_visa_chargeDeclined";

    for (size_t i = 0; i < COUNT(cards); i++) {
        const char *name = cards[i].token;
        if (str_is(token, name))
            return &cards[i];
        if (str_starts(token, old) && str_starts(str_of(name), "pm_card_chargeDeclined") &&
            str_is(str_cut(token, sizeof(old) - 1, token.n),
                   name + sizeof("pm_card_chargeDeclined") - 1))
            return &cards[i];
    }
    return NULL;
}

const struct card *card_at(size_t i)
{
    return i < COUNT(cards) ? &cards[i] : NULL;
}

static const struct {
    char first;
    const char *brand;
} brands[] = {
    { '4', "visa" },
    { '5', "mastercard" },
    { '3', "amex" },
    { '6', "discover" },
};

const char *card_brand(const struct card *k)
{
    for (size_t i = 0; i < COUNT(brands); i++)
        if (brands[i].first == k->number[0])
            return brands[i].brand;
    return "unknown";
}

struct str card_last4(const struct card *k)
{
    return str_of(k->number + strlen(k->number) - 4);
}

bool card_number_is_sound(struct str number)
{
    int sum = 0;

    if (number.n < 13 || number.n > 19)
        return false;
    for (size_t i = 0; i < number.n; i++) {
        char c = number.p[number.n - 1 - i];
        if (c < '0' || c > '9')
            return false;
        int d = (c - '0') * (i % 2 == 1 ? 2 : 1);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}
