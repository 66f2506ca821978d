/* post-page.tsx -- one post, at the address one sends to a friend. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ArrowLeft } from "lucide-react";
import { Link, useParams } from "react-router";
import { ApiError } from "@/api/client";
import type { Post } from "@/api/schema";
import { FollowButton } from "@/features/creator/follow";
import { Avatar } from "@/ui/avatar";
import { ButtonLink } from "@/ui/button";
import { useGet } from "@/api/query";
import { NotFound } from "@/features/home/not-found";
import { useTitle } from "@/ui/page";
import { Failed, Loading } from "@/ui/state";
import { PostCard, PostSkeleton } from "./post-card";

/* Below a post that came by a link: who made it, and the way to more. */
function Maker({ post }: { post: Post }) {
  const creator = useGet("GET /v1/creators/{handle}", {
    params: { handle: post.creator.handle },
  }).data;
  if (!creator || creator.own) return null;
  return (
    <section
      aria-label={`About ${creator.name}`}
      className="mt-6 flex flex-wrap items-start gap-4 rounded-card border border-line bg-surface p-5 shadow-card"
    >
      <Avatar
        name={creator.name}
        handle={creator.handle}
        src={creator.avatar_url}
        className="size-16 text-lg"
      />
      <div className="min-w-0 grow basis-56">
        <h2 className="font-semibold">{creator.name}</h2>
        <p className="text-sm text-muted">@{creator.handle}</p>
        {creator.bio && (
          <p className="mt-2 line-clamp-3 text-[0.9375rem] leading-relaxed text-muted">
            {creator.bio}
          </p>
        )}
      </div>
      <div className="flex gap-2">
        <FollowButton handle={creator.handle} following={creator.following} size="small" />
        <ButtonLink to={`/@${creator.handle}`} look="lamp" size="small">
          See the page
        </ButtonLink>
      </div>
    </section>
  );
}

export default function PostPage() {
  const id = useParams().post ?? "";
  const post = useGet("GET /v1/posts/{post}", { params: { post: id } });
  useTitle(post.data ? `Post by ${post.data.creator.name}` : undefined);
  if (post.error instanceof ApiError && post.error.status === 404)
    return (
      <NotFound
        what="This post is gone"
        why="It was deleted, is still a draft, or the link is wrong."
      />
    );
  if (post.isError && !post.data)
    return <Failed error={post.error} retry={() => void post.refetch()} what="this post" />;
  return (
    <div className="mx-auto max-w-2xl">
      {post.data ? (
        <>
          <h1 className="sr-only">Post by {post.data.creator.name}</h1>
          <Link
            to={`/@${post.data.creator.handle}`}
            className="mb-4 inline-flex items-center gap-2 rounded-full py-1 pr-3 text-sm font-medium text-muted hover:text-text"
          >
            <ArrowLeft className="size-4" aria-hidden />
            All of {post.data.creator.name}
          </Link>
          <PostCard post={post.data} alone />
          <Maker post={post.data} />
        </>
      ) : (
        <Loading>
          <PostSkeleton />
        </Loading>
      )}
    </div>
  );
}
