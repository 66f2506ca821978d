/* chart.tsx -- a bar a day, drawn in SVG; the same numbers stand in a table for those who cannot see it. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useState } from "react";
import type { EarningsDays } from "@/api/schema";
import { dateShort, money } from "@/ui/format";

export interface Day {
  day: string;
  net: number;
}

const dayMs = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/* Every day of the span, those without a sale as nothing. The server's days are in UTC, and so are these. */
export function daysOf({ from, to, days }: EarningsDays, currency: string): Day[] {
  const net = new Map(
    days.filter((day) => day.currency === currency).map((day) => [day.day.slice(0, 10), day.net]),
  );
  const first = Date.parse(from);
  const n = Math.max(1, Math.round((Date.parse(to) - first) / dayMs));
  return Array.from({ length: n }, (_, i) => {
    const day = dayOf(first + i * dayMs);
    return { day, net: net.get(day) ?? 0 };
  });
}

export function Chart({ days, currency }: { days: Day[]; currency: string }) {
  const [at, setAt] = useState<number | null>(null);
  const most = Math.max(1, ...days.map(({ net }) => net));
  const shown = at === null ? undefined : days[at];
  const sum = days.reduce((total, { net }) => total + net, 0);
  return (
    <figure>
      <figcaption className="tabular mb-4 flex items-baseline justify-between gap-4 text-sm text-muted">
        <span>{shown ? dateShort(shown.day) : `Last ${days.length} days`}</span>
        <span className="text-base font-semibold text-text">
          {money(shown?.net ?? sum, currency)}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${days.length * 10} 100`}
        preserveAspectRatio="none"
        className="h-36 w-full overflow-visible"
        aria-hidden
        onPointerLeave={() => setAt(null)}
      >
        {[0, 50, 100].map((y) => (
          <path
            key={y}
            d={`M0 ${y}H${days.length * 10}`}
            stroke="var(--color-line)"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {days.map(({ day, net }, i) => {
          const height = Math.max(net > 0 ? 2 : 0, (Math.max(0, net) / most) * 100);
          return (
            <g key={day} onPointerEnter={() => setAt(i)}>
              <rect x={i * 10} y="0" width="10" height="100" fill="transparent" />
              <rect
                x={i * 10 + 1.6}
                y={100 - height}
                width="6.8"
                height={height}
                rx="1.2"
                fill={at === null || at === i ? "var(--color-lamp)" : "var(--color-edge)"}
                opacity={at === null || at === i ? 1 : 0.5}
              />
            </g>
          );
        })}
      </svg>
      <div className="mt-2 flex justify-between text-xs text-faint" aria-hidden>
        <span>{dateShort(days[0]!.day)}</span>
        <span>{dateShort(days.at(-1)!.day)}</span>
      </div>
      <div className="sr-only">
        <table>
          <caption>Net by day, days without earnings left out</caption>
          <tbody>
            {days
              .filter(({ net }) => net !== 0)
              .map(({ day, net }) => (
                <tr key={day}>
                  <th scope="row">{dateShort(day)}</th>
                  <td>{money(net, currency)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
