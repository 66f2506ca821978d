/* photo-tray.tsx -- the photographs of a post being written: drop, describe, put in order, remove. */
/* SPDX-License-Identifier: Apache-2.0 */
import {
  ArrowLeft,
  ArrowRight,
  FileImage,
  ImageOff,
  ImagePlus,
  RotateCw,
  Trash2,
} from "lucide-react";
import { useEffect, useId, useRef, useState, type DragEvent } from "react";
import { api } from "@/api/client";
import { Button, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { toast } from "@/ui/toast";
import { accepted, looksLikePhoto, type Shown, type useUploads } from "./uploads";

type Uploads = ReturnType<typeof useUploads>;

const photosMax = 20;

function Progress({ item }: { item: Shown }) {
  const label =
    item.state === "waiting" ? "Waiting" : item.state === "sending" ? "Uploading" : "Developing";
  return (
    <div className="night absolute inset-x-0 bottom-0 bg-linear-to-t from-black/85 to-transparent p-3 pt-8">
      <div className="tabular mb-1.5 flex justify-between text-xs font-medium">
        <span>{label}</span>
        <span>
          {item.state === "waiting" || (item.state === "processing" && item.progress === 0)
            ? ""
            : `${item.progress} %`}
        </span>
      </div>
      <div
        role="progressbar"
        aria-label={`${label} ${item.file?.name ?? "photo"}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={item.progress}
        className="h-1.5 overflow-hidden rounded-full bg-white/25"
      >
        {item.state === "processing" && item.progress === 0 ? (
          <div className="h-full animate-shimmer rounded-full bg-lamp/70" />
        ) : (
          <div
            style={{ width: `${item.progress}%` }}
            className="h-full rounded-full bg-lamp transition-[width] duration-300"
          />
        )}
      </div>
    </div>
  );
}

function Picture({ item }: { item: Shown }) {
  const [broken, setBroken] = useState<string>();
  /* A browser that cannot show HEIC waits for the server's own rendition. */
  if (!item.picture || broken === item.picture)
    return (
      <div className="absolute inset-x-0 top-0 flex h-3/4 flex-col items-center justify-center gap-1.5 px-3 text-center text-xs text-muted">
        {item.state === "failed" ? (
          <ImageOff className="size-7" aria-hidden />
        ) : (
          <FileImage className="size-7" aria-hidden />
        )}
        <span className="max-w-full truncate">{item.file?.name}</span>
      </div>
    );
  return (
    <img
      src={item.picture}
      alt=""
      onError={() => setBroken(item.picture)}
      className={cx(
        "absolute inset-0 size-full object-cover",
        item.state === "failed" && "opacity-30 grayscale",
      )}
    />
  );
}

function Tile({
  item,
  index,
  total,
  uploads,
  drag,
}: {
  item: Shown;
  index: number;
  total: number;
  uploads: Uploads;
  drag: { from: number | null; set: (from: number | null) => void };
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  const saved = useRef(item.alt);
  const name = `photo ${index + 1}`;

  const remove = () => {
    const { key, alt, asset, thumb, file, preview } = item;
    uploads.remove(key);
    toast.done("Photo removed", {
      label: "Undo",
      run: () =>
        uploads.insert(
          {
            key,
            alt,
            sent: asset ? 100 : 0,
            ...(asset ? { asset } : {}),
            thumb,
            ...(file ? { file } : {}),
            ...(preview ? { preview } : {}),
          },
          index,
        ),
    });
  };

  const saveAlt = async () => {
    if (!item.asset || item.alt === saved.current) return;
    const alt = item.alt;
    try {
      await api("PATCH /v1/media/{asset}", { params: { asset: item.asset }, body: { alt } });
      saved.current = alt;
    } catch (error) {
      toast.failed("The description was not saved", error, {
        label: "Again",
        run: () => void saveAlt(),
      });
    }
  };

  return (
    <li
      onDragOver={(event) => {
        if (drag.from === null) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (drag.from === null) return;
        event.preventDefault();
        event.stopPropagation();
        uploads.move(drag.from, index);
        drag.set(null);
      }}
      className={cx(
        "overflow-hidden rounded-2xl border bg-surface transition-[opacity,border-color]",
        over ? "border-glow" : "border-line",
        drag.from === index && "opacity-50",
      )}
    >
      <div
        draggable
        onDragStart={() => drag.set(index)}
        onDragEnd={() => drag.set(null)}
        className="relative aspect-[4/3] cursor-grab bg-raised active:cursor-grabbing"
      >
        <Picture item={item} />
        {(item.state === "waiting" || item.state === "sending" || item.state === "processing") && (
          <Progress item={item} />
        )}
        {index === 0 && total > 1 && (
          <span className="night absolute left-2.5 top-2.5 rounded-full bg-black/65 px-2.5 py-1 text-xs font-medium">
            First
          </span>
        )}
      </div>
      <div className="p-3">
        {item.state === "failed" ? (
          <div role="alert">
            <p className="text-sm font-medium text-danger">{item.error}</p>
            {item.file && (
              <Button size="small" className="mt-2" onClick={() => uploads.retry(item.key)}>
                <RotateCw aria-hidden /> Try again
              </Button>
            )}
          </div>
        ) : (
          <>
            <label htmlFor={id} className="sr-only">
              Description of {name}
            </label>
            <textarea
              id={id}
              value={item.alt}
              rows={1}
              maxLength={500}
              onChange={(event) => uploads.change(item.key, { alt: event.target.value })}
              onBlur={() => void saveAlt()}
              placeholder="Describe it"
              className="field-sizing-content block max-h-32 w-full resize-none rounded-lg border border-edge/70 bg-surface px-3 py-2 text-sm placeholder:text-faint focus:border-glow"
            />
          </>
        )}
        <div className="mt-2 flex items-center justify-between">
          <div className="flex">
            <IconButton
              label={`Move ${name} earlier`}
              disabled={index === 0}
              onClick={() => uploads.move(index, index - 1)}
            >
              <ArrowLeft aria-hidden />
            </IconButton>
            <IconButton
              label={`Move ${name} later`}
              disabled={index === total - 1}
              onClick={() => uploads.move(index, index + 1)}
            >
              <ArrowRight aria-hidden />
            </IconButton>
          </div>
          <IconButton label={`Remove ${name}`} onClick={remove} className="text-danger">
            <Trash2 aria-hidden />
          </IconButton>
        </div>
      </div>
    </li>
  );
}

export function PhotoTray({ uploads }: { uploads: Uploads }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [from, setFrom] = useState<number | null>(null);
  const { items } = uploads;

  const take = (files: FileList | null) => {
    if (!files) return;
    const photos = [...files].filter(looksLikePhoto);
    const room = photosMax - items.length;
    if (photos.length < files.length)
      toast.failed("Only photographs can be added here: JPEG, PNG, WebP or HEIC.");
    if (photos.length > room)
      toast.failed(`A post holds ${photosMax} photos at most; the rest was left out.`);
    uploads.add(photos.slice(0, room));
  };

  /* A file dropped beside the tray would replace the page, and what was written with it. */
  useEffect(() => {
    const refuse = (event: globalThis.DragEvent) => event.preventDefault();
    addEventListener("dragover", refuse);
    addEventListener("drop", refuse);
    return () => {
      removeEventListener("dragover", refuse);
      removeEventListener("drop", refuse);
    };
  }, []);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (from === null) take(event.dataTransfer.files);
  };

  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        if (from === null) setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        accept={accepted}
        multiple
        tabIndex={-1}
        className="sr-only"
        aria-label="Choose photos"
        onChange={(event) => {
          take(event.target.files);
          event.target.value = "";
        }}
      />
      {items.length > 0 && (
        <ul className="mb-4 grid grid-cols-2 gap-3 sm:grid-cols-3">
          {items.map((item, index) => (
            <Tile
              key={item.key}
              item={item}
              index={index}
              total={items.length}
              uploads={uploads}
              drag={{ from, set: setFrom }}
            />
          ))}
        </ul>
      )}
      <button
        type="button"
        onClick={() => input.current?.click()}
        disabled={items.length >= photosMax}
        className={cx(
          "flex w-full items-center justify-center gap-4 rounded-2xl border-2 border-dashed px-6 text-left transition-colors",
          items.length > 0 ? "py-4" : "py-10",
          over ? "border-glow bg-lamp/15" : "border-edge/60 hover:border-edge hover:bg-raised/60",
        )}
      >
        <ImagePlus className="size-7 shrink-0 text-glow" aria-hidden />
        <span>
          <span className="block font-semibold">
            {items.length > 0 ? "Add more photos" : "Add photos"}
          </span>
          <span className="block text-sm text-muted">
            Drop them here, or choose them. JPEG, PNG, WebP, HEIC; place and camera data are
            removed.
          </span>
        </span>
      </button>
    </div>
  );
}
