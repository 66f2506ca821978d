/* explore.tsx -- all creators of the house. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Compass } from "lucide-react";
import { usePages } from "@/api/query";
import { useMe } from "@/features/account/me";
import { ButtonLink } from "@/ui/button";
import { cx } from "@/ui/cx";
import { PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More } from "@/ui/state";
import { CreatorTile, CreatorTileSkeleton } from "./creator-tile";

export default function Explore() {
  useTitle("Explore");
  const me = useMe();
  const creators = usePages("GET /v1/creators", undefined);
  const grid = cx("grid gap-5 sm:grid-cols-2 xl:grid-cols-3", !me && "lg:grid-cols-3");
  return (
    <div className="mx-auto max-w-6xl">
      <PageHead title="Explore">Everyone who has a door in this house.</PageHead>
      {creators.isPending ? (
        <Loading>
          <ul className={grid}>
            {[1, 2, 3, 4, 5, 6].map((n) => (
              <CreatorTileSkeleton key={n} />
            ))}
          </ul>
        </Loading>
      ) : creators.isError && !creators.items ? (
        <Failed error={creators.error} retry={() => void creators.refetch()} what="the creators" />
      ) : creators.items?.length === 0 ? (
        <Empty
          icon={Compass}
          title="The house is still empty"
          action={
            <ButtonLink to="/become" look="lamp">
              Become a creator
            </ButtonLink>
          }
        >
          Nobody has opened a door here yet. It could be yours.
        </Empty>
      ) : (
        <ul className={grid}>
          {creators.items?.map((creator) => (
            <CreatorTile key={creator.id} creator={creator} />
          ))}
        </ul>
      )}
      <More
        has={creators.hasNextPage}
        busy={creators.isFetchingNextPage}
        failed={creators.isFetchNextPageError}
        load={() => void creators.fetchNextPage()}
      />
    </div>
  );
}
