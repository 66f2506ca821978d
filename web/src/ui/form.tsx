/* form.tsx -- what every form does: one submission at a time, errors beside the field to blame, focus led to them. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useRef, useState, type FormEvent, type ReactNode } from "react";
import { ApiError } from "@/api/client";
import { FormError } from "./field";
import { advice, sentence } from "./advice";
import { cx } from "./cx";

export interface FormState {
  busy: boolean;
  error: ApiError | null;
  /* The message for this field, if the server blamed it. */
  of: (field: string) => string | undefined;
  submit: (event: FormEvent<HTMLFormElement>) => void;
}

export function useForm(act: () => Promise<void>): FormState {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const running = useRef(false);

  const run = async (form: HTMLFormElement) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      setError(cause);
      requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
    } finally {
      running.current = false;
      setBusy(false);
    }
  };

  return {
    busy,
    error,
    of: (field) => (error?.field === field ? sentence(error.detail ?? error.title) : undefined),
    submit: (event) => {
      event.preventDefault();
      void run(event.currentTarget);
    },
  };
}

/* `fields` are the names that show their own error; whatever else goes wrong is told at the form's foot. */
export function Form({
  form,
  fields,
  className,
  children,
  label,
}: {
  form: FormState;
  fields: string[];
  className?: string;
  children: ReactNode;
  label?: string;
}) {
  const whole = form.error && !fields.includes(form.error.field ?? "") ? form.error : null;
  return (
    <form
      onSubmit={form.submit}
      className={cx("grid grid-cols-1 gap-5", className)}
      aria-label={label}
      noValidate={false}
    >
      {whole && <FormError title={whole.title}>{advice(whole)}</FormError>}
      {children}
    </form>
  );
}
