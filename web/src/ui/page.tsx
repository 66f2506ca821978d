/* page.tsx -- the parts a page is laid out with. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useEffect, type ReactNode } from "react";
import { cx } from "./cx";

/* The tab's title. The server writes the first one for public pages; this keeps it true while moving about. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    if (title !== undefined) document.title = title ? `${title} · Stagedoor` : "Stagedoor";
  }, [title]);
}

export function PageHead({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <header className="mb-7 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div className="min-w-0">
        <h1 className="display text-[2rem] sm:text-4xl">{title}</h1>
        {children && <p className="mt-2 max-w-prose text-muted">{children}</p>}
      </div>
      {action}
    </header>
  );
}

export function Card({
  className,
  children,
  as: As = "section",
  ...rest
}: {
  className?: string;
  children: ReactNode;
  as?: "section" | "div" | "article" | "li";
  "aria-label"?: string;
  "aria-labelledby"?: string;
}) {
  return (
    <As
      className={cx("rounded-card border border-line bg-surface shadow-card", className)}
      {...rest}
    >
      {children}
    </As>
  );
}

export function Badge({
  tone = "plain",
  children,
}: {
  tone?: "plain" | "lamp" | "good" | "danger";
  children: ReactNode;
}) {
  const tones = {
    plain: "bg-raised text-muted",
    lamp: "bg-lamp/18 text-glow",
    good: "bg-good/14 text-good",
    danger: "bg-danger/12 text-danger",
  };
  return (
    <span
      className={cx(
        "inline-flex min-w-0 items-center gap-1 whitespace-nowrap rounded-full px-2.5 py-0.5 text-xs font-medium [&>svg]:size-3.5 [&>svg]:shrink-0",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
