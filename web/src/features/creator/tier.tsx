/* tier.tsx -- a tier, drawn as the ticket it is. */
/* SPDX-License-Identifier: Apache-2.0 */
import type { ReactNode } from "react";
import type { Tier } from "@/api/schema";
import { cx } from "@/ui/cx";
import { money } from "@/ui/format";

export function cheapest(tiers: Tier[]): Tier | undefined {
  return tiers.filter((tier) => !tier.archived).sort((a, b) => a.price - b.price)[0];
}

interface TicketProps {
  tier: Pick<Tier, "name" | "description" | "price" | "currency">;
  /* Below the description: a button, a state. */
  children?: ReactNode;
  className?: string;
  lit?: boolean;
  level?: "h2" | "h3" | "p";
}

export function TierTicket({ tier, children, className, lit, level: Name = "h3" }: TicketProps) {
  return (
    <div
      className={cx(
        "ticket relative flex min-h-28 rounded-xl",
        lit ? "bg-lamp/20" : "bg-raised",
        className,
      )}
    >
      <div className="flex min-w-0 grow flex-col py-4 pl-5 pr-4">
        <Name className="font-semibold leading-snug">{tier.name}</Name>
        {tier.description && (
          <p className="mt-1 whitespace-pre-line text-sm leading-relaxed text-muted">
            {tier.description}
          </p>
        )}
        {children && <div className="mt-auto pt-3.5">{children}</div>}
      </div>
      <div aria-hidden className="perforated absolute inset-y-3 right-[6.45rem] w-0.5" />
      <div className="flex w-26 shrink-0 flex-col items-center justify-center px-2 text-center">
        <span className="sum text-[1.375rem]">{money(tier.price, tier.currency, true)}</span>
        <span className="mt-0.5 text-xs text-muted">a month</span>
      </div>
    </div>
  );
}
