/* format.ts -- money, time and counts as people read them. */
/* SPDX-License-Identifier: Apache-2.0 */

const locale =
  typeof navigator !== "undefined" && navigator.language.startsWith("en")
    ? navigator.language
    : "en-GB";

const digitsOf = (currency: string) =>
  new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions()
    .maximumFractionDigits ?? 2;

/* Minor units to text. Whole amounts lose their zeros when `short`. */
export function money(minor: number, currency: string, short = false): string {
  const digits = digitsOf(currency);
  const whole = short && minor % 10 ** digits === 0;
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: whole ? 0 : digits,
    maximumFractionDigits: whole ? 0 : digits,
  }).format(minor / 10 ** digits);
}

/* "12.5" -> 1250 in EUR; by digits, never through a float. null when it is no amount of this currency. */
export function minorOf(text: string, currency: string): number | null {
  const digits = digitsOf(currency);
  const found = /^(\d{1,9})(?:[.,](\d*))?$/.exec(text.trim());
  if (!found) return null;
  const fraction = found[2] ?? "";
  if (fraction.length > digits) return null;
  return Number(`${found[1]}${fraction.padEnd(digits, "0")}`);
}

export function majorOf(minor: number, currency: string): string {
  const digits = digitsOf(currency);
  const text = String(minor).padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export const date = (when: string) =>
  new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" }).format(
    new Date(when),
  );

export const dateShort = (when: string) =>
  new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" }).format(new Date(when));

export const dateTime = (when: string) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(when),
  );

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
];

/* "3 hours ago" within a week, the date after it. */
export function ago(when: string, now = Date.now()): string {
  const seconds = (now - new Date(when).getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds > 7 * 86400)
    return new Date(when).getFullYear() === new Date(now).getFullYear()
      ? dateShort(when)
      : date(when);
  const [unit, size] = steps.findLast(([, least]) => seconds >= least * 0.9) ?? steps[0]!;
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }).format(
    -Math.max(1, Math.round(seconds / size)),
    unit,
  );
}

export const count = (n: number) =>
  new Intl.NumberFormat(locale, { notation: n >= 10_000 ? "compact" : "standard" }).format(n);

export const plural = (n: number, one: string, many = `${one}s`) =>
  `${count(n)} ${n === 1 ? one : many}`;

export function fileSize(bytes: number): string {
  const unit = bytes < 1_000_000 ? "kilobyte" : "megabyte";
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(
    bytes / (unit === "kilobyte" ? 1000 : 1_000_000),
  );
}
