/* tiers.tsx -- what the creator offers, and for how much. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Archive, PenLine, Plus, Ticket } from "lucide-react";
import { useState } from "react";
import { api } from "@/api/client";
import { forget, useAct, useGet, useIntent } from "@/api/query";
import type { Tier } from "@/api/schema";
import { useQueryClient } from "@tanstack/react-query";
import { Button } from "@/ui/button";
import { Confirm, Dialog } from "@/ui/dialog";
import { Field, Select, TextArea } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { majorOf, minorOf, money } from "@/ui/format";
import { PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, Skeleton } from "@/ui/state";
import { toast } from "@/ui/toast";
import { TierTicket } from "./tier";

/* The currencies of the program (base/money.c), the common ones first. */
const currencies =
  "EUR USD GBP AED AUD BGN BRL CAD CHF CZK DKK HKD HUF INR JPY KWD MXN MYR NOK NZD PLN RON SEK SGD".split(
    " ",
  );

const tierPaths = ["/v1/creators"];

function TierForm({ tier, done }: { tier: Tier | null; done: () => void }) {
  const client = useQueryClient();
  const intent = useIntent();
  const [wrong, setWrong] = useState(false);
  const initial = {
    name: tier?.name ?? "",
    description: tier?.description ?? "",
    currency: tier?.currency ?? "EUR",
    price: tier ? majorOf(tier.price, tier.currency) : "",
  };
  const form = useForm(initial, async (typed) => {
    const price = minorOf(typed.price, typed.currency);
    setWrong(price === null);
    if (price === null) return;
    const body = { name: typed.name.trim(), description: typed.description.trim(), price };
    if (tier) await api("PATCH /v1/tiers/{tier}", { params: { tier: tier.id }, body });
    else {
      const whole = { ...body, currency: typed.currency };
      await intent(whole, (key) => api("POST /v1/creators/me/tiers", { body: whole, key }));
    }
    void forget(client, ...tierPaths);
    toast.done(tier ? "Tier saved" : "Tier made");
    done();
  });
  const { name, description, currency } = form.values;
  const minor = minorOf(form.values.price, currency);
  const price = form.field("price");
  return (
    <Form form={form} label={tier ? "Edit tier" : "New tier"}>
      <TierTicket
        tier={{ name: name || "Your tier", description, price: minor ?? 0, currency }}
        lit
        level="p"
      />
      <Field label="Name" {...form.field("name")} required maxLength={60} placeholder="Backstage" />
      <div className="grid grid-cols-[1fr_7.5rem] items-start gap-3">
        <Field
          label="Price a month"
          {...price}
          inputMode="decimal"
          required
          error={
            wrong && minor === null
              ? `Write an amount, like ${majorOf(500, currency)}.`
              : price.error
          }
          placeholder={majorOf(500, currency)}
        />
        <Select label="Currency" {...form.field("currency")} disabled={tier !== null}>
          {currencies.map((code) => (
            <option key={code}>{code}</option>
          ))}
        </Select>
      </div>
      {tier && tier.price !== minor && (
        <p className="-mt-2 text-sm text-muted">
          Those who subscribe already keep paying {money(tier.price, tier.currency)}; the new price
          is for new subscribers.
        </p>
      )}
      <TextArea
        label="What is in it"
        {...form.field("description")}
        maxLength={1000}
        placeholder="Every photo in full, and the stories behind them."
      />
      <Button type="submit" look="lamp" size="large" busy={form.busy}>
        {tier ? "Save tier" : "Make tier"}
      </Button>
    </Form>
  );
}

export default function Tiers() {
  useTitle("Tiers");
  const creator = useGet("GET /v1/creators/me", undefined);
  const [edited, setEdited] = useState<Tier | "new" | null>(null);
  const [doomed, setDoomed] = useState<Tier | null>(null);
  const archive = useAct(
    (tier: Tier) => api("DELETE /v1/tiers/{tier}", { params: { tier: tier.id } }),
    {
      forgets: tierPaths,
      done: () => toast.done("Tier archived"),
    },
  );
  const tiers = creator.data?.tiers.filter((tier) => !tier.archived) ?? [];
  return (
    <>
      <PageHead
        title="Tiers"
        action={
          tiers.length > 0 && (
            <Button look="lamp" onClick={() => setEdited("new")}>
              <Plus aria-hidden /> New tier
            </Button>
          )
        }
      >
        A tier is a monthly price and what people get for it.
      </PageHead>
      {creator.isPending ? (
        <Loading className="grid gap-4 sm:grid-cols-2">
          <Skeleton className="h-36" />
          <Skeleton className="h-36" />
        </Loading>
      ) : creator.isError && !creator.data ? (
        <Failed error={creator.error} retry={() => void creator.refetch()} what="your tiers" />
      ) : tiers.length === 0 ? (
        <Empty
          icon={Ticket}
          title="No tiers yet"
          action={
            <Button look="lamp" onClick={() => setEdited("new")}>
              Make your first tier
            </Button>
          }
        >
          One is enough to start. Name it, set a price, say what is in it.
        </Empty>
      ) : (
        <ul className="grid grid-cols-1 gap-4 sm:grid-cols-2">
          {tiers.map((tier) => (
            <li key={tier.id} className="grid grid-cols-1">
              <TierTicket tier={tier} level="h2">
                <div className="-ml-2 flex flex-wrap gap-1">
                  <Button
                    size="small"
                    look="quiet"
                    onClick={() => setEdited(tier)}
                    aria-label={`Edit ${tier.name}`}
                  >
                    <PenLine aria-hidden /> Edit
                  </Button>
                  <Button
                    size="small"
                    look="quiet"
                    onClick={() => setDoomed(tier)}
                    aria-label={`Archive ${tier.name}`}
                  >
                    <Archive aria-hidden /> Archive
                  </Button>
                </div>
              </TierTicket>
            </li>
          ))}
        </ul>
      )}
      <Dialog
        open={edited !== null}
        onOpen={(open) => !open && setEdited(null)}
        title={edited === "new" ? "New tier" : "Edit tier"}
      >
        <TierForm tier={edited === "new" ? null : edited} done={() => setEdited(null)} />
      </Dialog>
      <Confirm
        open={doomed !== null}
        onOpen={(open) => !open && setDoomed(null)}
        title={`Archive ${doomed?.name ?? "tier"}?`}
        act="Archive tier"
        onConfirm={async () => {
          if (doomed) await archive.mutateAsync(doomed);
        }}
      >
        <p>
          Nobody new can choose it, and it cannot be brought back. Those who subscribe to it now
          keep it, and keep paying, until they cancel.
        </p>
      </Confirm>
    </>
  );
}
