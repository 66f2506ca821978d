/* creator-tile.tsx -- a creator among others: banner, picture, name, what the cheapest tier costs. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Link } from "react-router";
import type { Creator } from "@/api/schema";
import { Avatar } from "@/ui/avatar";
import { money, plural } from "@/ui/format";
import { Skeleton } from "@/ui/state";
import { Banner } from "./banner";
import { cheapest } from "./tier";

export function CreatorTile({
  creator,
  level: Heading = "h2",
}: {
  creator: Creator;
  level?: "h2" | "h3";
}) {
  const tier = cheapest(creator.tiers);
  return (
    <li className="group relative flex flex-col overflow-hidden rounded-card border border-line bg-surface shadow-card transition-[translate,border-color] duration-200 hover:-translate-y-0.5 hover:border-edge/60">
      <Banner creator={creator} className="h-32" />
      <div className="flex grow flex-col px-5 pb-5">
        <Avatar
          name={creator.name}
          handle={creator.handle}
          src={creator.avatar_url}
          className="relative -mt-9 size-17 border-4 border-surface text-xl"
        />
        <Heading className="mt-2.5 text-lg font-semibold leading-snug">
          <Link
            to={`/@${creator.handle}`}
            className="outline-none after:absolute after:inset-0 after:rounded-card focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-glow"
          >
            {creator.name}
          </Link>
        </Heading>
        <p className="text-sm text-muted">@{creator.handle}</p>
        {creator.bio && (
          <p className="mt-2.5 line-clamp-2 text-[0.9375rem] leading-relaxed text-muted">
            {creator.bio}
          </p>
        )}
        <p className="mt-auto flex items-center justify-between gap-3 pt-4 text-sm">
          <span className="text-muted">
            {plural(creator.posts, "post")} · {plural(creator.followers, "follower")}
          </span>
          {tier && (
            <span className="tabular font-semibold text-glow">
              from {money(tier.price, tier.currency, true)}
            </span>
          )}
        </p>
      </div>
    </li>
  );
}

export function CreatorTileSkeleton() {
  return (
    <li className="overflow-hidden rounded-card border border-line bg-surface" aria-hidden>
      <Skeleton className="h-32 rounded-none" />
      <div className="px-5 pb-5">
        <Skeleton className="relative -mt-9 size-17 rounded-full border-4 border-surface" />
        <Skeleton className="mt-4 h-5 w-2/5" />
        <Skeleton className="mt-3 h-4 w-4/5" />
        <Skeleton className="mt-2 h-4 w-3/5" />
      </div>
    </li>
  );
}
