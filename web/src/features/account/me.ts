/* me.ts -- who is looking. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { api, ApiError } from "@/api/client";
import type { Me } from "@/api/schema";

/* undefined while it is not known yet, null when nobody is logged in. */
export function useMe(): Me | null | undefined {
  return useMeQuery().data;
}

export function useMeQuery() {
  return useQuery<Me | null, ApiError>({
    queryKey: ["/v1/me"],
    queryFn: async ({ signal }) => {
      try {
        return await api("GET /v1/me", { signal });
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

/* After logging in or out: every cached answer was made for another viewer. */
export function useBecome() {
  const client = useQueryClient();
  return useCallback(
    async (me: Me | null) => {
      await client.cancelQueries();
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== "/v1/me" });
      client.setQueryData(["/v1/me"], me);
    },
    [client],
  );
}

/* Only a path of this site, so that a link cannot send somebody who just logged in elsewhere. */
export function safeNext(next: string | null): string | null {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : null;
}
