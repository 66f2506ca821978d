/* settings.tsx -- one's own account: name, address, look, where one is logged in. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Radio from "@radix-ui/react-radio-group";
import { useQueryClient } from "@tanstack/react-query";
import {
  BadgeCheck,
  ChevronRight,
  MailWarning,
  Monitor,
  MonitorSmartphone,
  Moon,
  Sun,
  type LucideIcon,
} from "lucide-react";
import { Link } from "react-router";
import { api } from "@/api/client";
import { remember, useAct } from "@/api/query";
import type { Me } from "@/api/schema";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { date } from "@/ui/format";
import { Card, PageHead, useTitle } from "@/ui/page";
import { setTheme, useTheme, type Theme } from "@/ui/theme";
import { toast } from "@/ui/toast";
import { useMe } from "./me";

const themes: { theme: Theme; label: string; icon: LucideIcon }[] = [
  { theme: "system", label: "System", icon: Monitor },
  { theme: "light", label: "Light", icon: Sun },
  { theme: "dark", label: "Dark", icon: Moon },
];

function Profile({ me }: { me: Me }) {
  const client = useQueryClient();
  const form = useForm({ name: me.name }, async ({ name }) => {
    remember(
      client,
      "GET /v1/me",
      undefined,
      await api("PATCH /v1/me", { body: { name: name.trim() } }),
    );
    toast.done("Saved");
  });
  return (
    <Card className="p-5 sm:p-7" aria-labelledby="settings-profile">
      <h2 id="settings-profile" className="mb-5 text-lg font-semibold">
        You
      </h2>
      <Form form={form}>
        <Field
          label="Your name"
          {...form.field("name")}
          autoComplete="name"
          required
          maxLength={60}
          hint="Creators you support see it."
        />
        <div className="flex items-center justify-between gap-4">
          <p className="text-sm text-muted">Here since {date(me.created)}</p>
          <Button
            type="submit"
            look="lamp"
            busy={form.busy}
            disabled={form.values.name.trim() === me.name}
          >
            Save
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function Address({ me }: { me: Me }) {
  const again = useAct(() => api("POST /v1/email-verifications"), {
    done: () => toast.done(`A link is on its way to ${me.email}.`),
    failed: (error) => toast.failed("The mail could not be sent", error),
  });
  return (
    <Card className="p-5 sm:p-7" aria-labelledby="settings-email">
      <h2 id="settings-email" className="mb-1 text-lg font-semibold">
        E-mail
      </h2>
      <p className="break-all">{me.email}</p>
      {me.email_verified ? (
        <p className="mt-3 flex items-center gap-2 text-sm text-good">
          <BadgeCheck className="size-4.5" aria-hidden /> Confirmed
        </p>
      ) : (
        <div className="mt-4 flex flex-wrap items-center justify-between gap-4 rounded-xl bg-lamp/12 p-4">
          <p className="flex items-center gap-2.5 text-sm">
            <MailWarning className="size-5 shrink-0 text-glow" aria-hidden />
            Not confirmed yet. Open the link we mailed you.
          </p>
          <Button size="small" busy={again.isPending} onClick={() => again.mutate(undefined)}>
            Send it again
          </Button>
        </div>
      )}
    </Card>
  );
}

function Look() {
  const theme = useTheme();
  return (
    <Card className="p-5 sm:p-7" aria-labelledby="settings-look">
      <h2 id="settings-look" className="mb-4 text-lg font-semibold">
        Theme
      </h2>
      <Radio.Root
        value={theme}
        onValueChange={(value) => setTheme(value as Theme)}
        aria-labelledby="settings-look"
        className="grid grid-cols-3 gap-2.5"
      >
        {themes.map(({ theme: value, label, icon: Icon }) => (
          <Radio.Item
            key={value}
            value={value}
            className="flex flex-col items-center gap-2 rounded-xl border border-edge/50 py-4 text-sm font-medium hover:bg-raised data-[state=checked]:border-glow data-[state=checked]:bg-lamp/12 data-[state=checked]:shadow-[inset_0_0_0_1px_var(--color-glow)]"
          >
            <Icon className="size-5" aria-hidden />
            {label}
          </Radio.Item>
        ))}
      </Radio.Root>
    </Card>
  );
}

export default function Settings() {
  useTitle("Settings");
  const me = useMe();
  if (!me) return null;
  return (
    <div className="mx-auto max-w-2xl">
      <PageHead title="Settings" />
      <div className="grid gap-5">
        <Profile key={me.id} me={me} />
        <Address me={me} />
        <Look />
        <Link
          to="/settings/sessions"
          className="flex items-center gap-4 rounded-card border border-line bg-surface p-5 shadow-card hover:bg-raised sm:px-7"
        >
          <MonitorSmartphone className="size-6 text-glow" aria-hidden />
          <span className="grow">
            <span className="block font-semibold">Where you are logged in</span>
            <span className="block text-sm text-muted">
              See your devices, and log out the ones you do not know
            </span>
          </span>
          <ChevronRight className="size-5 text-muted" aria-hidden />
        </Link>
      </div>
    </div>
  );
}
