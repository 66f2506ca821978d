/* handle.tsx -- the field for a handle: the address of a creator's page. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Field } from "@/ui/field";

const tidy = (text: string) =>
  text
    .toLowerCase()
    .replace(/\s+/g, "_")
    .replace(/[^a-z0-9_]/g, "")
    .slice(0, 30);

export function HandleField({
  value,
  onChange,
  error,
}: {
  value: string;
  onChange: (handle: string) => void;
  error?: string | undefined;
}) {
  return (
    <Field
      label="Handle"
      name="handle"
      required
      minLength={3}
      maxLength={30}
      pattern="[a-z0-9_]+"
      autoCapitalize="none"
      autoComplete="off"
      spellCheck={false}
      before="@"
      className="pl-8"
      value={value}
      onChange={(event) => onChange(tidy(event.target.value))}
      error={error}
      hint={
        <>
          Your page will be{" "}
          <span className="break-all font-medium text-text">{`${location.host}/@${value || "you"}`}</span>
        </>
      }
    />
  );
}
