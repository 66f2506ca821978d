/* field.tsx -- form controls with their label, hint and error joined for every kind of reader. */
/* SPDX-License-Identifier: Apache-2.0 */
import { CircleAlert, Eye, EyeOff } from "lucide-react";
import { useId, useState, type ComponentProps, type ReactNode } from "react";
import { cx } from "./cx";

const control =
  "w-full rounded-xl border border-edge bg-surface px-3.5 py-2.5 text-base text-text placeholder:text-faint transition-[border-color,box-shadow] hover:border-muted focus:border-glow focus:outline-2 focus:outline-offset-0 focus:outline-glow/60 aria-invalid:border-danger disabled:opacity-60";

interface Labelled {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  /* Shown at the right of the label: a counter, a link. */
  aside?: ReactNode;
}

function Frame({
  id,
  label,
  hint,
  error,
  aside,
  children,
}: Labelled & { id: string; children: ReactNode }) {
  return (
    <div className="grid gap-1.5">
      <div className="flex items-baseline justify-between gap-3">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {aside && <span className="tabular text-xs text-faint">{aside}</span>}
      </div>
      {children}
      {error ? (
        <p id={`${id}-error`} className="flex items-start gap-1.5 text-sm text-danger">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-hint`} className="text-sm text-muted">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

const described = (id: string, error: unknown, hint: unknown) => ({
  "aria-invalid": error ? true : undefined,
  "aria-describedby": error ? `${id}-error` : hint ? `${id}-hint` : undefined,
});

export function Field({
  label,
  hint,
  error,
  aside,
  before,
  className,
  ...rest
}: ComponentProps<"input"> & Labelled & { before?: ReactNode }) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <div className="relative">
        {before && (
          <span className="pointer-events-none absolute inset-y-0 left-3.5 flex items-center text-muted">
            {before}
          </span>
        )}
        <input
          id={id}
          className={cx(control, className)}
          {...described(id, error, hint)}
          {...rest}
        />
      </div>
    </Frame>
  );
}

export function PasswordField({
  label,
  hint,
  error,
  aside,
  className,
  ...rest
}: ComponentProps<"input"> & Labelled) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <div className="relative">
        <input
          id={id}
          type={shown ? "text" : "password"}
          className={cx(control, "pr-12", className)}
          {...described(id, error, hint)}
          {...rest}
        />
        <button
          type="button"
          onClick={() => setShown(!shown)}
          aria-label={shown ? "Hide password" : "Show password"}
          aria-pressed={shown}
          className="absolute inset-y-0 right-0 flex w-12 items-center justify-center rounded-r-xl text-muted hover:text-text"
        >
          {shown ? (
            <EyeOff className="size-5" aria-hidden />
          ) : (
            <Eye className="size-5" aria-hidden />
          )}
        </button>
      </div>
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  error,
  aside,
  className,
  ...rest
}: ComponentProps<"textarea"> & Labelled) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <textarea
        id={id}
        className={cx(control, "field-sizing-content min-h-28 resize-y leading-relaxed", className)}
        {...described(id, error, hint)}
        {...rest}
      />
    </Frame>
  );
}

export function Select({
  label,
  hint,
  error,
  aside,
  className,
  children,
  ...rest
}: ComponentProps<"select"> & Labelled) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <select
        id={id}
        className={cx(control, "pr-9", className)}
        {...described(id, error, hint)}
        {...rest}
      >
        {children}
      </select>
    </Frame>
  );
}

/* What went wrong with the whole form, read out as soon as it appears. */
export function FormError({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div
      role="alert"
      className="flex gap-3 rounded-xl border border-danger/50 bg-danger/8 px-4 py-3 text-sm"
    >
      <CircleAlert className="mt-0.5 size-4.5 shrink-0 text-danger" aria-hidden />
      <div>
        <p className="font-medium">{title}</p>
        {children && <p className="mt-0.5 text-muted">{children}</p>}
      </div>
    </div>
  );
}
