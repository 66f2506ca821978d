/* earnings.tsx -- the creator's money, out of the ledger: totals, a chart of days, every entry. */
/* SPDX-License-Identifier: Apache-2.0 */
import { HandCoins } from "lucide-react";
import { useGet, usePages } from "@/api/query";
import type { EarningsBalance, EarningsEntry } from "@/api/schema";
import { ButtonLink } from "@/ui/button";
import { dateShort, dateTime, money, plural } from "@/ui/format";
import { Card, PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";
import { Chart, daysOf } from "./chart";

function Totals({ balance, releaseDays }: { balance: EarningsBalance; releaseDays: number }) {
  const { currency } = balance;
  const share = balance.gross > 0 ? Math.round((balance.fee / balance.gross) * 100) : null;
  return (
    <Card className="overflow-hidden" aria-label={`Totals in ${currency}`}>
      <div className="night relative isolate bg-[#1a1411] p-6 sm:p-8">
        <div aria-hidden className="lamplight absolute inset-0 -z-10" />
        <p className="text-sm text-muted">You have earned</p>
        <p className="sum mt-1.5 text-[2.75rem] text-lamp sm:text-6xl">
          {money(balance.net, currency)}
        </p>
        <p className="tabular mt-3 text-sm text-muted">
          {money(balance.available, currency)} available · {money(balance.pending, currency)}{" "}
          pending
        </p>
        {balance.pending > 0 && releaseDays > 0 && (
          <p className="mt-1 text-sm text-muted">
            What is pending becomes available {plural(releaseDays, "day")} after its sale.
          </p>
        )}
      </div>
      <dl
        className={`grid divide-line ${balance.tax > 0 ? "grid-cols-2 divide-y sm:grid-cols-4 sm:divide-x sm:divide-y-0" : "grid-cols-3 divide-x"}`}
      >
        {[
          { name: "Gross", amount: money(balance.gross, currency) },
          ...(balance.tax > 0 ? [{ name: "Tax", amount: `−${money(balance.tax, currency)}` }] : []),
          {
            name: share === null ? "Fee" : `Fee ${share}%`,
            amount: `−${money(balance.fee, currency)}`,
          },
          { name: "Net", amount: money(balance.net, currency) },
        ].map(({ name, amount }) => (
          <div key={name} className="px-3.5 py-4 sm:px-7">
            <dt className="text-sm text-muted">{name}</dt>
            <dd className="sum mt-1 text-[0.9375rem] tracking-tight! sm:text-lg">{amount}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Entry({ entry }: { entry: EarningsEntry }) {
  return (
    <tr className="border-t border-line">
      <td className="py-3 pl-4 pr-2 sm:pl-6">
        <span className="block text-[0.9375rem]">{entry.description || entry.kind}</span>
        <span className="block text-sm text-muted">
          {dateTime(entry.created)}
          {!entry.released && ` · available ${dateShort(entry.available)}`}
        </span>
      </td>
      <td className="tabular px-2 py-3 text-right text-muted max-sm:hidden">
        {money(entry.gross, entry.currency)}
      </td>
      <td className="tabular px-2 py-3 text-right text-muted max-sm:hidden">
        −{money(entry.fee + entry.tax, entry.currency)}
      </td>
      <td className="tabular py-3 pl-2 pr-4 text-right font-semibold sm:pr-6">
        {money(entry.net, entry.currency)}
      </td>
    </tr>
  );
}

function Days({ currency }: { currency: string }) {
  const found = useGet("GET /v1/studio/earnings/days", undefined);
  return (
    <Card className="p-5 sm:p-7" aria-label={`Net by day in ${currency}`}>
      <h2 className="mb-5 text-lg font-semibold">Net by day</h2>
      {found.data ? (
        <Chart days={daysOf(found.data, currency)} currency={currency} />
      ) : found.isError ? (
        <Failed error={found.error} retry={() => void found.refetch()} what="the chart" />
      ) : (
        <Skeleton className="h-44" />
      )}
    </Card>
  );
}

function Entries() {
  const found = usePages("GET /v1/studio/earnings/entries", { query: { limit: 50 } });
  if (found.isError && !found.items)
    return <Failed error={found.error} retry={() => void found.refetch()} what="the ledger" />;
  if (!found.items)
    return (
      <Loading>
        <Skeleton className="h-64" />
      </Loading>
    );
  if (found.items.length === 0) return null;
  return (
    <>
      <Card className="overflow-hidden" aria-labelledby="entries">
        <h2 id="entries" className="px-4 pb-4 pt-5 text-lg font-semibold sm:px-6">
          Every entry
        </h2>
        <table className="w-full text-left">
          <thead className="text-sm text-muted max-sm:sr-only">
            <tr>
              <th scope="col" className="pb-2 pl-6 font-medium">
                What
              </th>
              <th scope="col" className="px-2 pb-2 text-right font-medium">
                Gross
              </th>
              <th scope="col" className="px-2 pb-2 text-right font-medium">
                Fee
              </th>
              <th scope="col" className="pb-2 pl-2 pr-6 text-right font-medium">
                Net
              </th>
            </tr>
          </thead>
          <tbody>
            {found.items.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </tbody>
        </table>
      </Card>
      <More
        has={found.hasNextPage}
        busy={found.isFetchingNextPage}
        failed={found.isFetchNextPageError}
        load={() => void found.fetchNextPage()}
      />
    </>
  );
}

export default function Earnings() {
  useTitle("Earnings");
  const earnings = useGet("GET /v1/studio/earnings", undefined);
  const balances = earnings.data?.balances;
  return (
    <>
      <PageHead title="Earnings" />
      {earnings.isError && !balances ? (
        <Failed error={earnings.error} retry={() => void earnings.refetch()} what="your earnings" />
      ) : !balances ? (
        <Loading className="grid gap-5">
          <Skeleton className="h-60" />
          <Skeleton className="h-64" />
        </Loading>
      ) : balances.length === 0 ? (
        <Empty
          icon={HandCoins}
          title="Nothing in the box yet"
          action={
            <ButtonLink to="/studio/tiers" look="lamp">
              Look at your tiers
            </ButtonLink>
          }
        >
          When somebody subscribes, the payment appears here: what they paid, the fee, and what is
          yours.
        </Empty>
      ) : (
        <div className="grid gap-5">
          {balances.map((balance) => (
            <div key={balance.currency} className="grid grid-cols-1 gap-5">
              <Totals balance={balance} releaseDays={earnings.data?.release_days ?? 0} />
              <Days currency={balance.currency} />
            </div>
          ))}
          <Entries />
        </div>
      )}
    </>
  );
}
