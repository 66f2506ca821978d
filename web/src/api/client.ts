/* client.ts -- the one door between the web app and the program's HTTP API.
 *
 * Every request of the app is made here, typed by the Routes that the program prints (schema.ts). A refusal is thrown as an
 * ApiError made from problem+json; a connection that failed as an ApiError with status 0 and code "unreachable". */
/* SPDX-License-Identifier: Apache-2.0 */
import type { Asset, ErrorCode, Events, MediaQuery, Problem, Routes } from "./schema";

export type Route = keyof Routes;
export type Reply<R extends Route> = Routes[R]["reply"];
export type Body<R extends Route> = Routes[R]["body"];

/* A member that may be left out when nothing in it is required. */
type Member<Name extends string, Value> = [Value] extends [undefined]
  ? { [N in Name]?: undefined }
  : Record<string, never> extends Value
    ? { [N in Name]?: Value }
    : { [N in Name]: Value };

export type Args<R extends Route> = Member<"params", Routes[R]["params"]> &
  Member<"query", Routes[R]["query"]> &
  Member<"body", Routes[R]["body"]> & {
    /* Idempotency-Key: one for each thing the user wants done, the same at every retry. See useIntent. */
    key?: string;
    signal?: AbortSignal;
  };

/* The last argument may be left out when nothing is required. */
type Rest<R extends Route> =
  Record<string, never> extends Args<R> ? [args?: Args<R>] : [args: Args<R>];

/* Args without their types, once the signature above has checked them. */
interface Loose {
  params?: object;
  query?: object;
  body?: unknown;
  key?: string;
  signal?: AbortSignal;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: ErrorCode | "unreachable" | "unknown";
  readonly title: string;
  readonly detail: string | undefined;
  readonly field: string | undefined;
  readonly request: string | undefined;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? (status === 0 ? "unreachable" : "unknown");
    this.title = problem.title ?? "Something went wrong";
    this.detail = problem.detail;
    this.field = problem.field;
    this.request = problem.request;
  }

  /* True when nobody can know whether the act was done: only the same Idempotency-Key may be used again. */
  get unsettled(): boolean {
    return (
      this.status === 0 ||
      this.status === 408 ||
      this.code === "key_in_use" ||
      this.status === 429 ||
      this.status >= 500
    );
  }
}

/* The concrete path: "GET /v1/posts/{post}" with {post: "pst_1"} -> "/v1/posts/pst_1". It is also the name in the query cache. */
export function path(route: Route, params: object = {}, query: object = {}): string {
  const template = route.slice(route.indexOf(" ") + 1);
  const given = params as Record<string, string>;
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(given[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null) search.set(name, String(value));
  const tail = search.toString();
  return tail ? `${filled}?${tail}` : filled;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problem(status: number, text: string): ApiError {
  const body = parse(text);
  return new ApiError(
    status,
    typeof body === "object" && body !== null ? (body as Partial<Problem>) : {},
  );
}

const unreachable = () =>
  new ApiError(0, {
    title: "Stagedoor cannot be reached",
    detail: "Check your connection, then try again.",
  });

async function send(address: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, init);
    text = await response.text();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw unreachable();
  }
  if (!response.ok) throw problem(response.status, text);
  return text === "" ? undefined : parse(text);
}

export async function api<R extends Route>(route: R, ...rest: Rest<R>): Promise<Reply<R>> {
  const args: Loose = rest[0] ?? {};
  const headers: Record<string, string> = { Accept: "application/json" };
  if (args.body !== undefined) headers["Content-Type"] = "application/json";
  if (args.key !== undefined) headers["Idempotency-Key"] = args.key;
  const reply = await send(path(route, args.params, args.query), {
    method: route.slice(0, route.indexOf(" ")),
    headers,
    body: args.body === undefined ? null : JSON.stringify(args.body),
    credentials: "same-origin",
    signal: args.signal ?? null,
  });
  return reply as Reply<R>;
}

/* The OpenAPI document, for the reference page. */
export async function openapi(): Promise<unknown> {
  return send("/openapi.json", { headers: { Accept: "application/json" } });
}

/* Files travel through XMLHttpRequest, because fetch does not tell how much has gone out. */
export function upload(
  file: File,
  query: MediaQuery,
  options: { signal?: AbortSignal; progress?: (percent: number) => void } = {},
): Promise<Asset> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path("POST /v1/media", {}, query));
    request.setRequestHeader("Content-Type", typeOf(file));
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable)
        options.progress?.(Math.round((event.loaded / event.total) * 100));
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300)
        resolve(parse(request.responseText) as Asset);
      else reject(problem(request.status, request.responseText));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("Upload stopped", "AbortError"));
    options.signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/* Browsers that do not know HEIC give its files no type at all. */
function typeOf(file: File): string {
  if (file.type !== "") return file.type;
  const ending = file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  return ending === "heic" || ending === "heif" ? `image/${ending}` : "application/octet-stream";
}

/* crypto.randomUUID exists only on https and localhost; a house server on plain http has neither. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/* Those of the program's events that this app listens to. */
const liveKinds = [
  "media.progress",
  "media.ready",
  "media.failed",
  "post.published",
  "subscription.changed",
] as const satisfies readonly (keyof Events)[];

export type LiveEvent = {
  [Kind in (typeof liveKinds)[number]]: { kind: Kind; data: Events[Kind] };
}[(typeof liveKinds)[number]];

/* How long until a stream that was refused is asked for again: later each time, and not all at once after a restart. */
const refusedMs = (times: number) => Math.min(60_000, 2000 * 2 ** times) * (0.5 + Math.random());

/* The event stream. When it breaks the browser reconnects by itself and resumes from the last event; when it is refused (the
   program starts again, or is too busy) the browser gives up for good, and we go on. missed: it begins, and nobody knows what
   happened before. Returns the function that ends it. */
export function live(on: (event: LiveEvent) => void, missed: () => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout>;
  let last = "";
  let refused = 0;
  const open = () => {
    source = new EventSource(last === "" ? "/v1/events" : `/v1/events?after=${last}`);
    for (const kind of liveKinds)
      source.addEventListener(kind, (event) => {
        last = event.lastEventId;
        const data = parse(event.data as string);
        if (typeof data === "object" && data !== null) on({ kind, data } as LiveEvent);
      });
    source.onopen = () => {
      refused = 0;
      if (last === "") missed();
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, refusedMs(refused++));
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}
