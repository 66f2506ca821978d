/* lightbox.tsx -- one photograph on the whole screen: arrows and swipes go on, Escape closes, the description stands below. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Radix from "@radix-ui/react-dialog";
import { ChevronLeft, ChevronRight, LoaderCircle, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { PostMedia } from "@/api/schema";
import { IconButton } from "@/ui/button";
import { useReturn } from "@/ui/dialog";

interface Props {
  media: PostMedia[];
  at: number | null;
  onMove: (at: number | null) => void;
  onStale: () => void;
}

function Photo({ one, onStale }: { one: PostMedia; onStale: () => void }) {
  const [loaded, setLoaded] = useState(false);
  return (
    <>
      {!loaded && <LoaderCircle className="absolute size-8 animate-spin text-muted" aria-hidden />}
      <img
        src={one.full_url ?? one.feed_url}
        alt={one.alt || "Photo without a description"}
        width={one.width}
        height={one.height}
        onLoad={() => setLoaded(true)}
        onError={onStale}
        draggable={false}
        className="max-h-full w-auto max-w-full animate-fade object-contain select-none"
      />
    </>
  );
}

export function Lightbox({ media, at, onMove, onStale }: Props) {
  const back = useReturn();
  const touch = useRef<number | null>(null);
  const one = at === null ? undefined : media[at];
  const many = media.length > 1;
  const step = (by: number) =>
    at !== null && many && onMove((at + by + media.length) % media.length);

  /* The neighbours are fetched ahead. */
  useEffect(() => {
    if (at === null || !many) return;
    for (const by of [1, -1]) {
      const next = media[(at + by + media.length) % media.length];
      if (next?.full_url) new Image().src = next.full_url;
    }
  }, [at, many, media]);

  return (
    <Radix.Root open={one !== undefined} onOpenChange={(open) => !open && onMove(null)}>
      <Radix.Portal>
        <Radix.Content
          data-holds-page="night"
          aria-modal
          {...back}
          aria-describedby={undefined}
          className="night fixed inset-0 z-50 flex flex-col bg-[#0a0807] outline-none animate-fade"
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") step(1);
            if (event.key === "ArrowLeft") step(-1);
            if (event.key === "Home") onMove(0);
            if (event.key === "End") onMove(media.length - 1);
          }}
          onPointerDown={(event) => {
            touch.current = event.pointerType === "touch" ? event.clientX : null;
          }}
          onPointerUp={(event) => {
            const by = touch.current === null ? 0 : event.clientX - touch.current;
            touch.current = null;
            if (Math.abs(by) > 60) step(by < 0 ? 1 : -1);
          }}
        >
          <div className="flex h-14 items-center justify-between px-3">
            <Radix.Title className="tabular px-2 text-sm font-medium text-muted" aria-live="polite">
              {at !== null && (many ? `${at + 1} of ${media.length}` : "Photo")}
            </Radix.Title>
            <Radix.Close asChild>
              <IconButton label="Close">
                <X aria-hidden />
              </IconButton>
            </Radix.Close>
          </div>
          <div className="relative flex min-h-0 grow touch-pan-y items-center justify-center px-2 sm:px-16">
            {one && <Photo key={one.id} one={one} onStale={onStale} />}
            {many && (
              <>
                <IconButton
                  label="Previous photo"
                  onClick={() => step(-1)}
                  className="absolute! left-2 top-1/2 size-11! -translate-y-1/2 bg-black/50 sm:left-3"
                >
                  <ChevronLeft aria-hidden />
                </IconButton>
                <IconButton
                  label="Next photo"
                  onClick={() => step(1)}
                  className="absolute! right-2 top-1/2 size-11! -translate-y-1/2 bg-black/50 sm:right-3"
                >
                  <ChevronRight aria-hidden />
                </IconButton>
              </>
            )}
          </div>
          <p className="min-h-14 px-5 py-4 text-center text-sm text-muted">{one?.alt}</p>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
