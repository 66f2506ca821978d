/* photos.tsx -- the photographs of a post: one large, more as a mosaic; each opens the lightbox. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useState, type CSSProperties } from "react";
import type { PostMedia } from "@/api/schema";
import { cx } from "@/ui/cx";
import { Lightbox } from "./lightbox";

/* A lone photograph keeps its own shape, within what fits a screen. */
const ratio = (media: PostMedia) => Math.min(1.91, Math.max(0.8, media.width / media.height || 1));

const mosaic = [
  "",
  "",
  "grid-cols-2 aspect-[3/2]",
  "grid-cols-2 grid-rows-2 aspect-[3/2]",
  "grid-cols-2 grid-rows-2 aspect-square sm:aspect-[5/4]",
];

export function Photos({
  media,
  onStale,
  eager,
}: {
  media: PostMedia[];
  onStale: () => void;
  eager?: boolean;
}) {
  const [open, setOpen] = useState<number | null>(null);
  const shown = media.slice(0, 4);
  const more = media.length - shown.length;
  if (media.length === 0) return null;
  return (
    <>
      <div
        style={
          media.length === 1 ? ({ aspectRatio: ratio(media[0]!) } as CSSProperties) : undefined
        }
        className={cx("grid gap-1 overflow-hidden", media.length > 1 && mosaic[shown.length])}
      >
        {shown.map((one, index) => (
          <button
            key={one.id}
            type="button"
            onClick={() => setOpen(index)}
            aria-label={`Open ${one.alt ? `photo: ${one.alt}` : `photo ${index + 1} of ${media.length}`}`}
            className={cx(
              "group relative min-h-0 overflow-hidden bg-raised -outline-offset-4 focus-visible:outline-4",
              shown.length === 3 && index === 0 && "row-span-2",
            )}
          >
            <img
              src={one.feed_url}
              alt=""
              width={one.width}
              height={one.height}
              loading={eager ? "eager" : "lazy"}
              decoding="async"
              onError={onStale}
              className="absolute inset-0 size-full object-cover transition-transform duration-500 group-hover:scale-[1.015]"
            />
            {more > 0 && index === 3 && (
              <span
                aria-hidden
                data-more={`+${more}`}
                className="night absolute inset-0 flex items-center justify-center bg-black/55 text-2xl font-semibold before:content-[attr(data-more)]"
              />
            )}
          </button>
        ))}
      </div>
      <Lightbox media={media} at={open} onMove={setOpen} onStale={onStale} />
    </>
  );
}
