/* follow.tsx -- following and no longer following, shown at once and taken back if the server says no. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Plus } from "lucide-react";
import { useLocation, useNavigate } from "react-router";
import { api, type ApiError } from "@/api/client";
import { forget, remember } from "@/api/query";
import type { Creator } from "@/api/schema";
import { useMe } from "@/features/account/me";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

export function useFollow(handle: string) {
  const client = useQueryClient();
  const key = [`/v1/creators/${encodeURIComponent(handle)}`];
  const act = useMutation<Creator, ApiError, boolean, { before: Creator | undefined }>({
    mutationFn: (follow) =>
      follow
        ? api("PUT /v1/creators/{handle}/follow", { params: { handle } })
        : api("DELETE /v1/creators/{handle}/follow", { params: { handle } }),
    onMutate: async (follow) => {
      await client.cancelQueries({ queryKey: key, exact: true });
      const before = client.getQueryData<Creator>(key);
      if (before)
        client.setQueryData<Creator>(key, {
          ...before,
          following: follow,
          followers: before.followers + (follow ? 1 : -1),
        });
      return { before };
    },
    onSuccess: (creator, follow) => {
      remember(client, "GET /v1/creators/{handle}", { params: { handle } }, creator);
      toast.done(
        follow ? `You follow ${creator.name}` : `You no longer follow ${creator.name}`,
        follow ? undefined : { label: "Undo", run: () => act.mutate(true) },
      );
      void forget(client, "/v1/feed", "/v1/follows", "/v1/posts", `${key[0]}/posts`);
    },
    onError: (error, follow, context) => {
      if (context?.before) client.setQueryData(key, context.before);
      toast.failed(follow ? "Following did not work" : "Unfollowing did not work", error);
    },
  });
  return act;
}

export function FollowButton({
  handle,
  following,
  size = "usual",
  look,
}: {
  handle: string;
  following: boolean;
  size?: "small" | "usual";
  look?: "lamp" | "plain";
}) {
  const me = useMe();
  const act = useFollow(handle);
  const navigate = useNavigate();
  const here = useLocation();
  const press = () => {
    if (me) act.mutate(!following);
    else void navigate(`/login?next=${encodeURIComponent(here.pathname + here.search)}`);
  };
  return (
    <Button
      size={size}
      look={following ? "plain" : (look ?? "plain")}
      aria-pressed={following}
      onClick={press}
      disabled={act.isPending}
    >
      {following ? <Check aria-hidden /> : <Plus aria-hidden />}
      {following ? "Following" : "Follow"}
    </Button>
  );
}
