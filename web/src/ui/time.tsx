/* time.tsx -- a moment, short to read and exact on hover. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ago, dateTime } from "./format";

export function Time({ when, className }: { when: string; className?: string }) {
  return (
    <time dateTime={when} title={dateTime(when)} className={className}>
      {ago(when)}
    </time>
  );
}
