/* signup.tsx -- making an account. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Link, useNavigate, useSearchParams } from "react-router";
import { api } from "@/api/client";
import { Button } from "@/ui/button";
import { Field, PasswordField } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { toast } from "@/ui/toast";
import { Doorway } from "./frame";
import { safeNext, useBecome } from "./me";

export default function Signup() {
  const [search] = useSearchParams();
  const next = safeNext(search.get("next"));
  const navigate = useNavigate();
  const become = useBecome();
  const form = useForm({ name: "", email: "", password: "" }, async (typed) => {
    const me = await api("POST /v1/accounts", {
      body: { ...typed, email: typed.email.trim(), name: typed.name.trim() },
    });
    await become(me);
    toast.done("Your account is ready. We sent a link to confirm your e-mail address.");
    await navigate(next ?? "/explore", { replace: true });
  });
  const carry = next ? `?next=${encodeURIComponent(next)}` : "";
  return (
    <Doorway
      title="Come on in"
      lead="One account to follow and support creators, and to become one."
      foot={
        <>
          Been here before?{" "}
          <Link
            to={`/login${carry}`}
            className="font-medium text-glow underline underline-offset-4"
          >
            Log in
          </Link>
        </>
      }
    >
      <Form form={form} label="Sign up">
        <Field
          label="Your name"
          {...form.field("name")}
          autoComplete="name"
          required
          maxLength={60}
          hint="Creators you support will see it."
        />
        <Field
          label="E-mail"
          {...form.field("email")}
          type="email"
          autoComplete="username"
          required
        />
        <PasswordField
          label="Password"
          {...form.field("password")}
          autoComplete="new-password"
          required
          minLength={8}
          hint="At least 8 characters. A few words in a row are easy to keep and hard to guess."
        />
        <Button type="submit" look="lamp" size="large" busy={form.busy}>
          Make my account
        </Button>
      </Form>
    </Doorway>
  );
}
