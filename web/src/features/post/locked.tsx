/* locked.tsx -- what stands in for a post that its viewer may not see.
 *
 * The picture under the lock is the teaser: a few dozen pixels made by the server, enlarged. Nothing else was sent. */
/* SPDX-License-Identifier: Apache-2.0 */
import { LockKeyhole } from "lucide-react";
import type { Post } from "@/api/schema";
import { FollowButton } from "@/features/creator/follow";
import { cheapest } from "@/features/creator/tier";
import { hueStyle } from "@/ui/avatar";
import { ButtonLink } from "@/ui/button";
import { money, plural } from "@/ui/format";

function words(post: Post): { title: string; text: string } {
  const photos = post.media.length > 0 ? plural(post.media.length, "photo") : "This post";
  if (post.access === "followers")
    return {
      title: "For followers",
      text: `${photos} for those who follow ${post.creator.name}. Following is free.`,
    };
  const names = post.tiers.map((tier) => tier.name);
  const list = new Intl.ListFormat("en", { type: "disjunction" }).format(names);
  return {
    title: "For subscribers",
    text: names.length > 0 ? `${photos} in ${list}.` : `${photos} for subscribers.`,
  };
}

export function Locked({ post }: { post: Post }) {
  const teaser = post.media[0]?.teaser_url;
  const { title, text } = words(post);
  const tier = cheapest(post.tiers);
  return (
    <div className="night relative isolate flex min-h-84 flex-col items-center justify-end overflow-hidden bg-[#191411] px-6 pb-8 pt-14 text-center sm:min-h-100">
      {teaser ? (
        <img
          src={teaser}
          alt=""
          className="absolute inset-0 -z-20 size-full scale-110 object-cover blur-md saturate-125"
        />
      ) : (
        <div
          aria-hidden
          style={hueStyle(post.creator.handle)}
          className="curtain absolute inset-0 -z-20"
        />
      )}
      <div
        aria-hidden
        className="absolute inset-0 -z-10 bg-linear-to-t from-[#0d0a08] via-[#0d0a08]/72 via-45% to-[#0d0a08]/5"
      />
      <span className="mb-4 flex size-14 items-center justify-center rounded-full bg-lamp text-onlamp shadow-[0_0_44px_6px_rgb(247_178_74/0.5)]">
        <LockKeyhole className="size-6" aria-hidden />
      </span>
      <p className="display text-2xl">{title}</p>
      <p className="mt-1.5 max-w-sm text-sm text-[#d9cdbf]">{text}</p>
      <div className="mt-5">
        {post.access === "followers" ? (
          <FollowButton handle={post.creator.handle} following={false} look="lamp" />
        ) : (
          <ButtonLink to={`/@${post.creator.handle}?subscribe=${tier?.id ?? ""}`} look="lamp">
            {tier
              ? `Subscribe · ${money(tier.price, tier.currency, true)} a month`
              : "See how to subscribe"}
          </ButtonLink>
        )}
      </div>
    </div>
  );
}
