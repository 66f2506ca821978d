/* avatar.tsx -- a person's picture, or their initials on their own hue. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useState, type CSSProperties } from "react";
import { cx } from "./cx";

/* The same word always gives the same hue; like words give unlike ones. */
export function hueOf(word: string): number {
  let sum = 7;
  for (const letter of word) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  return Math.round(sum * 137.508) % 360;
}

export const hueStyle = (word: string) => ({ "--hue": hueOf(word) }) as CSSProperties;

const initials = (name: string) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase())
    .join("");

export function Avatar({
  name,
  handle,
  src,
  className,
}: {
  name: string;
  handle?: string;
  src?: string | undefined;
  className?: string;
}) {
  const [broken, setBroken] = useState<string>();
  const shape = cx("shrink-0 rounded-full object-cover", className ?? "size-10 text-sm");
  if (src && broken !== src)
    return (
      <img src={src} alt="" className={cx(shape, "bg-raised")} onError={() => setBroken(src)} />
    );
  return (
    <span
      aria-hidden
      data-initials={initials(name) || "?"}
      style={hueStyle(handle ?? name)}
      className={cx(
        shape,
        "flex items-center justify-center bg-[hsl(var(--hue)_38%_30%)] font-semibold tracking-wide text-[hsl(var(--hue)_70%_92%)] before:content-[attr(data-initials)]",
      )}
    />
  );
}
