/* subscriptions.tsx -- what one pays for, and the way out of it. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Receipt, Ticket } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "@/api/client";
import { useAct, usePages } from "@/api/query";
import type { Payment, Subscription } from "@/api/schema";
import { Avatar } from "@/ui/avatar";
import { Button, ButtonLink } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { date, money } from "@/ui/format";
import { Badge, Card, PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";
import { toast } from "@/ui/toast";
import { isLive } from "./current";

const forgets = ["/v1/subscriptions", "/v1/creators", "/v1/posts", "/v1/feed"];

export function useResume() {
  return useAct(
    (one: Subscription) =>
      api("POST /v1/subscriptions/{subscription}/resume", { params: { subscription: one.id } }),
    {
      forgets,
      done: (one) => toast.done(`Your subscription to ${one.creator.name} goes on`),
      failed: (error) => toast.failed("It could not be resumed", error),
    },
  );
}

function Line({ one }: { one: Subscription }) {
  if (one.state === "incomplete") return <>Not paid yet</>;
  if (one.state === "past_due")
    return <>The last payment failed. You keep access while we try again.</>;
  if (!isLive(one)) return <>{one.period_end ? `Ended ${date(one.period_end)}` : "Ended"}</>;
  if (one.cancel_at_period_end)
    return (
      <>Access until {one.period_end ? date(one.period_end) : "the period's end"}, then it ends</>
    );
  return <>Renews {one.period_end ? date(one.period_end) : "monthly"}</>;
}

function State({ one }: { one: Subscription }) {
  if (one.state === "active")
    return one.cancel_at_period_end ? (
      <Badge tone="lamp">Ending</Badge>
    ) : (
      <Badge tone="good">Active</Badge>
    );
  if (one.state === "past_due") return <Badge tone="danger">Payment failed</Badge>;
  if (one.state === "incomplete")
    return one.decline ? <Badge tone="danger">Declined</Badge> : <Badge>Unpaid</Badge>;
  return <Badge>Ended</Badge>;
}

function Row({ one, onCancel }: { one: Subscription; onCancel: () => void }) {
  const resume = useResume();
  const owed = one.state === "incomplete" || one.state === "past_due";
  return (
    <li className="rounded-card border border-line bg-surface p-4 shadow-card sm:p-5">
      <div className="flex items-start gap-4">
        <Avatar
          name={one.creator.name}
          handle={one.creator.handle}
          src={one.creator.avatar_url}
          className="size-13 text-base"
        />
        <div className="min-w-0 grow">
          <div className="flex items-start justify-between gap-3">
            <h2 className="font-semibold leading-snug">
              <Link to={`/@${one.creator.handle}`} className="rounded hover:underline">
                {one.creator.name}
              </Link>
            </h2>
            <State one={one} />
          </div>
          <p className="mt-0.5 text-[0.9375rem]">
            {one.tier.name} ·{" "}
            <span className="tabular">{money(one.price, one.currency)} a month</span>
          </p>
          <p className="mt-0.5 text-sm text-muted">
            <Line one={one} />
          </p>
          {owed && one.decline && <p className="mt-2 text-sm text-danger">{one.decline}</p>}
          <div className="mt-3.5 flex flex-wrap gap-2">
            {isLive(one) &&
              (one.cancel_at_period_end ? (
                <Button
                  size="small"
                  look="lamp"
                  busy={resume.isPending}
                  onClick={() => resume.mutate(one)}
                >
                  Keep it after all
                </Button>
              ) : (
                <Button
                  size="small"
                  onClick={onCancel}
                  aria-label={`Cancel subscription to ${one.creator.name}`}
                >
                  Cancel subscription
                </Button>
              ))}
            {owed &&
              (one.checkout_url ? (
                <Button
                  size="small"
                  look="lamp"
                  onClick={() => location.assign(one.checkout_url ?? "")}
                >
                  Pay now
                </Button>
              ) : (
                one.state === "incomplete" && (
                  <ButtonLink
                    size="small"
                    look="lamp"
                    to={`/@${one.creator.handle}?subscribe=${one.tier.id}`}
                  >
                    Pay now
                  </ButtonLink>
                )
              ))}
            {(one.state === "expired" || one.state === "canceled") && (
              <ButtonLink size="small" to={`/@${one.creator.handle}?subscribe=${one.tier.id}`}>
                Subscribe again
              </ButtonLink>
            )}
          </div>
        </div>
      </div>
    </li>
  );
}

function PaymentRow({ payment }: { payment: Payment }) {
  const failed = payment.state === "declined" || payment.state === "expired";
  const open = !failed && payment.state !== "succeeded";
  return (
    <li className="flex items-center gap-4 px-5 py-3.5">
      <div className="min-w-0 grow">
        <p className="truncate text-[0.9375rem]">{payment.description || payment.kind}</p>
        <p className="text-sm text-muted">
          {date(payment.created)}
          {open && " · not paid yet"}
          {payment.state === "expired" && " · not finished"}
        </p>
        {payment.decline && <p className="text-sm text-danger">{payment.decline}</p>}
      </div>
      <span className={`tabular font-medium ${failed ? "text-muted line-through" : ""}`}>
        {money(payment.amount, payment.currency)}
      </span>
      {failed && <span className="sr-only">, not charged</span>}
    </li>
  );
}

function Payments() {
  const payments = usePages("GET /v1/payments", undefined);
  if (payments.isError && !payments.items)
    return (
      <Failed error={payments.error} retry={() => void payments.refetch()} what="your payments" />
    );
  if (!payments.items)
    return (
      <Loading>
        <Skeleton className="h-40" />
      </Loading>
    );
  if (payments.items.length === 0)
    return (
      <p className="flex items-center gap-3 rounded-card border border-dashed border-edge/50 px-5 py-6 text-muted">
        <Receipt className="size-5" aria-hidden /> Nothing paid yet.
      </p>
    );
  return (
    <>
      <Card as="div">
        <ul className="divide-y divide-line">
          {payments.items.map((payment) => (
            <PaymentRow key={payment.id} payment={payment} />
          ))}
        </ul>
      </Card>
      <More
        has={payments.hasNextPage}
        busy={payments.isFetchingNextPage}
        failed={payments.isFetchNextPageError}
        load={() => void payments.fetchNextPage()}
      />
    </>
  );
}

export default function Subscriptions() {
  useTitle("Subscriptions");
  const found = usePages("GET /v1/subscriptions", undefined);
  const [doomed, setDoomed] = useState<Subscription | null>(null);
  const resume = useResume();
  const cancel = useAct(
    (one: Subscription) =>
      api("POST /v1/subscriptions/{subscription}/cancel", { params: { subscription: one.id } }),
    {
      forgets,
      done: (one) =>
        toast.done(
          one.period_end ? `Canceled. You have access until ${date(one.period_end)}.` : "Canceled",
          { label: "Undo", run: () => resume.mutate(one) },
        ),
    },
  );
  return (
    <div className="mx-auto max-w-2xl">
      <PageHead title="Subscriptions">The creators you support, and what you have paid.</PageHead>
      {found.isPending ? (
        <Loading className="grid gap-4">
          <Skeleton className="h-36" />
          <Skeleton className="h-36" />
        </Loading>
      ) : found.isError && !found.items ? (
        <Failed error={found.error} retry={() => void found.refetch()} what="your subscriptions" />
      ) : found.items?.length === 0 ? (
        <Empty
          icon={Ticket}
          title="No tickets yet"
          action={
            <ButtonLink to="/explore" look="lamp">
              Explore creators
            </ButtonLink>
          }
        >
          Subscribe to a creator to see what they keep for those who support them.
        </Empty>
      ) : (
        <ul className="grid gap-4">
          {found.items?.map((one) => (
            <Row key={one.id} one={one} onCancel={() => setDoomed(one)} />
          ))}
        </ul>
      )}
      <More
        has={found.hasNextPage}
        busy={found.isFetchingNextPage}
        failed={found.isFetchNextPageError}
        load={() => void found.fetchNextPage()}
      />
      <section className="mt-12" aria-labelledby="payments">
        <h2 id="payments" className="display mb-4 text-2xl">
          Payments
        </h2>
        <Payments />
      </section>
      <Confirm
        open={doomed !== null}
        onOpen={(open) => !open && setDoomed(null)}
        title={`Stop supporting ${doomed?.creator.name ?? ""}?`}
        act="Cancel subscription"
        keep="Keep it"
        onConfirm={async () => {
          if (doomed) await cancel.mutateAsync(doomed);
        }}
      >
        {doomed?.period_end ? (
          <p>
            You have paid until{" "}
            <strong className="font-semibold text-text">{date(doomed.period_end)}</strong>, and you
            keep access to {doomed.tier.name} until then. After that it ends and nothing more is
            charged.
          </p>
        ) : (
          <p>
            You keep access until the period you paid for ends. After that nothing more is charged.
          </p>
        )}
        <p>Until that day you can take it back with one press.</p>
      </Confirm>
    </div>
  );
}
