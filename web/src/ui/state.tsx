/* state.tsx -- what stands where content does not: still loading, nothing yet, or something went wrong. */
/* SPDX-License-Identifier: Apache-2.0 */
import { LoaderCircle, RotateCw, type LucideIcon } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { useLocation } from "react-router";
import { reason } from "./advice";
import { Button, ButtonLink } from "./button";
import { cx } from "./cx";
import { ApiError } from "@/api/client";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("animate-shimmer rounded-xl bg-raised", className)} />;
}

/* Says "Loading" to a screen reader while skeletons stand in for what is coming. */
export function Loading({
  label = "Loading",
  children,
  className,
}: {
  label?: string;
  children: ReactNode;
  className?: string;
}) {
  return (
    <div role="status" className={className}>
      <span className="sr-only">{label}</span>
      {children}
    </div>
  );
}

export function Empty({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      <span className="relative mb-5 flex size-16 items-center justify-center rounded-full bg-lamp/14 text-glow">
        <Icon className="size-7" aria-hidden />
      </span>
      <h2 className="display text-2xl">{title}</h2>
      {children && <p className="mt-2.5 text-muted">{children}</p>}
      {action && <div className="mt-6 flex flex-wrap justify-center gap-3">{action}</div>}
    </div>
  );
}

export function Failed({
  error,
  retry,
  what = "this",
}: {
  error: unknown;
  retry: () => void;
  what?: string;
}) {
  const here = useLocation();
  const missing = error instanceof ApiError && error.status === 404;
  const out = error instanceof ApiError && error.code === "signed_out";
  return (
    <div
      role="alert"
      className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center"
    >
      <h2 className="display text-2xl">{missing ? "Nothing here" : `We could not load ${what}`}</h2>
      <p className="mt-2.5 text-muted">{reason(error)}</p>
      <div className="mt-6 flex flex-wrap justify-center gap-3">
        {out && (
          <ButtonLink
            look="lamp"
            to={`/login?next=${encodeURIComponent(here.pathname + here.search)}`}
          >
            Log in
          </ButtonLink>
        )}
        <Button onClick={retry}>
          <RotateCw aria-hidden />
          Try again
        </Button>
      </div>
    </div>
  );
}

/* The foot of a list: brings the next page when it comes into view, and by its button for those who do not scroll. */
export function More({
  has,
  busy,
  failed,
  load,
}: {
  has: boolean;
  busy: boolean;
  failed?: boolean;
  load: () => void;
}) {
  const foot = useRef<HTMLDivElement>(null);
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    if (!has || failed || !foot.current) return;
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && latest.current(), {
      rootMargin: "600px",
    });
    watch.observe(foot.current);
    return () => watch.disconnect();
  }, [has, failed, busy]);
  if (!has) return null;
  return (
    <div ref={foot} className="flex flex-col items-center gap-3 py-8">
      {failed && <p className="text-sm text-danger">The next page did not arrive.</p>}
      <Button size="small" onClick={load} disabled={busy}>
        {busy && <LoaderCircle className="animate-spin" aria-hidden />}
        {busy ? "Loading more" : failed ? "Try again" : "Show more"}
      </Button>
    </div>
  );
}
