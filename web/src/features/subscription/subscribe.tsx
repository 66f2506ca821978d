/* subscribe.tsx -- choosing a tier and going to the payment provider's own page. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Radio from "@radix-ui/react-radio-group";
import { ExternalLink, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { useLocation } from "react-router";
import { api, ApiError } from "@/api/client";
import { useGet, useIntent } from "@/api/query";
import type { CreatorCard, Subscription, Tier } from "@/api/schema";
import { useMe } from "@/features/account/me";
import { TierTicket } from "@/features/creator/tier";
import { advice } from "@/ui/advice";
import { Button, ButtonLink } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { FormError } from "@/ui/field";
import { date, money } from "@/ui/format";

interface Props {
  creator: CreatorCard;
  tiers: Tier[];
  tier: Tier | null;
  /* What the one who is looking already has here. */
  held: Subscription | undefined;
  onChoose: (tier: Tier | null) => void;
}

/* Starts a subscription. The same wish is sent under the same Idempotency-Key until it is answered. */
export function useCheckout() {
  const intent = useIntent();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [waiting, setWaiting] = useState<Subscription | null>(null);

  /* The provider was slow: the server answered 202, and the checkout's address comes later. */
  const later = useGet(
    "GET /v1/subscriptions/{subscription}",
    { params: { subscription: waiting?.id ?? "" } },
    { enabled: waiting !== null, poll: 1500 },
  ).data;
  const address = later?.checkout_url;
  const refused =
    later?.decline ??
    (later && later.state !== "incomplete" && later.state !== "active"
      ? "The payment provider could not be reached."
      : undefined);
  useEffect(() => {
    if (address) location.assign(address);
  }, [address]);

  const start = async (tier: string) => {
    setBusy(true);
    setError(null);
    setWaiting(null);
    try {
      const body = { tier, return_path: "/checkout/return" };
      const begun = await intent(body, (key) => api("POST /v1/subscriptions", { body, key }));
      const url = begun.checkout_url ?? begun.subscription.checkout_url;
      if (url) location.assign(url);
      else setWaiting(begun.subscription);
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      setError(cause);
      setBusy(false);
    }
  };
  return { start, busy: busy && !refused, waiting: waiting !== null && !refused, error, refused };
}

export function SubscribeDialog({ creator, tiers, tier, held, onChoose }: Props) {
  const me = useMe();
  const here = useLocation();
  const checkout = useCheckout();
  if (held && tier && !checkout.busy)
    return (
      <Dialog
        open
        onOpen={(open) => !open && onChoose(null)}
        title={`You support ${creator.name} already`}
      >
        <TierTicket tier={held.tier} lit level="p" />
        <p className="mt-5 text-muted">
          {held.period_end && held.cancel_at_period_end
            ? `Your ${held.tier.name} runs until ${date(held.period_end)}. After that you can join again with another tier.`
            : `To change to ${tier.name}, cancel ${held.tier.name} and join again when it has ended.`}
        </p>
        <div className="mt-6 flex flex-wrap gap-3">
          <ButtonLink to="/subscriptions" look="lamp">
            Your subscriptions
          </ButtonLink>
        </div>
      </Dialog>
    );
  const next = `/@${creator.handle}?subscribe=${tier?.id ?? ""}`;
  return (
    <Dialog
      open={tier !== null}
      onOpen={(open) => !open && onChoose(null)}
      title={`Support ${creator.name}`}
      description={
        tiers.length > 1
          ? "Choose a tier. You can cancel whenever you like."
          : "You can cancel whenever you like."
      }
    >
      {tier && (
        <div className="grid gap-5">
          <Radio.Root
            value={tier.id}
            onValueChange={(id) => onChoose(tiers.find((one) => one.id === id) ?? tier)}
            aria-label="Tier"
            className="grid gap-3"
          >
            {tiers.map((one) => (
              <Radio.Item
                key={one.id}
                value={one.id}
                aria-label={`${one.name}, ${money(one.price, one.currency)} a month`}
                className="group relative rounded-xl text-left outline-offset-4"
              >
                <TierTicket tier={one} lit={one.id === tier.id} level="p" />
                <span
                  aria-hidden
                  className="absolute right-3 top-3 size-4.5 rounded-full border border-edge bg-surface group-data-[state=checked]:border-[5px] group-data-[state=checked]:border-glow"
                />
              </Radio.Item>
            ))}
          </Radio.Root>
          {checkout.error && (
            <FormError title={checkout.error.title}>{advice(checkout.error)}</FormError>
          )}
          {checkout.refused && (
            <FormError title="The payment could not be started">
              {checkout.refused} Nothing was charged; try again in a moment.
            </FormError>
          )}
          {me ? (
            <Button
              look="lamp"
              size="large"
              busy={checkout.busy}
              onClick={() => void checkout.start(tier.id)}
            >
              {checkout.waiting
                ? "Waiting for the payment page"
                : `Pay ${money(tier.price, tier.currency)} a month`}
              {!checkout.busy && <ExternalLink aria-hidden />}
            </Button>
          ) : (
            <>
              <ButtonLink
                look="lamp"
                size="large"
                to={`/signup?next=${encodeURIComponent(next)}`}
                state={{ from: here.pathname }}
              >
                Make an account to subscribe
              </ButtonLink>
              <ButtonLink look="link" to={`/login?next=${encodeURIComponent(next)}`}>
                I already have one
              </ButtonLink>
            </>
          )}
          <p className="flex items-start gap-2 text-sm text-muted">
            {checkout.waiting && (
              <LoaderCircle className="mt-0.5 size-4 animate-spin" aria-hidden />
            )}
            <span>
              {money(tier.price, tier.currency)} now and every month until you cancel. You pay on
              the payment provider's page; your card never passes through this site.
            </span>
          </p>
        </div>
      )}
    </Dialog>
  );
}
