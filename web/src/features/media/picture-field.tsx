/* picture-field.tsx -- choosing an avatar or a banner: shown at once, set when the server has made it. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueryClient } from "@tanstack/react-query";
import { Camera, LoaderCircle, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api, ApiError } from "@/api/client";
import { forget } from "@/api/query";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";
import { accepted, looksLikePhoto, useUploads } from "./uploads";

const routes = {
  avatar: "PUT /v1/creators/me/avatar",
  banner: "PUT /v1/creators/me/banner",
} as const;

export function usePicture(purpose: "avatar" | "banner") {
  const client = useQueryClient();
  const uploads = useUploads(purpose);
  const [preview, setPreview] = useState<string | null>(null);
  const item = uploads.items.at(-1);
  const done = useRef<string | null>(null);

  const put = async (asset: string | null) => {
    try {
      await api(routes[purpose], { body: { asset } });
      await forget(client, "/v1/creators");
      toast.done(asset ? (purpose === "avatar" ? "New picture set" : "New banner set") : "Removed");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast.failed("The picture was not set", error);
    } finally {
      setPreview(null);
    }
  };

  const latest = useRef(put);
  useEffect(() => {
    latest.current = put;
  });
  useEffect(() => {
    if (!item || done.current === item.key) return;
    if (item.state === "ready" && item.asset) {
      done.current = item.key;
      void latest.current(item.asset);
    }
    if (item.state === "failed") {
      done.current = item.key;
      setPreview(null);
      toast.failed(item.error ?? "The upload failed. Try another file.");
    }
  }, [item]);

  return {
    preview,
    busy: preview !== null,
    progress: item ? (item.state === "processing" ? 100 : item.progress) : 0,
    choose: (file: File | undefined) => {
      if (!file) return;
      if (!looksLikePhoto(file))
        return toast.failed("Choose a photograph: JPEG, PNG, WebP or HEIC.");
      setPreview(URL.createObjectURL(file));
      uploads.add([file]);
    },
    clear: () => put(null),
  };
}

export function PictureButtons({
  picture,
  has,
  what,
}: {
  picture: ReturnType<typeof usePicture>;
  has: boolean;
  what: string;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <input
        ref={input}
        type="file"
        accept={accepted}
        tabIndex={-1}
        className="sr-only"
        aria-label={`Choose a ${what}`}
        onChange={(event) => {
          picture.choose(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      <Button size="small" onClick={() => input.current?.click()} disabled={picture.busy}>
        {picture.busy ? (
          <LoaderCircle className="animate-spin" aria-hidden />
        ) : (
          <Camera aria-hidden />
        )}
        {picture.busy
          ? picture.progress < 100
            ? `Uploading ${picture.progress} %`
            : "Developing"
          : has
            ? `Change ${what}`
            : `Add a ${what}`}
      </Button>
      {has && !picture.busy && (
        <Button
          size="small"
          look="quiet"
          onClick={() => void picture.clear()}
          aria-label={`Remove the ${what}`}
        >
          <Trash2 aria-hidden /> Remove
        </Button>
      )}
    </div>
  );
}
