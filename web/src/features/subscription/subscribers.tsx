/* subscribers.tsx -- who pays the creator, for what, until when. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Users } from "lucide-react";
import { usePages } from "@/api/query";
import type { StudioSubscriber } from "@/api/schema";
import { Avatar } from "@/ui/avatar";
import { ButtonLink } from "@/ui/button";
import { date, money } from "@/ui/format";
import { Badge, Card, PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";

function State({ one }: { one: StudioSubscriber }) {
  if (one.state === "active")
    return one.cancel_at_period_end ? (
      <Badge tone="lamp">Ends {date(one.period_end)}</Badge>
    ) : (
      <Badge tone="good">Active</Badge>
    );
  if (one.state === "past_due") return <Badge tone="danger">Payment failed</Badge>;
  return <Badge>{one.state === "incomplete" ? "Unpaid" : "Ended"}</Badge>;
}

export default function Subscribers() {
  useTitle("Subscribers");
  const found = usePages("GET /v1/studio/subscribers", undefined);
  return (
    <>
      <PageHead title="Subscribers" />
      {found.isPending ? (
        <Loading className="grid gap-3">
          <Skeleton className="h-18" />
          <Skeleton className="h-18" />
          <Skeleton className="h-18" />
        </Loading>
      ) : found.isError && !found.items ? (
        <Failed error={found.error} retry={() => void found.refetch()} what="your subscribers" />
      ) : found.items?.length === 0 ? (
        <Empty
          icon={Users}
          title="Nobody yet"
          action={
            <ButtonLink to="/studio/compose" look="lamp">
              Write a post
            </ButtonLink>
          }
        >
          The first one comes sooner when there is something behind the door. Publish a post for
          subscribers, then share its link.
        </Empty>
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {found.items?.map((one) => (
              <li
                key={one.id}
                className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-4 sm:px-5"
              >
                <Avatar name={one.fan.name} handle={one.fan.id} className="size-11 text-sm" />
                <div className="min-w-0 grow basis-36">
                  <h2 className="truncate font-medium">{one.fan.name}</h2>
                  <p className="text-sm text-muted">
                    {one.tier.name} ·{" "}
                    <span className="tabular">{money(one.price, one.currency)}</span>
                    <span className="max-sm:hidden"> · since {date(one.since)}</span>
                  </p>
                </div>
                <State one={one} />
              </li>
            ))}
          </ul>
        </Card>
      )}
      <More
        has={found.hasNextPage}
        busy={found.isFetchingNextPage}
        failed={found.isFetchNextPageError}
        load={() => void found.fetchNextPage()}
      />
    </>
  );
}
