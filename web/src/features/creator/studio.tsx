/* studio.tsx -- the studio at a glance: what came in, and what still makes a page complete. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ArrowRight, CircleCheck, CircleDashed, ExternalLink, FileText } from "lucide-react";
import { useId, type ReactNode } from "react";
import { Link } from "react-router";
import { useGet, usePages } from "@/api/query";
import type { Creator } from "@/api/schema";
import { Avatar } from "@/ui/avatar";
import { ButtonLink } from "@/ui/button";
import { count, money, plural } from "@/ui/format";
import { Card, PageHead, useTitle } from "@/ui/page";
import { Failed, Loading, Skeleton } from "@/ui/state";
import { Time } from "@/ui/time";

const steps = (creator: Creator) => [
  { done: Boolean(creator.avatar_url), to: "/studio/profile", label: "Add a picture of you" },
  { done: Boolean(creator.banner_url), to: "/studio/profile", label: "Add a banner" },
  { done: creator.bio !== "", to: "/studio/profile", label: "Say in a line or two what you do" },
  {
    done: creator.tiers.some((tier) => !tier.archived),
    to: "/studio/tiers",
    label: "Make a tier with a price",
  },
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
              <Link
                to={to}
                className="group flex items-center gap-3 rounded-lg px-2 py-2 font-medium hover:bg-raised"
              >
                <CircleDashed className="size-5 text-glow" aria-hidden />
                {label}
                <ArrowRight
                  className="ml-auto size-4 text-muted transition-transform group-hover:translate-x-0.5"
                  aria-hidden
                />
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
      <span className="sum mt-1.5 block text-[1.375rem] sm:text-2xl">{value}</span>
    </>
  );
  const frame = "block rounded-card border border-line bg-surface p-4 shadow-card sm:p-5";
  return to ? (
    <Link to={to} className={`${frame} hover:border-edge/60`}>
      {body}
    </Link>
  ) : (
    <div className={frame}>{body}</div>
  );
}

function Latest({ title, all, children }: { title: string; all: string; children: ReactNode }) {
  const id = useId();
  return (
    <Card className="flex flex-col" aria-labelledby={id}>
      <div className="flex items-baseline justify-between px-5 pb-2 pt-5">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        <Link
          to={all}
          className="rounded py-0.5 text-sm font-medium text-glow underline-offset-4 hover:underline"
          aria-label={`All ${title.toLowerCase()}`}
        >
          All
        </Link>
      </div>
      {children}
    </Card>
  );
}

const quiet = "px-5 pb-6 pt-1 text-sm text-muted";

function LatestPosts() {
  const posts = usePages("GET /v1/studio/posts", { query: { state: "published" } });
  return (
    <Latest title="Latest posts" all="/studio/posts">
      {posts.isError && !posts.items ? (
        <p className={quiet}>They could not be loaded just now.</p>
      ) : posts.items?.length === 0 ? (
        <p className={quiet}>Nothing published yet.</p>
      ) : (
        <ul className="pb-3">
          {posts.items?.slice(0, 4).map((post) => (
            <li key={post.id}>
              <Link
                to={`/p/${post.id}`}
                className="flex items-center gap-3.5 px-5 py-2.5 -outline-offset-2 hover:bg-raised"
              >
                <span className="flex size-12 shrink-0 items-center justify-center overflow-hidden rounded-lg bg-raised text-faint">
                  {post.media[0] ? (
                    <img
                      src={post.media[0].thumb_url ?? post.media[0].teaser_url}
                      alt=""
                      className="size-full object-cover"
                    />
                  ) : (
                    <FileText className="size-5" aria-hidden />
                  )}
                </span>
                <span className="min-w-0">
                  <span className="block truncate text-[0.9375rem]">
                    {post.text || plural(post.media.length, "photo")}
                  </span>
                  <Time when={post.published ?? post.created} className="text-sm text-muted" />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Latest>
  );
}

function LatestSubscribers() {
  const found = usePages("GET /v1/studio/subscribers", undefined);
  return (
    <Latest title="Newest subscribers" all="/studio/subscribers">
      {found.isError && !found.items ? (
        <p className={quiet}>They could not be loaded just now.</p>
      ) : found.items?.length === 0 ? (
        <p className={quiet}>Nobody yet. Share the link of your page.</p>
      ) : (
        <ul className="pb-3">
          {found.items?.slice(0, 4).map((one) => (
            <li key={one.id} className="flex items-center gap-3.5 px-5 py-2.5">
              <Avatar name={one.fan.name} handle={one.fan.id} className="size-12 text-sm" />
              <span className="min-w-0">
                <span className="block truncate text-[0.9375rem]">{one.fan.name}</span>
                <span className="block truncate text-sm text-muted">
                  {one.tier.name} · <Time when={one.since} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Latest>
  );
}

export default function Studio() {
  useTitle("Studio");
  const creator = useGet("GET /v1/creators/me", undefined);
  const earnings = useGet("GET /v1/studio/earnings", undefined);
  const balance = earnings.data?.balances[0];
  const currency = balance?.currency ?? creator.data?.tiers[0]?.currency ?? "EUR";
  if (creator.isError && !creator.data)
    return <Failed error={creator.error} retry={() => void creator.refetch()} what="your studio" />;
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
      <div className="grid grid-cols-1 gap-5">
        <div className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
          <Figure
            label="Net earnings"
            value={earnings.isPending ? "…" : money(balance?.net ?? 0, currency)}
            to="/studio/earnings"
          />
          <Figure
            label="Available"
            value={earnings.isPending ? "…" : money(balance?.available ?? 0, currency)}
            to="/studio/earnings"
          />
          <Figure
            label="Followers"
            value={count(creator.data.followers)}
            to="/studio/subscribers"
          />
          <Figure label="Posts" value={count(creator.data.posts)} to="/studio/posts" />
        </div>
        <Steps creator={creator.data} />
        <div className="grid grid-cols-1 gap-5 md:grid-cols-2">
          <LatestPosts />
          <LatestSubscribers />
        </div>
      </div>
    </>
  );
}
