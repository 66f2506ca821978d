/* banner.tsx -- the picture across the top of a creator, or a drawn curtain in their hue. */
/* SPDX-License-Identifier: Apache-2.0 */
import { cx } from "@/ui/cx";
import { hueStyle } from "@/ui/avatar";

export function Banner({
  creator,
  className,
}: {
  creator: { handle: string; banner_url?: string | undefined };
  className?: string;
}) {
  if (creator.banner_url)
    return (
      <img
        src={creator.banner_url}
        alt=""
        className={cx("w-full bg-raised object-cover", className)}
      />
    );
  return (
    <div aria-hidden style={hueStyle(creator.handle)} className={cx("curtain w-full", className)} />
  );
}
