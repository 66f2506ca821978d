/* post-card.tsx -- a post in a list or on its own page. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Link2, PenLine, Trash2 } from "lucide-react";
import { useCallback, useId, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "@/api/client";
import { forget, useAct, useGet } from "@/api/query";
import type { Post } from "@/api/schema";
import { useMe } from "@/features/account/me";
import { Photos } from "@/features/media/photos";
import { Avatar } from "@/ui/avatar";
import { IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Menu, MenuAct, MenuLine } from "@/ui/menu";
import { Skeleton } from "@/ui/state";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toast";
import { AccessBadge } from "./access";
import { Locked } from "./locked";

export async function copyLink(post: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(`${location.origin}/p/${post}`);
    toast.done("Link copied");
  } catch {
    toast.failed(
      "The link could not be copied. Copy it from the address bar of the post's own page.",
    );
  }
}

export function useDeletePost() {
  return useAct((post: string) => api("DELETE /v1/posts/{post}", { params: { post } }), {
    forgets: ["/v1/feed", "/v1/studio/posts", "/v1/creators"],
    done: () => toast.done("Post deleted"),
  });
}

export function DeletePost({
  post,
  open,
  onOpen,
  after,
}: {
  post: Post;
  open: boolean;
  onOpen: (open: boolean) => void;
  after?: () => void;
}) {
  const remove = useDeletePost();
  return (
    <Confirm
      open={open}
      onOpen={onOpen}
      title="Delete this post?"
      act="Delete post"
      onConfirm={async () => {
        await remove.mutateAsync(post.id);
        after?.();
      }}
    >
      <p>
        It disappears for everyone, at once and for good.{" "}
        {post.media.length > 0 && "The photos in it are no longer shown anywhere."}
      </p>
    </Confirm>
  );
}

function More({ post, alone }: { post: Post; alone: boolean }) {
  const me = useMe();
  const navigate = useNavigate();
  const own =
    useGet("GET /v1/creators/me", undefined, { enabled: Boolean(me?.creator) }).data?.id ===
    post.creator.id;
  const [asked, setAsked] = useState(false);
  return (
    <>
      <Menu
        label="Post"
        trigger={
          <IconButton
            label={`More about this post by ${post.creator.name}`}
            className="-mr-2 text-muted"
          >
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        <MenuAct icon={Link2} onSelect={() => void copyLink(post.id)}>
          Copy link
        </MenuAct>
        {own && (
          <>
            <MenuAct
              icon={PenLine}
              onSelect={() => void navigate(`/studio/compose?post=${post.id}`)}
            >
              Edit
            </MenuAct>
            <MenuLine />
            <MenuAct icon={Trash2} danger onSelect={() => setAsked(true)}>
              Delete
            </MenuAct>
          </>
        )}
      </Menu>
      {own && (
        <DeletePost
          post={post}
          open={asked}
          onOpen={setAsked}
          after={() => alone && void navigate(-1)}
        />
      )}
    </>
  );
}

/* Signed addresses of photographs expire. When one no longer loads, its post is asked for again, but not over and over. */
function useFreshen(post: string) {
  const client = useQueryClient();
  const last = useRef(0);
  return useCallback(() => {
    if (Date.now() - last.current < 30_000) return;
    last.current = Date.now();
    void forget(client, `/v1/posts/${post}`, "/v1/feed", "/v1/creators");
  }, [client, post]);
}

export function PostCard({
  post,
  alone = false,
  level: Heading = "h2",
}: {
  post: Post;
  alone?: boolean;
  level?: "h2" | "h3";
}) {
  const id = useId();
  const freshen = useFreshen(post.id);
  const long = !alone && post.text.length > 420;
  return (
    <article
      aria-labelledby={id}
      className="overflow-hidden rounded-card border border-line bg-surface shadow-card"
    >
      <header className="flex items-center gap-3 px-4 py-3.5 sm:px-5">
        <Link to={`/@${post.creator.handle}`} tabIndex={-1} aria-hidden className="shrink-0">
          <Avatar
            name={post.creator.name}
            handle={post.creator.handle}
            src={post.creator.avatar_url}
            className="size-11 text-sm"
          />
        </Link>
        <div className="min-w-0 grow leading-tight">
          <Heading id={id} className="truncate font-semibold">
            <Link
              to={`/@${post.creator.handle}`}
              className="inline-block rounded py-0.5 hover:underline"
            >
              {post.creator.name}
            </Link>
          </Heading>
          <div className="mt-0.5 flex min-w-0 items-center gap-2 text-sm text-muted">
            <Link
              to={`/p/${post.id}`}
              className="inline-block shrink-0 rounded py-0.5 hover:underline"
            >
              <span className="sr-only">Open this post, </span>
              <Time when={post.published ?? post.created} />
            </Link>
            {post.edited && <span className="text-faint">edited</span>}
            <AccessBadge post={post} />
          </div>
        </div>
        <More post={post} alone={alone} />
      </header>
      {post.locked ? (
        <Locked post={post} />
      ) : (
        <>
          {post.text && (
            <div className="px-4 pb-4 sm:px-5">
              <p
                className={`whitespace-pre-line leading-relaxed ${long ? "line-clamp-6" : ""} ${post.media.length === 0 ? "text-lg" : ""}`}
              >
                {post.text}
              </p>
              {long && (
                <Link
                  to={`/p/${post.id}`}
                  className="mt-1.5 inline-block rounded text-sm font-medium text-glow underline underline-offset-4"
                >
                  Read on
                </Link>
              )}
            </div>
          )}
          <Photos media={post.media} onStale={freshen} eager={alone} />
        </>
      )}
    </article>
  );
}

export function PostSkeleton() {
  return (
    <div className="overflow-hidden rounded-card border border-line bg-surface" aria-hidden>
      <div className="flex items-center gap-3 px-4 py-3.5 sm:px-5">
        <Skeleton className="size-11 rounded-full" />
        <div className="grid gap-2">
          <Skeleton className="h-4 w-32" />
          <Skeleton className="h-3 w-20" />
        </div>
      </div>
      <Skeleton className="aspect-[4/3] rounded-none" />
    </div>
  );
}
