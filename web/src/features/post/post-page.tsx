/* post-page.tsx -- one post, at the address one sends to a friend. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ArrowLeft } from "lucide-react";
import { Link, useParams } from "react-router";
import { ApiError } from "@/api/client";
import { useGet } from "@/api/query";
import { NotFound } from "@/features/home/not-found";
import { useTitle } from "@/ui/page";
import { Failed, Loading } from "@/ui/state";
import { PostCard, PostSkeleton } from "./post-card";

export default function PostPage() {
  const id = useParams().post ?? "";
  const post = useGet("GET /v1/posts/{post}", { params: { post: id } });
  useTitle(post.data ? `Post by ${post.data.creator.name}` : undefined);
  if (post.error instanceof ApiError && post.error.status === 404) return <NotFound what="This post is gone" why="It was deleted, is still a draft, or the link is wrong." />;
  if (post.isError && !post.data) return <Failed error={post.error} retry={() => void post.refetch()} what="this post" />;
  return (
    <div className="mx-auto max-w-2xl">
      {post.data ? (
        <>
          <h1 className="sr-only">Post by {post.data.creator.name}</h1>
          <Link to={`/@${post.data.creator.handle}`} className="mb-4 inline-flex items-center gap-2 rounded-full py-1 pr-3 text-sm font-medium text-muted hover:text-text">
            <ArrowLeft className="size-4" aria-hidden />
            All of {post.data.creator.name}
          </Link>
          <PostCard post={post.data} alone />
        </>
      ) : (
        <Loading>
          <PostSkeleton />
        </Loading>
      )}
    </div>
  );
}
