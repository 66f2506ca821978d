/* become.tsx -- becoming a creator. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate, useNavigate } from "react-router";
import { api } from "@/api/client";
import { forget, remember } from "@/api/query";
import { useMe } from "@/features/account/me";
import { Avatar, hueStyle } from "@/ui/avatar";
import { Button } from "@/ui/button";
import { Field, TextArea } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { Card, PageHead, useTitle } from "@/ui/page";
import { toast } from "@/ui/toast";
import { HandleField } from "./handle";

export default function Become() {
  useTitle("Become a creator");
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [sent, setSent] = useState(false);
  const form = useForm({ handle: "", name: me?.name ?? "", bio: "" }, async (typed) => {
    const creator = await api("POST /v1/creators", {
      body: { ...typed, name: typed.name.trim(), bio: typed.bio.trim() },
    });
    setSent(true);
    remember(client, "GET /v1/creators/me", undefined, creator);
    await forget(client, "/v1/me", "/v1/creators");
    toast.done("Your page is open");
    await navigate("/studio", { replace: true });
  });
  const { handle, name, bio } = form.values;
  if (me?.creator && !form.busy && !sent) return <Navigate to="/studio" replace />;
  return (
    <div className="mx-auto max-w-4xl">
      <PageHead title="Become a creator">
        A page of your own, and a studio to run it from. You can change all of this later.
      </PageHead>
      <div className="grid items-start gap-8 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <Card className="p-5 sm:p-7">
          <Form form={form} label="Become a creator">
            <Field
              label="Name"
              {...form.field("name")}
              required
              maxLength={60}
              hint="What you go by. It need not be your legal name."
            />
            <HandleField {...form.field("handle")} />
            <TextArea
              label="About you"
              {...form.field("bio")}
              maxLength={1000}
              placeholder="What you make, and what people find behind your door."
            />
            <Button type="submit" look="lamp" size="large" busy={form.busy}>
              Open my page
            </Button>
          </Form>
        </Card>
        <div
          aria-hidden
          className="overflow-hidden rounded-card border border-line bg-surface shadow-card max-lg:hidden"
        >
          <div style={hueStyle(handle || "you")} className="curtain h-28" />
          <div className="px-5 pb-6">
            <Avatar
              name={name || "You"}
              handle={handle || "you"}
              className="relative -mt-9 size-17 border-4 border-surface text-xl"
            />
            <p className="display mt-3 truncate text-2xl">{name || "Your name"}</p>
            <p className="truncate text-sm text-muted">@{handle || "you"}</p>
            <p className="mt-3 line-clamp-5 whitespace-pre-line text-[0.9375rem] text-muted">
              {bio || "What people find behind your door."}
            </p>
          </div>
        </div>
      </div>
    </div>
  );
}
