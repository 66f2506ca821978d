/* uploads.ts -- files on their way in: two at a time, each with its own progress, each can be stopped or tried again.
 *
 * An upload has two halves. Our own half is the bytes going out (XHR progress). The server's half is the asset being made
 * into renditions; that one is watched through the asset itself, which the event stream keeps fresh (and a slow poll, should
 * the stream be down). The server answers the upload only when that is done, or takes long; until then the asset is found in
 * the vault by its name and size. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useReducer, useRef } from "react";
import { api, ApiError, newKey, upload } from "@/api/client";
import type { Asset } from "@/api/schema";
import { sentence } from "@/ui/advice";

export interface Item {
  /* Names the item on this page; the asset's id comes only once the bytes have arrived. */
  key: string;
  file?: File;
  preview?: string;
  sent: number;
  asset?: string | undefined;
  /* A picture known before the asset was asked for (when an existing post is edited). */
  thumb?: string | undefined;
  error?: string | undefined;
  alt: string;
}

/* What one sees of an item: both halves joined. */
export interface Shown extends Item {
  state: "waiting" | "sending" | "processing" | "ready" | "failed";
  progress: number;
  picture: string | undefined;
}

type Act =
  | { do: "add"; items: Item[] }
  | { do: "change"; key: string; with: Partial<Item> }
  | { do: "move"; from: number; to: number }
  | { do: "remove"; key: string }
  | { do: "insert"; item: Item; at: number };

function reduce(items: Item[], act: Act): Item[] {
  switch (act.do) {
    case "add":
      return [...items, ...act.items];
    case "change":
      return items.map((item) => (item.key === act.key ? { ...item, ...act.with } : item));
    case "remove":
      return items.filter((item) => item.key !== act.key);
    case "insert":
      return items.toSpliced(act.at, 0, act.item);
    case "move": {
      const moved = items[act.from];
      if (!moved || act.to < 0 || act.to >= items.length) return items;
      return items.toSpliced(act.from, 1).toSpliced(act.to, 0, moved);
    }
  }
}

const atOnce = 2;

export function useUploads(purpose: Asset["purpose"], first: Item[] = []) {
  const [items, dispatch] = useReducer(reduce, first);
  const client = useQueryClient();
  const running = useRef(new Map<string, AbortController>());
  /* Every item is sent once, whatever an effect of an older drawing may still believe of it. */
  const started = useRef(new Set<string>());

  const send = useCallback(
    async (item: Item) => {
      if (!item.file) return;
      const stop = new AbortController();
      started.current.add(item.key);
      running.current.set(item.key, stop);
      try {
        const asset = await upload(
          item.file,
          { purpose, filename: item.file.name },
          {
            signal: stop.signal,
            progress: (sent) => dispatch({ do: "change", key: item.key, with: { sent } }),
          },
        );
        client.setQueryData([`/v1/media/${asset.id}`], asset);
        if (item.alt)
          void api("PATCH /v1/media/{asset}", {
            params: { asset: asset.id },
            body: { alt: item.alt },
          });
        dispatch({ do: "change", key: item.key, with: { sent: 100, asset: asset.id } });
      } catch (error) {
        if (error instanceof ApiError)
          dispatch({
            do: "change",
            key: item.key,
            with: { sent: 0, error: sentence(error.detail ?? error.title) },
          });
        else if (!(error instanceof DOMException)) throw error;
      } finally {
        running.current.delete(item.key);
      }
    },
    [client, purpose],
  );

  useEffect(() => {
    const free = atOnce - running.current.size;
    const waiting = items.filter(
      (item) => item.file && !item.asset && !item.error && !started.current.has(item.key),
    );
    for (const item of waiting.slice(0, Math.max(0, free))) void send(item);
  }, [items, send]);

  /* Leaving the page stops what is under way and gives the previews back. */
  const previews = useRef<Set<string>>(new Set());
  useEffect(() => {
    const stops = running.current;
    const shown = previews.current;
    return () => {
      for (const stop of stops.values()) stop.abort();
      for (const preview of shown) URL.revokeObjectURL(preview);
    };
  }, []);

  const unanswered = items.filter(
    (item) => item.file && !item.asset && !item.error && item.sent === 100,
  );
  const vault = useQuery({
    queryKey: ["/v1/media", "newest"],
    queryFn: ({ signal }) => api("GET /v1/media", { query: { limit: 20 }, signal }),
    enabled: unanswered.length > 0,
    refetchInterval: 1000,
  }).data;
  useEffect(() => {
    for (const item of unanswered) {
      const taken = new Set(items.map((one) => one.asset));
      const asset = vault?.items.find(
        (one) =>
          one.state === "processing" &&
          one.filename === item.file?.name &&
          one.bytes === item.file.size &&
          !taken.has(one.id),
      );
      if (asset) dispatch({ do: "change", key: item.key, with: { asset: asset.id } });
    }
    /* Only a fresh look at the vault can bring news. */
  }, [vault]);

  const assets = useQueries({
    queries: items.map((item) => ({
      queryKey: [`/v1/media/${item.asset ?? "none"}`],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api("GET /v1/media/{asset}", { params: { asset: item.asset ?? "" }, signal }),
      enabled: item.asset !== undefined,
      refetchInterval: (query: { state: { data: Asset | undefined } }) =>
        query.state.data?.state === "processing" ? 2000 : (false as const),
    })),
  });

  const shown = items.map((item, index): Shown => {
    const asset = item.asset ? assets[index]?.data : undefined;
    const error =
      item.error ??
      (asset?.state === "failed"
        ? (asset.error ?? "This file could not be read as a photograph.")
        : undefined);
    const state = error
      ? "failed"
      : asset?.state === "ready" || (item.asset && item.thumb)
        ? "ready"
        : item.asset || item.sent === 100
          ? "processing"
          : item.sent > 0 || running.current.has(item.key)
            ? "sending"
            : "waiting";
    return {
      ...item,
      ...(error ? { error } : {}),
      state,
      progress: state === "processing" ? (asset?.progress ?? 0) : item.sent,
      picture: asset?.thumb_url ?? item.thumb ?? item.preview,
    };
  });

  const add = useCallback((files: Iterable<File>) => {
    const items = [...files].map((file) => ({
      key: newKey(),
      file,
      preview: URL.createObjectURL(file),
      sent: 0,
      alt: "",
    }));
    for (const { preview } of items) previews.current.add(preview);
    dispatch({ do: "add", items });
  }, []);

  return {
    items: shown,
    add,
    move: useCallback((from: number, to: number) => dispatch({ do: "move", from, to }), []),
    change: useCallback(
      (key: string, change: Partial<Item>) => dispatch({ do: "change", key, with: change }),
      [],
    ),
    retry: useCallback((key: string) => {
      started.current.delete(key);
      dispatch({ do: "change", key, with: { error: undefined, sent: 0, asset: undefined } });
    }, []),
    remove: useCallback((key: string) => {
      running.current.get(key)?.abort();
      dispatch({ do: "remove", key });
    }, []),
    insert: useCallback((item: Item, at: number) => {
      started.current.delete(item.key);
      dispatch({ do: "insert", item, at });
    }, []),
  };
}

/* What the server can read; browsers know HEIC by its ending only. */
export const accepted =
  "image/jpeg,image/png,image/webp,image/heic,image/heif,image/avif,image/gif,.heic,.heif";

export const looksLikePhoto = (file: File) =>
  /^image\/(jpeg|png|webp|heic|heif|avif|gif)$/.test(file.type) || /\.hei[cf]$/i.test(file.name);
