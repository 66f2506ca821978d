/* logo.tsx -- the mark: a lit door under a lamp. */
/* SPDX-License-Identifier: Apache-2.0 */
import { cx } from "./cx";

export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={cx("size-8", className)} aria-hidden>
      <rect width="32" height="32" rx="8" fill="#17130f" />
      <path d="M16 6.2 26 27H6z" fill="#f7b24a" opacity=".28" />
      <path d="M11 27V14.5a5 5 0 0 1 10 0V27z" fill="#f7b24a" />
      <circle cx="18.4" cy="20.6" r="1.15" fill="#17130f" />
      <path d="M12.4 7.4a3.6 3.6 0 0 1 7.2 0z" fill="#ffe2b0" />
    </svg>
  );
}

export function Logo({ className }: { className?: string }) {
  return (
    <span className={cx("inline-flex items-center gap-2.5", className)}>
      <Mark className="rounded-[8px] shadow-[0_0_0_1px_rgb(247_178_74/0.25)]" />
      <span className="display translate-y-[0.06em] text-[1.3rem]">Stagedoor</span>
    </span>
  );
}
