/* button.tsx -- buttons, and links that look like them. */
/* SPDX-License-Identifier: Apache-2.0 */
import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";
import { cx } from "./cx";

export type Look = "lamp" | "plain" | "quiet" | "danger" | "link";
type Size = "small" | "usual" | "large";

const looks: Record<Look, string> = {
  lamp: "bg-lamp text-onlamp hover:bg-lamp-deep font-semibold shadow-[inset_0_1px_0_rgb(255_255_255/0.35)]",
  plain: "border-edge/60! bg-surface hover:bg-raised font-medium",
  quiet: "hover:bg-raised font-medium",
  danger: "bg-danger-solid text-white hover:brightness-110 font-semibold",
  link: "text-glow underline underline-offset-4 decoration-glow/40 hover:decoration-glow font-medium px-0!",
};

const sizes: Record<Size, string> = {
  small: "h-9 px-3.5 text-sm gap-1.5 rounded-full",
  usual: "h-11 px-5 text-[0.9375rem] gap-2 rounded-full",
  large: "h-13 px-7 text-base gap-2.5 rounded-full",
};

const shape =
  "inline-flex items-center justify-center border border-transparent whitespace-nowrap select-none transition-[background-color,filter,scale] active:scale-[0.98] disabled:opacity-55 disabled:active:scale-100 [&>svg]:size-[1.15em] [&>svg]:shrink-0";

interface Style {
  look?: Look;
  size?: Size;
}

export function Button({
  look = "plain",
  size = "usual",
  busy = false,
  className,
  children,
  disabled,
  type = "button",
  ...rest
}: ComponentProps<"button"> & Style & { busy?: boolean }) {
  return (
    <button
      type={type}
      className={cx(shape, looks[look], sizes[size], className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}

export function ButtonLink({
  look = "plain",
  size = "usual",
  className,
  ...rest
}: LinkProps & Style) {
  return <Link className={cx(shape, looks[look], sizes[size], className)} {...rest} />;
}

/* A button that shows only a drawing; its name is spoken and shown on hover. */
export function IconButton({
  label,
  className,
  children,
  type = "button",
  ...rest
}: ComponentProps<"button"> & { label: string; children: ReactNode }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={cx(
        "hit inline-flex size-9 items-center justify-center rounded-full transition-colors hover:bg-raised disabled:opacity-40 [&>svg]:size-5",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
