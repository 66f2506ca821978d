/* handle.tsx -- the field for a handle: the address of a creator's page. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Field } from "@/ui/field";
import type { FieldProps } from "@/ui/form";

const tidy = (text: string) =>
  text
    .toLowerCase()
    .replace(/\s+/g, "_")
    .replace(/[^a-z0-9_]/g, "")
    .slice(0, 30);

export function HandleField({ value, onChange, ...rest }: FieldProps) {
  return (
    <Field
      label="Handle"
      required
      minLength={3}
      maxLength={30}
      pattern="[a-z0-9_]+"
      autoCapitalize="none"
      autoComplete="off"
      spellCheck={false}
      before="@"
      className="pl-8"
      {...rest}
      value={value}
      onChange={(event) => onChange({ target: { value: tidy(event.target.value) } })}
      hint={
        <>
          Your page will be{" "}
          <span className="break-all font-medium text-text">{`${location.host}/@${value || "you"}`}</span>
        </>
      }
    />
  );
}
