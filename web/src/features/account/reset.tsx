/* reset.tsx -- setting a new password with the token of a mailed link. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useNavigate, useSearchParams } from "react-router";
import { api } from "@/api/client";
import { Button, ButtonLink } from "@/ui/button";
import { PasswordField } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { toast } from "@/ui/toast";
import { Doorway } from "./frame";
import { useBecome } from "./me";

export default function Reset() {
  const [search] = useSearchParams();
  const token = search.get("token");
  const navigate = useNavigate();
  const become = useBecome();
  const form = useForm({ password: "" }, async ({ password }) => {
    await api("POST /v1/password-resets/confirm", { body: { token: token ?? "", password } });
    await become(null);
    toast.done("Your new password is set. Log in with it.");
    await navigate("/login", { replace: true });
  });
  if (!token)
    return (
      <Doorway
        title="This link is not whole"
        lead="The part that proves it is yours is missing. Open the link from the mail again, or ask for a new one."
      >
        <ButtonLink to="/forgot" look="lamp">
          Ask for a new link
        </ButtonLink>
      </Doorway>
    );
  const stale = form.error?.code === "token_spent";
  return (
    <Doorway title="Set a new password" lead="You will be logged out everywhere else.">
      <Form form={form} label="Set a new password">
        <PasswordField
          label="New password"
          {...form.field("password")}
          autoComplete="new-password"
          required
          minLength={8}
          hint="At least 8 characters."
        />
        <Button type="submit" look="lamp" size="large" busy={form.busy}>
          Set password
        </Button>
        {stale && (
          <ButtonLink to="/forgot" look="plain">
            Ask for a new link
          </ButtonLink>
        )}
      </Form>
    </Doorway>
  );
}
