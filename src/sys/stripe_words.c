/* stripe_words.c -- what Stripe's decline codes mean, said to the person who pays.
 *
 * Honest, with a way forward. Codes that tell of a stolen or watched card read like any other decline: the person at the
 * keyboard may not be the card's owner (Stripe asks the same of everybody). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stripe_words.h"
#include "base/check.h"

#define USE_ANOTHER "The card was declined. Please use another card, or ask your bank."

static const struct {
    const char *code, *sentence;
} sentences[] = {
    { "insufficient_funds", "The card has insufficient funds." },
    { "expired_card", "The card has expired. Please use another card." },
    { "incorrect_cvc", "The card's security code (CVC) is wrong. Please check it." },
    { "invalid_cvc", "The card's security code (CVC) is wrong. Please check it." },
    { "incorrect_number", "The card number is wrong. Please check it." },
    { "invalid_number", "The card number is wrong. Please check it." },
    { "invalid_expiry_month", "The card's expiry date is wrong. Please check it." },
    { "invalid_expiry_year", "The card's expiry date is wrong. Please check it." },
    { "incorrect_zip", "The postal code does not fit the card. Please check it." },
    { "incorrect_address", "The address does not fit the card. Please check it." },
    { "incorrect_pin", "The card's PIN is wrong." },
    { "processing_error", "The bank could not process the payment. Please try again in a moment." },
    { "issuer_not_available", "The bank cannot be reached. Please try again in a moment." },
    { "reenter_transaction",
      "The bank could not process the payment. Please try again in a moment." },
    { "try_again_later", "The bank could not process the payment. Please try again later." },
    { "authentication_required",
      "Your bank wants you to confirm this payment yourself. Please pay once more on the payment "
      "page." },
    { "payment_intent_authentication_failure",
      "The payment was not confirmed with your bank. Please try again or use another card." },
    { "setup_intent_authentication_failure",
      "The card was not confirmed with your bank. Please try again or use another card." },
    { "card_velocity_exceeded",
      "The card has reached its limit. Please use another card, or ask your bank." },
    { "withdrawal_count_limit_exceeded",
      "The card has reached its limit. Please use another card, or ask your bank." },
    { "card_not_supported", "The card does not allow this kind of purchase. Please use another." },
    { "transaction_not_allowed",
      "The card does not allow this kind of purchase. Please use another." },
    { "service_not_allowed", "The card does not allow this kind of purchase. Please use another." },
    { "not_permitted", "The card does not allow this kind of purchase. Please use another." },
    { "currency_not_supported", "The card cannot pay in this currency. Please use another card." },
    { "duplicate_transaction", "The same amount was charged to this card a moment ago. Please look "
                               "at your payments first." },
    { "invalid_account", "The card or its account is closed. Please use another card." },
    { "new_account_information_available",
      "The card or its account is closed. Please use another card." },
    { "stop_payment_order",
      "Your bank was told to stop these payments. Please use another card, or ask your bank." },
    { "revocation_of_authorization",
      "Your bank was told to stop these payments. Please use another card, or ask your bank." },
    { "revocation_of_all_authorizations",
      "Your bank was told to stop these payments. Please use another card, or ask your bank." },
    { "resource_missing", "The saved card is no longer there. Please enter a card again." },
    { "payment_method_detached", "The saved card is no longer there. Please enter a card again." },
    { "testmode_decline", "This is a test card: it cannot pay real money." },
};

struct str stripe_decline_sentence(struct str decline_code, struct str code)
{
    struct str asked[] = { decline_code, code };

    for (size_t k = 0; k < COUNT(asked); k++)
        for (size_t i = 0; i < COUNT(sentences); i++)
            if (asked[k].p != NULL && str_is(asked[k], sentences[i].code))
                return str_of(sentences[i].sentence);
    return STR(USE_ANOTHER);
}
