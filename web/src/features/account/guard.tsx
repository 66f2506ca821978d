/* guard.tsx -- pages that need somebody, or a creator, to be logged in. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Navigate, Outlet, useLocation } from "react-router";
import { Failed, Loading, Skeleton } from "@/ui/state";
import { useMeQuery } from "./me";

export function Guard({ creator = false }: { creator?: boolean }) {
  const { data: me, isError, error, refetch } = useMeQuery();
  const here = useLocation();
  if (me === undefined && isError)
    return <Failed error={error} retry={() => void refetch()} what="your account" />;
  if (me === undefined)
    return (
      <Loading className="mx-auto grid max-w-2xl gap-4">
        <Skeleton className="h-10 w-1/2" />
        <Skeleton className="h-40" />
        <Skeleton className="h-40" />
      </Loading>
    );
  if (me === null)
    return (
      <Navigate to={`/login?next=${encodeURIComponent(here.pathname + here.search)}`} replace />
    );
  if (creator && !me.creator) return <Navigate to="/become" replace />;
  return <Outlet />;
}
