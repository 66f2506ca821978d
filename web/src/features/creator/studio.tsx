/* studio.tsx -- the studio at a glance: what came in, and what still makes a page complete. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ArrowRight, CircleCheck, CircleDashed, ExternalLink } from "lucide-react";
import { Link } from "react-router";
import { useGet } from "@/api/query";
import type { Creator } from "@/api/schema";
import { ButtonLink } from "@/ui/button";
import { count, money } from "@/ui/format";
import { Card, PageHead, useTitle } from "@/ui/page";
import { Failed, Loading, Skeleton } from "@/ui/state";

const steps = (creator: Creator) => [
  { done: Boolean(creator.avatar_url), to: "/studio/profile", label: "Add a picture of you" },
  { done: Boolean(creator.banner_url), to: "/studio/profile", label: "Add a banner" },
  { done: creator.bio !== "", to: "/studio/profile", label: "Say in a line or two what you do" },
  { done: creator.tiers.some((tier) => !tier.archived), to: "/studio/tiers", label: "Make a tier with a price" },
  { done: creator.posts > 0, to: "/studio/compose", label: "Publish your first post" },
];

function Steps({ creator }: { creator: Creator }) {
  const all = steps(creator);
  const done = all.filter((step) => step.done).length;
  if (done === all.length) return null;
  return (
    <Card className="p-5 sm:p-7" aria-labelledby="steps">
      <div className="mb-4 flex items-baseline justify-between">
        <h2 id="steps" className="text-lg font-semibold">
          Open your door
        </h2>
        <span className="tabular text-sm text-muted">
          {done} of {all.length}
        </span>
      </div>
      <ul className="grid gap-1">
        {all.map(({ done: ticked, to, label }) => (
          <li key={label}>
            {ticked ? (
              <span className="flex items-center gap-3 px-2 py-2 text-muted">
                <CircleCheck className="size-5 text-good" aria-hidden />
                <span className="line-through decoration-muted/60">{label}</span>
                <span className="sr-only">done</span>
              </span>
            ) : (
              <Link to={to} className="group flex items-center gap-3 rounded-lg px-2 py-2 font-medium hover:bg-raised">
                <CircleDashed className="size-5 text-glow" aria-hidden />
                {label}
                <ArrowRight className="ml-auto size-4 text-muted transition-transform group-hover:translate-x-0.5" aria-hidden />
              </Link>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Figure({ label, value, to }: { label: string; value: string; to?: string }) {
  const body = (
    <>
      <span className="block text-sm text-muted">{label}</span>
      <span className="display tabular mt-1.5 block text-[1.75rem] sm:text-3xl">{value}</span>
    </>
  );
  const frame = "block rounded-card border border-line bg-surface p-5 shadow-card";
  return to ? (
    <Link to={to} className={`${frame} hover:border-edge/60`}>
      {body}
    </Link>
  ) : (
    <div className={frame}>{body}</div>
  );
}

export default function Studio() {
  useTitle("Studio");
  const creator = useGet("GET /v1/creators/me", undefined);
  const earnings = useGet("GET /v1/studio/earnings", undefined);
  const balance = earnings.data?.balances[0];
  const currency = balance?.currency ?? creator.data?.tiers[0]?.currency ?? "EUR";
  if (creator.isError && !creator.data) return <Failed error={creator.error} retry={() => void creator.refetch()} what="your studio" />;
  if (!creator.data)
    return (
      <Loading className="grid gap-4">
        <Skeleton className="h-10 w-1/2" />
        <Skeleton className="h-28" />
        <Skeleton className="h-56" />
      </Loading>
    );
  return (
    <>
      <PageHead
        title={`Good to see you, ${creator.data.name.split(" ")[0]}`}
        action={
          <ButtonLink to={`/@${creator.data.handle}`}>
            <ExternalLink aria-hidden /> Your page
          </ButtonLink>
        }
      />
      <div className="grid gap-5">
        <div className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
          <Figure label="Net earnings" value={earnings.isPending ? "…" : money(balance?.net ?? 0, currency)} to="/studio/earnings" />
          <Figure label="Available" value={earnings.isPending ? "…" : money(balance?.available ?? 0, currency)} to="/studio/earnings" />
          <Figure label="Followers" value={count(creator.data.followers)} to="/studio/subscribers" />
          <Figure label="Posts" value={count(creator.data.posts)} to="/studio/posts" />
        </div>
        <Steps creator={creator.data} />
      </div>
    </>
  );
}
