/* form.tsx -- what every form does: it keeps what was typed, submits once at a time, shows errors beside the field to blame and
 * leads the focus to them.
 *
 *   const form = useForm({ email: "", password: "" }, async ({ email, password }) => { ... });
 *   <Form form={form}><Field label="E-mail" type="email" {...form.field("email")} /> ... */
/* SPDX-License-Identifier: Apache-2.0 */
import { useRef, useState, type FormEvent, type ReactNode } from "react";
import { ApiError } from "@/api/client";
import { FormError } from "./field";
import { advice, sentence } from "./advice";
import { cx } from "./cx";

type Values = Record<string, string>;

export interface FieldProps {
  name: string;
  value: string;
  onChange: (event: { target: { value: string } }) => void;
  error: string | undefined;
}

export interface FormState<V extends Values = Values> {
  values: V;
  busy: boolean;
  error: ApiError | null;
  /* What goes wrong with no field of this form, for its head. */
  whole: ApiError | null;
  field: (name: keyof V & string) => FieldProps;
  submit: (event: FormEvent<HTMLFormElement>) => void;
}

export function useForm<V extends Values>(
  initial: V,
  act: (values: V) => Promise<void>,
): FormState<V> {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const running = useRef(false);

  const run = async (form: HTMLFormElement) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await act(values);
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
    values,
    busy,
    error,
    whole: error && !Object.hasOwn(values, error.field ?? "") ? error : null,
    field: (name) => ({
      name,
      value: values[name] ?? "",
      onChange: (event) => {
        const { value } = event.target;
        setValues((before) => ({ ...before, [name]: value }));
      },
      error: error?.field === name ? sentence(error.detail ?? error.title) : undefined,
    }),
    submit: (event) => {
      event.preventDefault();
      void run(event.currentTarget);
    },
  };
}

export function Form({
  form,
  className,
  children,
  label,
}: {
  form: Pick<FormState, "submit" | "whole">;
  className?: string;
  children: ReactNode;
  label?: string;
}) {
  return (
    <form
      onSubmit={form.submit}
      className={cx("grid grid-cols-1 gap-5", className)}
      aria-label={label}
      noValidate={false}
    >
      {form.whole && <FormError title={form.whole.title}>{advice(form.whole)}</FormError>}
      {children}
    </form>
  );
}
