/* login.tsx -- logging in. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Link, useNavigate, useSearchParams } from "react-router";
import { api } from "@/api/client";
import { Button } from "@/ui/button";
import { Field, PasswordField } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { Doorway } from "./frame";
import { safeNext, useBecome } from "./me";

export default function Login() {
  const [search] = useSearchParams();
  const next = safeNext(search.get("next"));
  const navigate = useNavigate();
  const become = useBecome();
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    await api("POST /v1/sessions", { body: { email: email.trim(), password } });
    await become(await api("GET /v1/me"));
    await navigate(next ?? "/feed", { replace: true });
  });
  const carry = next ? `?next=${encodeURIComponent(next)}` : "";
  return (
    <Doorway
      title="Welcome back"
      lead={next ? "Log in to go on where you were." : undefined}
      foot={
        <>
          New here?{" "}
          <Link
            to={`/signup${carry}`}
            className="font-medium text-glow underline underline-offset-4"
          >
            Make an account
          </Link>
        </>
      }
    >
      <Form form={form} label="Log in">
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
          autoComplete="current-password"
          required
          aside={
            <Link to="/forgot" className="text-glow underline underline-offset-4">
              Forgot it?
            </Link>
          }
        />
        <Button type="submit" look="lamp" size="large" busy={form.busy}>
          Log in
        </Button>
      </Form>
    </Doorway>
  );
}
