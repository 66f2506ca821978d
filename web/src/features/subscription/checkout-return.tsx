/* checkout-return.tsx -- where the payment page sends people back to.
 *
 * The provider's webhook, not this page, makes a subscription active; so the page waits for it: told by the event stream,
 * and asking every two seconds in case the stream is down. */
/* SPDX-License-Identifier: Apache-2.0 */
import { CircleX, Clock } from "lucide-react";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { useGet } from "@/api/query";
import type { Subscription } from "@/api/schema";
import { NotFound } from "@/features/home/not-found";
import { Door } from "@/features/home/door";
import { ApiError } from "@/api/client";
import { Avatar } from "@/ui/avatar";
import { Button, ButtonLink } from "@/ui/button";
import { date, money } from "@/ui/format";
import { useTitle } from "@/ui/page";
import { Failed } from "@/ui/state";
import { isLive } from "./current";
import { useCheckout } from "./subscribe";
import { FormError } from "@/ui/field";
import { advice } from "@/ui/advice";

const patience = 25_000;

function Frame({ children }: { children: React.ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center py-6 text-center sm:py-12">
      {children}
    </div>
  );
}

function Welcome({ one }: { one: Subscription }) {
  return (
    <Frame>
      <div className="relative">
        <div
          aria-hidden
          className="lamplight absolute -inset-x-24 -top-16 bottom-0 -z-10 animate-fade"
        />
        <Avatar
          name={one.creator.name}
          handle={one.creator.handle}
          src={one.creator.avatar_url}
          className="size-28 text-3xl shadow-[0_0_60px_10px_rgb(247_178_74/0.4)]"
        />
      </div>
      <h1 className="display mt-8 text-4xl">You are in</h1>
      <p className="mt-3 text-lg text-muted">
        {one.tier.name} of {one.creator.name} is yours
        {one.period_end ? ` until ${date(one.period_end)}, when it renews` : ""}.
      </p>
      <p className="tabular mt-1 text-sm text-muted">
        {money(one.price, one.currency)} a month. Cancel whenever you like.
      </p>
      <div className="mt-8 flex flex-wrap justify-center gap-3">
        <ButtonLink to={`/@${one.creator.handle}`} look="lamp" size="large">
          Go behind the door
        </ButtonLink>
        <ButtonLink to="/subscriptions" size="large">
          Your subscriptions
        </ButtonLink>
      </div>
    </Frame>
  );
}

function Refused({ one }: { one: Subscription }) {
  const checkout = useCheckout();
  return (
    <Frame>
      <CircleX className="size-16 text-danger" strokeWidth={1.4} aria-hidden />
      <div role="alert">
        <h1 className="display mt-6 text-4xl">
          {one.decline ? "The payment did not go through" : "You left before paying"}
        </h1>
        <p className="mt-4 text-lg">{one.decline ?? "The payment was not finished."}</p>
        <p className="mt-2 text-muted">
          Nothing was charged, and {one.tier.name} is not open to you yet.
        </p>
      </div>
      {checkout.error && (
        <div className="mt-6 w-full text-left">
          <FormError title={checkout.error.title}>{advice(checkout.error)}</FormError>
        </div>
      )}
      <div className="mt-8 flex flex-wrap justify-center gap-3">
        <Button
          look="lamp"
          size="large"
          busy={checkout.busy}
          onClick={() => void checkout.start(one.tier.id)}
        >
          {one.decline ? "Try another card" : "Back to the payment"}
        </Button>
        <ButtonLink to={`/@${one.creator.handle}`} size="large">
          Back to {one.creator.name}
        </ButtonLink>
      </div>
    </Frame>
  );
}

function Waiting({
  one,
  late,
  again,
}: {
  one: Subscription | undefined;
  late: boolean;
  again: () => void;
}) {
  return (
    <Frame>
      {late ? (
        <Clock className="size-16 text-glow" strokeWidth={1.4} aria-hidden />
      ) : (
        <Door className="h-56" />
      )}
      <div role="status">
        <h1 className="display mt-8 text-4xl">
          {late ? "Still no word of the payment" : "One moment at the door"}
        </h1>
        <p className="mt-3 text-muted">
          {late
            ? "If you paid, this can take a few minutes more, and you need not wait here: your subscription opens by itself. If you did not finish paying, go on where you were."
            : "We are waiting for the payment to be confirmed. This takes a few seconds."}
        </p>
      </div>
      {late && (
        <div className="mt-8 flex flex-wrap justify-center gap-3">
          {one?.checkout_url && (
            <Button
              look="lamp"
              size="large"
              onClick={() => location.assign(one.checkout_url ?? "/subscriptions")}
            >
              Back to the payment
            </Button>
          )}
          <Button size="large" onClick={again}>
            Look again
          </Button>
          <ButtonLink to="/subscriptions" size="large" look="quiet">
            Your subscriptions
          </ButtonLink>
        </div>
      )}
    </Frame>
  );
}

export default function CheckoutReturn() {
  const [search] = useSearchParams();
  const id = search.get("subscription") ?? "";
  const [from, setFrom] = useState(() => Date.now());
  const [late, setLate] = useState(false);
  const found = useGet(
    "GET /v1/subscriptions/{subscription}",
    { params: { subscription: id } },
    {
      enabled: id !== "",
      /* Also for one who turned back, or was declined: the word of what came next may still be on its way. */
      poll: (one) => (!one || one.state === "incomplete" ? (late ? 10_000 : 2000) : false),
    },
  );
  const one = found.data;
  useTitle(one && isLive(one) ? "You are in" : "Payment");
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), Math.max(0, from + patience - Date.now()));
    return () => clearTimeout(timer);
  }, [from]);

  if (id === "" || (found.error instanceof ApiError && found.error.status === 404))
    return (
      <NotFound
        what="No such payment"
        why="The link is not whole, or it belongs to another account. Your own subscriptions are listed under Subscriptions."
      />
    );
  if (!one && found.isError)
    return <Failed error={found.error} retry={() => void found.refetch()} what="the payment" />;
  if (one && isLive(one)) return <Welcome one={one} />;
  /* Who did not turn back has paid, as the payment page saw it: a decline is of an earlier try, unless nothing else comes. */
  if (one && (one.state !== "incomplete" || search.has("canceled") || (late && one.decline)))
    return <Refused one={one} />;
  return (
    <Waiting
      one={one}
      late={late}
      again={() => {
        setLate(false);
        setFrom(Date.now());
        void found.refetch();
      }}
    />
  );
}
