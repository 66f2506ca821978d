/* feed.tsx -- what those one follows or pays for have shown lately. */
/* SPDX-License-Identifier: Apache-2.0 */
import { House } from "lucide-react";
import { usePages } from "@/api/query";
import { ButtonLink } from "@/ui/button";
import { PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More } from "@/ui/state";
import { PostCard, PostSkeleton } from "./post-card";

export default function Feed() {
  useTitle("Home");
  const posts = usePages("GET /v1/feed", undefined);
  return (
    <div className="mx-auto max-w-2xl">
      <PageHead title="Home" />
      {posts.isPending ? (
        <Loading className="grid gap-5">
          <PostSkeleton />
          <PostSkeleton />
        </Loading>
      ) : posts.isError && !posts.items ? (
        <Failed error={posts.error} retry={() => void posts.refetch()} what="your feed" />
      ) : posts.items?.length === 0 ? (
        <Empty
          icon={House}
          title="Quiet in here"
          action={
            <ButtonLink to="/explore" look="lamp">
              Explore creators
            </ButtonLink>
          }
        >
          Posts of creators you follow or subscribe to appear here, newest first.
        </Empty>
      ) : (
        <div className="grid grid-cols-1 gap-6">
          {posts.items?.map((post) => (
            <PostCard key={post.id} post={post} />
          ))}
        </div>
      )}
      <More has={posts.hasNextPage} busy={posts.isFetchingNextPage} failed={posts.isFetchNextPageError} load={() => void posts.fetchNextPage()} />
      {posts.items && posts.items.length > 0 && !posts.hasNextPage && <p className="py-10 text-center text-sm text-faint">That is all for now.</p>}
    </div>
  );
}
