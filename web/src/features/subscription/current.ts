/* current.ts -- which creators the one who is looking pays for. */
/* SPDX-License-Identifier: Apache-2.0 */
import { usePages } from "@/api/query";
import type { Subscription } from "@/api/schema";
import { useMe } from "@/features/account/me";

/* Still lets its holder in. A canceled one does not; one that is only going to end does. */
export const isLive = (subscription: Subscription) =>
  subscription.state === "active" || subscription.state === "past_due";

export function useSubscriptionTo(creator: string): Subscription | undefined {
  const me = useMe();
  const found = usePages("GET /v1/subscriptions", undefined, { enabled: Boolean(me) });
  return found.items?.find(
    (subscription) => subscription.creator.id === creator && isLive(subscription),
  );
}
