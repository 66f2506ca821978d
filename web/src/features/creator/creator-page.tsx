/* creator-page.tsx -- a creator's own page: who, which tiers, which posts. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Brush, Images, PenLine, Ticket } from "lucide-react";
import { useParams, useSearchParams } from "react-router";
import { ApiError } from "@/api/client";
import { useGet, usePages } from "@/api/query";
import type { Creator, Tier } from "@/api/schema";
import { useMe } from "@/features/account/me";
import { NotFound } from "@/features/home/not-found";
import { PostCard, PostSkeleton } from "@/features/post/post-card";
import { useSubscriptionTo } from "@/features/subscription/current";
import { SubscribeDialog } from "@/features/subscription/subscribe";
import { Avatar } from "@/ui/avatar";
import { Button, ButtonLink } from "@/ui/button";
import { date, money, plural } from "@/ui/format";
import { Badge, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";
import { Banner } from "./banner";
import { FollowButton } from "./follow";
import { cheapest, TierTicket } from "./tier";

function Tiers({ creator, choose }: { creator: Creator; choose: (tier: Tier) => void }) {
  const held = useSubscriptionTo(creator.id);
  const tiers = creator.tiers.filter((tier) => !tier.archived);
  if (tiers.length === 0)
    return creator.own ? (
      <div className="rounded-xl border border-dashed border-edge/60 p-5 text-sm text-muted">
        <p>No tiers yet. A tier is what people pay for every month.</p>
        <ButtonLink to="/studio/tiers" size="small" className="mt-3">
          Make a tier
        </ButtonLink>
      </div>
    ) : null;
  return (
    <section aria-labelledby="tiers">
      <h2 id="tiers" className="mb-4 text-lg font-semibold">
        {creator.own ? "Your tiers" : "Support"}
      </h2>
      <ul className="grid gap-3">
        {tiers.map((tier) => {
          const mine = held?.tier.id === tier.id;
          return (
            <li key={tier.id}>
              <TierTicket tier={tier} lit={mine}>
                {mine ? (
                  <Badge tone="lamp">
                    <Ticket aria-hidden />
                    {held.cancel_at_period_end && held.period_end
                      ? `Yours until ${date(held.period_end)}`
                      : "Yours"}
                  </Badge>
                ) : creator.own || held ? null : (
                  <Button
                    size="small"
                    look="lamp"
                    onClick={() => choose(tier)}
                    aria-label={`Subscribe to ${tier.name}`}
                  >
                    Subscribe
                  </Button>
                )}
              </TierTicket>
            </li>
          );
        })}
      </ul>
      {held && tiers.length > 1 && (
        <p className="mt-3 text-sm text-muted">
          To change the tier, cancel this one and join again when it has ended.
        </p>
      )}
    </section>
  );
}

function Posts({ creator }: { creator: Creator }) {
  const posts = usePages("GET /v1/creators/{handle}/posts", { params: { handle: creator.handle } });
  return (
    <section aria-labelledby="posts" className="min-w-0">
      <h2 id="posts" className="mb-4 text-lg font-semibold">
        Posts
      </h2>
      {posts.isPending ? (
        <Loading className="grid gap-5">
          <PostSkeleton />
          <PostSkeleton />
        </Loading>
      ) : posts.isError && !posts.items ? (
        <Failed error={posts.error} retry={() => void posts.refetch()} what="the posts" />
      ) : posts.items?.length === 0 ? (
        <Empty
          icon={Images}
          title="Nothing here yet"
          action={
            creator.own ? (
              <ButtonLink to="/studio/compose" look="lamp">
                <PenLine aria-hidden /> Write the first post
              </ButtonLink>
            ) : undefined
          }
        >
          {creator.own
            ? "Your first post is what people will see when they come by."
            : `Follow ${creator.name} to be there when the first post appears.`}
        </Empty>
      ) : (
        <div className="grid grid-cols-1 gap-5">
          {posts.items?.map((post) => (
            <PostCard key={post.id} post={post} level="h3" />
          ))}
        </div>
      )}
      <More
        has={posts.hasNextPage}
        busy={posts.isFetchingNextPage}
        failed={posts.isFetchNextPageError}
        load={() => void posts.fetchNextPage()}
      />
    </section>
  );
}

function Page({ creator }: { creator: Creator }) {
  const [search, setSearch] = useSearchParams();
  const me = useMe();
  const held = useSubscriptionTo(creator.id);
  const wanted = search.get("subscribe");
  const tier =
    wanted === null
      ? undefined
      : (creator.tiers.find((one) => one.id === wanted) ?? cheapest(creator.tiers));
  const choose = (chosen: Tier | null) =>
    setSearch(
      (now) => {
        if (chosen) now.set("subscribe", chosen.id);
        else now.delete("subscribe");
        return now;
      },
      { replace: true, preventScrollReset: true },
    );
  const least = cheapest(creator.tiers);
  return (
    <div className="mx-auto max-w-5xl">
      <div className="relative -mx-4 -mt-6 sm:mx-0 sm:mt-0">
        <Banner creator={creator} className="h-40 sm:h-60 sm:rounded-3xl" />
      </div>
      <div className="relative sm:px-6">
        <div className="flex items-end justify-between gap-4">
          <Avatar
            name={creator.name}
            handle={creator.handle}
            src={creator.avatar_url}
            className="-mt-13 size-26 border-4 border-bg text-3xl sm:-mt-16 sm:size-32"
          />
          <div className="flex flex-wrap justify-end gap-2 pb-1">
            {creator.own ? (
              <ButtonLink to="/studio/profile">
                <Brush aria-hidden /> Edit page
              </ButtonLink>
            ) : (
              <>
                <FollowButton handle={creator.handle} following={creator.following} />
                {least && !held && (
                  <Button look="lamp" onClick={() => choose(least)} className="max-sm:hidden">
                    Subscribe from {money(least.price, least.currency, true)}
                  </Button>
                )}
              </>
            )}
          </div>
        </div>
        <h1 className="display mt-4 text-[2.1rem] sm:text-[2.6rem]">{creator.name}</h1>
        <p className="mt-1 text-muted">@{creator.handle}</p>
        {creator.bio && (
          <p className="mt-4 max-w-2xl whitespace-pre-line text-[1.0625rem] leading-relaxed">
            {creator.bio}
          </p>
        )}
        <p className="tabular mt-4 flex flex-wrap gap-x-5 gap-y-1 text-sm text-muted">
          <span>{plural(creator.posts, "post")}</span>
          <span>{plural(creator.followers, "follower")}</span>
          <span>Here since {date(creator.created)}</span>
        </p>
        {least && !creator.own && !held && (
          <Button
            look="lamp"
            size="large"
            onClick={() => choose(least)}
            className="mt-6 w-full sm:hidden"
          >
            Subscribe from {money(least.price, least.currency, true)} a month
          </Button>
        )}
      </div>
      <div className="mt-10 grid grid-cols-1 items-start gap-10 lg:grid-cols-[minmax(0,1fr)_20rem] sm:px-6">
        <div className="lg:sticky lg:top-8 lg:order-2">
          <Tiers creator={creator} choose={choose} />
        </div>
        <Posts creator={creator} />
      </div>
      {me !== undefined && (
        <SubscribeDialog
          creator={creator}
          tiers={creator.tiers.filter((one) => !one.archived)}
          tier={tier ?? null}
          held={held}
          onChoose={choose}
        />
      )}
    </div>
  );
}

function PageSkeleton() {
  return (
    <Loading className="mx-auto max-w-5xl">
      <Skeleton className="-mx-4 -mt-6 h-40 rounded-none sm:mx-0 sm:mt-0 sm:h-60 sm:rounded-3xl" />
      <Skeleton className="-mt-13 size-26 rounded-full border-4 border-bg sm:ml-6 sm:-mt-16 sm:size-32" />
      <Skeleton className="mt-5 h-9 w-56 sm:ml-6" />
      <Skeleton className="mt-4 h-16 max-w-xl sm:ml-6" />
      <div className="mt-10 grid gap-5 sm:px-6">
        <PostSkeleton />
      </div>
    </Loading>
  );
}

export default function CreatorPage() {
  const at = useParams().at ?? "";
  const handle = at.startsWith("@") ? at.slice(1) : "";
  const creator = useGet(
    "GET /v1/creators/{handle}",
    { params: { handle } },
    { enabled: handle !== "" },
  );
  useTitle(creator.data ? `${creator.data.name} (@${creator.data.handle})` : undefined);
  if (handle === "") return <NotFound />;
  if (creator.data) return <Page key={creator.data.id} creator={creator.data} />;
  if (creator.error instanceof ApiError && creator.error.status === 404)
    return (
      <NotFound
        what="Nobody by that name"
        why={`There is no @${handle} in this house. Check the spelling, or look around.`}
      />
    );
  if (creator.isError)
    return <Failed error={creator.error} retry={() => void creator.refetch()} what="this page" />;
  return <PageSkeleton />;
}
