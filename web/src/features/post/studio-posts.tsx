/* studio-posts.tsx -- the creator's own posts, drafts and published. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Eye, FileText, Images, Link2, Ellipsis, PenLine, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api } from "@/api/client";
import { useAct, usePages } from "@/api/query";
import type { Post } from "@/api/schema";
import { ButtonLink, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { Menu, MenuAct, MenuLine } from "@/ui/menu";
import { Badge, Card, PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toast";
import { AccessBadge } from "./access";
import { copyLink, DeletePost } from "./post-card";

function Row({ post, onDelete }: { post: Post; onDelete: () => void }) {
  const navigate = useNavigate();
  const draft = post.state === "draft";
  const publish = useAct(
    () => api("POST /v1/posts/{post}/publish", { params: { post: post.id } }),
    {
      forgets: ["/v1/studio/posts", "/v1/feed", "/v1/creators"],
      done: () =>
        toast.done("Published", { label: "View", run: () => void navigate(`/p/${post.id}`) }),
      failed: (error) => toast.failed("It was not published", error),
    },
  );
  const first = post.media[0];
  return (
    <li className="flex items-center gap-4 px-4 py-3.5 sm:px-5">
      <div className="relative size-16 shrink-0 overflow-hidden rounded-xl bg-raised sm:size-18">
        {first ? (
          <img
            src={first.thumb_url ?? first.teaser_url}
            alt=""
            loading="lazy"
            className="size-full object-cover"
          />
        ) : (
          <span className="flex size-full items-center justify-center text-faint">
            <FileText className="size-6" aria-hidden />
          </span>
        )}
        {post.media.length > 1 && (
          <span className="night tabular absolute bottom-1 right-1 rounded-md bg-black/70 px-1.5 text-xs font-medium">
            {post.media.length}
          </span>
        )}
      </div>
      <div className="min-w-0 grow">
        <h2 className="line-clamp-2 font-medium leading-snug">
          <Link
            to={draft ? `/studio/compose?post=${post.id}` : `/p/${post.id}`}
            className="rounded hover:underline"
          >
            {post.text ||
              (post.media.length > 0
                ? `${post.media.length} ${post.media.length === 1 ? "photo" : "photos"} without words`
                : "Empty draft")}
          </Link>
        </h2>
        <p className="mt-1.5 flex flex-wrap items-center gap-x-2.5 gap-y-1 text-sm text-muted">
          {draft ? <Badge>Draft</Badge> : <Time when={post.published ?? post.created} />}
          <AccessBadge post={post} />
        </p>
      </div>
      <Menu
        label="Post"
        trigger={
          <IconButton label="What to do with this post">
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        {draft && (
          <MenuAct icon={Send} onSelect={() => publish.mutate(undefined)}>
            Publish now
          </MenuAct>
        )}
        <MenuAct icon={PenLine} onSelect={() => void navigate(`/studio/compose?post=${post.id}`)}>
          Edit
        </MenuAct>
        {!draft && (
          <>
            <MenuAct icon={Eye} onSelect={() => void navigate(`/p/${post.id}`)}>
              View
            </MenuAct>
            <MenuAct icon={Link2} onSelect={() => void copyLink(post.id)}>
              Copy link
            </MenuAct>
          </>
        )}
        <MenuLine />
        <MenuAct icon={Trash2} danger onSelect={onDelete}>
          Delete
        </MenuAct>
      </Menu>
    </li>
  );
}

const states = [
  { value: "published", label: "Published" },
  { value: "draft", label: "Drafts" },
] as const;

export default function StudioPosts() {
  useTitle("Your posts");
  const [search] = useSearchParams();
  const asked = search.get("state");
  const state = asked === "draft" ? "draft" : "published";
  const posts = usePages("GET /v1/studio/posts", { query: { state } });
  const [doomed, setDoomed] = useState<Post | null>(null);
  return (
    <>
      <PageHead
        title="Posts"
        action={
          <ButtonLink to="/studio/compose" look="lamp">
            <PenLine aria-hidden /> New post
          </ButtonLink>
        }
      />
      <nav aria-label="Which posts" className="mb-5 flex gap-1.5">
        {states.map(({ value, label }) => (
          <Link
            key={label}
            to={`?state=${value}`}
            replace
            aria-current={value === state ? "page" : undefined}
            className={cx(
              "rounded-full px-4 py-1.5 text-sm font-medium",
              value === state ? "bg-text text-bg" : "bg-raised text-muted hover:text-text",
            )}
          >
            {label}
          </Link>
        ))}
      </nav>
      {posts.isPending ? (
        <Loading className="grid gap-3">
          <Skeleton className="h-24" />
          <Skeleton className="h-24" />
          <Skeleton className="h-24" />
        </Loading>
      ) : posts.isError && !posts.items ? (
        <Failed error={posts.error} retry={() => void posts.refetch()} what="your posts" />
      ) : posts.items?.length === 0 ? (
        <Empty
          icon={Images}
          title={state === "draft" ? "No drafts" : "Nothing yet"}
          action={
            <ButtonLink to="/studio/compose" look="lamp">
              Write a post
            </ButtonLink>
          }
        >
          {state === "draft"
            ? "What you save without publishing waits here."
            : "Add a photograph or a few lines, choose who may see it, publish."}
        </Empty>
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {posts.items?.map((post) => (
              <Row key={post.id} post={post} onDelete={() => setDoomed(post)} />
            ))}
          </ul>
        </Card>
      )}
      <More
        has={posts.hasNextPage}
        busy={posts.isFetchingNextPage}
        failed={posts.isFetchNextPageError}
        load={() => void posts.fetchNextPage()}
      />
      {doomed && <DeletePost post={doomed} open onOpen={(open) => !open && setDoomed(null)} />}
    </>
  );
}
