/* live.ts -- the event stream, turned into forgetting: whatever an event speaks of is asked for again. */
/* SPDX-License-Identifier: Apache-2.0 */
import type { QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { live, type LiveEvent } from "./client";
import { forget } from "./query";
import type { Asset } from "./schema";

function apply(client: QueryClient, { kind, data }: LiveEvent): void {
  switch (kind) {
    case "media.progress":
      /* Many of these come in a second, and they say all there is to know. */
      client.setQueryData<Asset>(
        [`/v1/media/${data.asset}`],
        (old) => old && { ...old, progress: Math.max(old.progress, data.progress) },
      );
      return;
    case "media.ready":
    case "media.failed":
      void forget(client, `/v1/media/${data.asset}`);
      return;
    case "post.published":
      void forget(client, "/v1/feed", "/v1/studio/posts");
      return;
    case "subscription.changed":
      void forget(
        client,
        "/v1/subscriptions",
        "/v1/studio",
        "/v1/feed",
        "/v1/posts",
        "/v1/creators",
        "/v1/payments",
      );
      return;
  }
}

export function useLive(client: QueryClient, on: boolean): void {
  useEffect(
    () =>
      on
        ? live(
            (event) => apply(client, event),
            () => void forget(client, "/v1"),
          )
        : undefined,
    [client, on],
  );
}
