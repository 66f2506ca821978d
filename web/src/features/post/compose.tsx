/* compose.tsx -- writing a post, or changing one: words, photographs, who may see it. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Check from "@radix-ui/react-checkbox";
import * as Radio from "@radix-ui/react-radio-group";
import { useQueryClient } from "@tanstack/react-query";
import { CheckIcon, Plus, Send } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useBlocker, useNavigate, useSearchParams } from "react-router";
import { api, ApiError } from "@/api/client";
import { forget, remember, useGet, useIntent } from "@/api/query";
import type { Creator, Post } from "@/api/schema";
import { PhotoTray } from "@/features/media/photo-tray";
import { useUploads, type Item } from "@/features/media/uploads";
import { advice, sentence } from "@/ui/advice";
import { Button, ButtonLink } from "@/ui/button";
import { cx } from "@/ui/cx";
import { Confirm } from "@/ui/dialog";
import { FormError, TextArea } from "@/ui/field";
import { money, plural } from "@/ui/format";
import { Card, PageHead, useTitle } from "@/ui/page";
import { Failed, Loading, Skeleton } from "@/ui/state";
import { toast } from "@/ui/toast";
import { accessWords } from "./access";

const textMax = 5000;

const explained: Record<Post["access"], string> = {
  public: "Anyone who comes by, logged in or not.",
  followers: "Anyone who follows you. Following is free.",
  tiers: "Only those who pay for a tier you choose.",
};

interface Wish {
  text: string;
  access: Post["access"];
  tiers: string[];
}

function Access({
  wish,
  change,
  creator,
  blamed,
}: {
  wish: Wish;
  change: (wish: Partial<Wish>) => void;
  creator: Creator;
  blamed: string | undefined;
}) {
  const id = useId();
  const tiers = creator.tiers.filter((tier) => !tier.archived);
  const toggle = (tier: string, on: boolean) =>
    change({ tiers: on ? [...wish.tiers, tier] : wish.tiers.filter((one) => one !== tier) });
  return (
    <div>
      <h2 id={id} className="mb-3 font-semibold">
        Who may see it
      </h2>
      <Radio.Root
        value={wish.access}
        onValueChange={(access) => change({ access: access as Post["access"] })}
        aria-labelledby={id}
        className="grid gap-2"
      >
        {(["public", "followers", "tiers"] as const).map((access) => {
          const { label, icon: Icon } = accessWords[access];
          return (
            <Radio.Item
              key={access}
              value={access}
              aria-label={label}
              className="group flex items-center gap-3.5 rounded-xl border border-edge/50 px-4 py-3 text-left hover:bg-raised data-[state=checked]:border-glow data-[state=checked]:bg-lamp/12 data-[state=checked]:shadow-[inset_0_0_0_1px_var(--color-glow)]"
            >
              <Icon
                className="size-5 shrink-0 text-muted group-data-[state=checked]:text-glow"
                aria-hidden
              />
              <span>
                <span className="block text-[0.9375rem] font-medium">{label}</span>
                <span className="block text-sm text-muted">{explained[access]}</span>
              </span>
              <span
                className="ml-auto size-4.5 shrink-0 rounded-full border border-edge bg-surface group-data-[state=checked]:border-[5px] group-data-[state=checked]:border-glow"
                aria-hidden
              />
            </Radio.Item>
          );
        })}
      </Radio.Root>
      {wish.access === "tiers" &&
        (tiers.length === 0 ? (
          <div className="mt-3 rounded-xl bg-lamp/12 p-4 text-sm">
            <p>You have no tier yet, so nobody could see this.</p>
            <ButtonLink to="/studio/tiers" size="small" className="mt-3">
              <Plus aria-hidden /> Make a tier
            </ButtonLink>
          </div>
        ) : (
          <div
            role="group"
            aria-label="Which tiers"
            className="mt-3 grid gap-1 border-l-2 border-lamp pl-4"
          >
            {tiers.map((tier) => (
              <label
                key={tier.id}
                className="flex cursor-pointer items-center gap-3 rounded-lg py-2"
              >
                <Check.Root
                  checked={wish.tiers.includes(tier.id)}
                  onCheckedChange={(on) => toggle(tier.id, on === true)}
                  className="flex size-5.5 shrink-0 items-center justify-center rounded-md border border-edge bg-surface data-[state=checked]:border-transparent data-[state=checked]:bg-lamp"
                >
                  <Check.Indicator>
                    <CheckIcon className="size-4 text-onlamp" strokeWidth={3} aria-hidden />
                  </Check.Indicator>
                </Check.Root>
                <span className="grow text-[0.9375rem]">{tier.name}</span>
                <span className="tabular text-sm text-muted">
                  {money(tier.price, tier.currency, true)}
                </span>
              </label>
            ))}
            {blamed && <p className="py-1 text-sm text-danger">{blamed}</p>}
          </div>
        ))}
    </div>
  );
}

/* Leaving with unsaved work asks first: inside the app by the router, outside it by the browser. */
function useLeaving(dirty: boolean) {
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      dirty && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);
  return blocker;
}

const itemsOf = (post: Post | undefined): Item[] =>
  (post?.media ?? []).map((media) => ({
    key: media.id,
    asset: media.id,
    sent: 100,
    alt: media.alt,
    thumb: media.thumb_url ?? media.teaser_url,
  }));

function Editor({ creator, post }: { creator: Creator; post?: Post }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const intent = useIntent();
  const uploads = useUploads("post", itemsOf(post));
  const [wish, setWish] = useState<Wish>({
    text: post?.text ?? "",
    access: post?.access ?? (creator.tiers.some((tier) => !tier.archived) ? "tiers" : "public"),
    tiers:
      post?.tiers.map((tier) => tier.id) ??
      creator.tiers.filter((tier) => !tier.archived).map((tier) => tier.id),
  });
  const [busy, setBusy] = useState<"draft" | "publish" | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [touched, setTouched] = useState(false);
  const [saved, setSaved] = useState(false);
  const ids = uploads.items.map((item) => item.key).join();
  const firstIds = itemsOf(post)
    .map((item) => item.key)
    .join();
  const dirty = !saved && (touched || ids !== firstIds);
  const blocker = useLeaving(dirty && busy === null);

  const change = (part: Partial<Wish>) => {
    setTouched(true);
    setWish({ ...wish, ...part });
  };

  const underway = uploads.items.filter(
    (item) => item.state === "waiting" || item.state === "sending" || item.state === "processing",
  ).length;
  const failed = uploads.items.filter((item) => item.state === "failed").length;
  const empty = wish.text.trim() === "" && uploads.items.length === 0;
  const tierless = wish.access === "tiers" && wish.tiers.length === 0;
  const live = post?.state === "published";
  const stop =
    underway > 0
      ? `Waiting for ${plural(underway, "photo")}`
      : failed > 0
        ? "Remove or retry the photos that failed"
        : empty
          ? "Write something, or add a photo"
          : tierless
            ? "Choose at least one tier"
            : null;

  const save = async (publish: boolean) => {
    setBusy(publish ? "publish" : "draft");
    setError(null);
    const body = {
      text: wish.text.trim(),
      access: wish.access,
      tiers: wish.access === "tiers" ? wish.tiers : [],
      media: uploads.items.flatMap((item) => (item.asset ? [item.asset] : [])),
    };
    try {
      let result: Post;
      if (post) {
        result = await api("PATCH /v1/posts/{post}", { params: { post: post.id }, body });
        if (publish && !live)
          result = await api("POST /v1/posts/{post}/publish", { params: { post: post.id } });
      } else
        result = await intent({ ...body, publish }, (key) =>
          api("POST /v1/posts", { body: { ...body, publish }, key }),
        );
      remember(client, "GET /v1/posts/{post}", { params: { post: result.id } }, result);
      setSaved(true);
      void forget(client, "/v1/studio/posts", "/v1/feed", "/v1/creators");
      toast.clear();
      toast.done(
        live ? "Saved" : publish ? "Published" : "Draft saved",
        publish || live
          ? {
              label: "Copy link",
              run: () => void navigator.clipboard.writeText(`${location.origin}/p/${result.id}`),
            }
          : undefined,
      );
      /* The blocker looks at `busy`, which is still set. */
      await navigate(publish || live ? `/p/${result.id}` : "/studio/posts?state=draft");
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      setError(cause);
      setBusy(null);
    }
  };

  return (
    <div className="mx-auto max-w-5xl">
      <PageHead title={post ? (live ? "Edit post" : "Edit draft") : "New post"} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!stop) void save(true);
        }}
        className="grid grid-cols-1 items-start gap-6 lg:grid-cols-[minmax(0,1fr)_21rem]"
      >
        <Card as="div" className="grid grid-cols-1 gap-5 p-4 sm:p-6">
          <TextArea
            label="Words"
            name="text"
            value={wish.text}
            maxLength={textMax}
            onChange={(event) => change({ text: event.target.value })}
            placeholder="What happened behind the scenes?"
            aside={
              wish.text.length > textMax - 500 ? `${textMax - wish.text.length} left` : undefined
            }
            error={error?.field === "text" ? sentence(error.detail ?? error.title) : undefined}
          />
          <div>
            <h2 className="mb-2 text-sm font-medium">Photos</h2>
            <PhotoTray uploads={uploads} />
          </div>
        </Card>
        <div className="grid gap-5 lg:sticky lg:top-8">
          <Card as="div" className="p-4 sm:p-6">
            <Access
              wish={wish}
              change={change}
              creator={creator}
              blamed={tierless ? "Choose at least one tier." : undefined}
            />
          </Card>
          {error && error.field !== "text" && (
            <FormError title={error.title}>{advice(error)}</FormError>
          )}
          <div className="grid gap-2.5">
            <Button
              type="submit"
              look="lamp"
              size="large"
              busy={busy === "publish"}
              disabled={stop !== null || busy !== null}
            >
              {busy !== "publish" && <Send aria-hidden />}
              {live ? "Save changes" : "Publish"}
            </Button>
            {!live && (
              <Button
                busy={busy === "draft"}
                disabled={empty || underway > 0 || failed > 0 || busy !== null}
                onClick={() => void save(false)}
              >
                Save as draft
              </Button>
            )}
            <p role="status" className={cx("min-h-5 text-center text-sm text-muted")}>
              {dirty || post ? stop : ""}
            </p>
          </div>
        </div>
      </form>
      <Confirm
        open={blocker.state === "blocked"}
        onOpen={(open) => !open && blocker.state === "blocked" && blocker.reset()}
        title="Leave without saving?"
        act="Leave"
        keep="Stay here"
        onConfirm={async () => blocker.proceed?.()}
      >
        <p>What you wrote here is not saved. Stay to save it as a draft.</p>
      </Confirm>
    </div>
  );
}

export default function Compose() {
  const [search] = useSearchParams();
  const id = search.get("post");
  const creator = useGet("GET /v1/creators/me", undefined);
  const post = useGet(
    "GET /v1/posts/{post}",
    { params: { post: id ?? "" } },
    { enabled: id !== null },
  );
  useTitle(id ? "Edit post" : "New post");
  const failed = creator.error ?? (id ? post.error : null);
  if (creator.data && (id === null || post.data))
    return (
      <Editor
        key={id ?? "new"}
        creator={creator.data}
        {...(post.data && id ? { post: post.data } : {})}
      />
    );
  if (failed)
    return (
      <Failed
        error={failed}
        retry={() => {
          void creator.refetch();
          if (id) void post.refetch();
        }}
        what="this post"
      />
    );
  return (
    <Loading className="mx-auto grid max-w-5xl gap-6 lg:grid-cols-[minmax(0,1fr)_21rem]">
      <Skeleton className="h-96" />
      <Skeleton className="h-72" />
    </Loading>
  );
}
