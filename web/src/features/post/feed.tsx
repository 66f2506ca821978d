/* feed.tsx -- what those one follows or pays for have shown lately. */
/* SPDX-License-Identifier: Apache-2.0 */
import { House } from "lucide-react";
import { Link } from "react-router";
import { usePages } from "@/api/query";
import { Avatar } from "@/ui/avatar";
import { ButtonLink } from "@/ui/button";
import { PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More } from "@/ui/state";
import { PostCard, PostSkeleton } from "./post-card";

/* Wide screens: the ones followed, a press away. */
function Following() {
  const found = usePages("GET /v1/follows", undefined);
  if (!found.items || found.items.length === 0) return null;
  return (
    <aside aria-labelledby="following" className="sticky top-10 hidden w-64 shrink-0 xl:block">
      <h2 id="following" className="mb-3 px-3 text-sm font-semibold text-muted">
        You follow
      </h2>
      <ul>
        {found.items.slice(0, 12).map((creator) => (
          <li key={creator.id}>
            <Link
              to={`/@${creator.handle}`}
              className="flex items-center gap-3 rounded-full px-3 py-2 hover:bg-raised"
            >
              <Avatar
                name={creator.name}
                handle={creator.handle}
                src={creator.avatar_url}
                className="size-9 text-xs"
              />
              <span className="min-w-0 truncate text-[0.9375rem] font-medium">{creator.name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </aside>
  );
}

export default function Feed() {
  useTitle("Home");
  const posts = usePages("GET /v1/feed", undefined);
  return (
    <div className="mx-auto flex max-w-2xl items-start gap-10 xl:max-w-[59rem]">
      <div className="min-w-0 max-w-2xl grow">
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
        <More
          has={posts.hasNextPage}
          busy={posts.isFetchingNextPage}
          failed={posts.isFetchNextPageError}
          load={() => void posts.fetchNextPage()}
        />
        {posts.items && posts.items.length > 0 && !posts.hasNextPage && (
          <p className="py-10 text-center text-sm text-faint">That is all for now.</p>
        )}
      </div>
      <Following />
    </div>
  );
}
