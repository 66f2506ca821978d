/* forgot.tsx -- asking for a link to set a new password. */
/* SPDX-License-Identifier: Apache-2.0 */
import { MailCheck } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "@/api/client";
import { Button, ButtonLink } from "@/ui/button";
import { Field } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { Doorway } from "./frame";

export default function Forgot() {
  const [sent, setSent] = useState(false);
  const form = useForm({ email: "" }, async ({ email }) => {
    await api("POST /v1/password-resets", { body: { email: email.trim() } });
    setSent(true);
  });
  if (sent)
    return (
      <Doorway title="Look in your mail">
        <div role="status" className="grid gap-5">
          <MailCheck className="size-10 text-glow" aria-hidden />
          <p className="text-muted">
            If <strong className="font-medium text-text">{form.values.email}</strong> has an account
            here, a link to set a new password is on its way. It works once, and for one hour.
          </p>
          <p className="text-muted">
            Nothing after a few minutes? Look among unwanted mail, or check that the address is
            spelled right.
          </p>
          <div className="flex flex-wrap gap-3">
            <ButtonLink to="/login" look="lamp">
              Back to log in
            </ButtonLink>
            <Button onClick={() => setSent(false)}>Another address</Button>
          </div>
        </div>
      </Doorway>
    );
  return (
    <Doorway
      title="A new password"
      lead="Tell us the address of your account. We send a link to set a new password."
      foot={
        <Link to="/login" className="font-medium text-glow underline underline-offset-4">
          Back to log in
        </Link>
      }
    >
      <Form form={form} label="Ask for a new password">
        <Field
          label="E-mail"
          {...form.field("email")}
          type="email"
          autoComplete="username"
          required
        />
        <Button type="submit" look="lamp" size="large" busy={form.busy}>
          Send the link
        </Button>
      </Form>
    </Doorway>
  );
}
