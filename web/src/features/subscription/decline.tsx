/* decline.tsx -- why a card was refused, and what helps. */
/* SPDX-License-Identifier: Apache-2.0 */

const known: Record<string, string> = {
  card_declined: "Your bank declined the card. Use another card, or ask your bank why.",
  generic_decline: "Your bank declined the card. Use another card, or ask your bank why.",
  insufficient_funds: "There is not enough money on this card. Use another card, or try later.",
  expired_card: "This card has expired. Use another one.",
  incorrect_cvc: "The security code was wrong. Try again with the code from the card's back.",
  authentication_required: "Your bank wants you to confirm the payment. Try again and follow its steps.",
  processing_error: "The bank could not process the card just now. Try again in a few minutes.",
};

/* The provider's code as a sentence; a sentence stays as it is. */
export function declineText(decline: string): string {
  return known[decline] ?? (/\s/.test(decline) ? decline : "The card was declined. Use another card, or ask your bank why.");
}

export const DeclineWords = ({ decline }: { decline: string }) => <>{declineText(decline)}</>;
