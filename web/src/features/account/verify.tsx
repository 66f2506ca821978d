/* verify.tsx -- confirming an e-mail address with the token of a mailed link. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { BadgeCheck, LoaderCircle } from "lucide-react";
import { useEffect } from "react";
import { useSearchParams } from "react-router";
import { api, ApiError } from "@/api/client";
import { forget, useAct } from "@/api/query";
import { advice } from "@/ui/advice";
import { Button, ButtonLink } from "@/ui/button";
import { FormError } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Doorway } from "./frame";
import { useMe } from "./me";

export default function Verify() {
  const [search] = useSearchParams();
  const token = search.get("token") ?? "";
  const client = useQueryClient();
  const me = useMe();
  /* A query and not an effect, so that the token is spent once however often React draws this page. */
  const confirmed = useQuery<boolean, ApiError>({
    queryKey: ["confirm", token],
    queryFn: async () => {
      await api("POST /v1/email-verifications/confirm", { body: { token } });
      return true;
    },
    enabled: token !== "",
    staleTime: Infinity,
    retry: false,
  });
  const again = useAct(() => api("POST /v1/email-verifications"), {
    done: () => toast.done("A new link is on its way."),
    failed: (error) => toast.failed("The mail could not be sent", error),
  });
  useEffect(() => {
    if (confirmed.data) void forget(client, "/v1/me");
  }, [confirmed.data, client]);

  if (confirmed.data)
    return (
      <Doorway title="That is you, then" lead="Your e-mail address is confirmed.">
        <BadgeCheck className="mb-6 size-12 text-good" aria-hidden />
        <ButtonLink to={me ? "/feed" : "/login"} look="lamp" size="large">
          {me ? "Go to your feed" : "Log in"}
        </ButtonLink>
      </Doorway>
    );
  if (token !== "" && confirmed.isPending)
    return (
      <Doorway title="One moment">
        <p role="status" className="flex items-center gap-3 text-muted">
          <LoaderCircle className="size-5 animate-spin" aria-hidden /> Confirming your address
        </p>
      </Doorway>
    );
  return (
    <Doorway
      title="This link did not work"
      lead="Links to confirm an address work once, and for one hour."
    >
      <div className="grid gap-5">
        {confirmed.error && (
          <FormError title={confirmed.error.title}>{advice(confirmed.error)}</FormError>
        )}
        {confirmed.error?.unsettled && (
          <Button onClick={() => void confirmed.refetch()}>Try again</Button>
        )}
        {me && !me.email_verified && (
          <Button look="lamp" busy={again.isPending} onClick={() => again.mutate(undefined)}>
            Send a new link
          </Button>
        )}
        {me === null && (
          <ButtonLink to="/login?next=/settings" look="lamp">
            Log in to ask for a new one
          </ButtonLink>
        )}
        {me?.email_verified && (
          <p className="text-muted">
            Your address is already confirmed. There is nothing left to do.
          </p>
        )}
      </div>
    </Doorway>
  );
}
