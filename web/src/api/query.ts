/* query.ts -- the API through TanStack Query: reading, paging, acting, and forgetting what has changed.
 *
 * A cached answer is named by its concrete path (["/v1/posts/pst_1"]), a list by its path and the word "pages"; so the server
 * can put first data into the page under the same names, and an event can forget everything below a path. */
/* SPDX-License-Identifier: Apache-2.0 */
import {
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { api, ApiError, newKey, path, type Args, type Reply, type Route } from "./client";
import type { Page } from "./schema";

type Get = Extract<Route, `GET ${string}`>;
type Paged = { [R in Get]: Reply<R> extends Page<unknown> ? R : never }[Get];
type Item<R extends Paged> = Reply<R> extends Page<infer T> ? T : never;
type Where<R extends Route> = Pick<Args<R>, Extract<keyof Args<R>, "params" | "query">>;
type WhereRest<R extends Route> =
  Where<R> | (Record<string, never> extends Where<R> ? undefined : never);

interface Loose {
  params?: object;
  query?: object;
}

const named = (route: Route, where: Loose | undefined) => path(route, where?.params, where?.query);

/* Only what may pass is tried again: a refusal stays a refusal. */
const patient = (failures: number, error: Error) =>
  failures < 2 && (!(error instanceof ApiError) || error.unsettled);

export const cache = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 15_000, retry: patient, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

export interface GetOptions<T> {
  enabled?: boolean;
  poll?: number | ((latest: T | undefined) => number | false);
}

export function useGet<R extends Get>(
  route: R,
  where: WhereRest<R>,
  options: GetOptions<Reply<R>> = {},
) {
  const { poll } = options;
  return useQuery<Reply<R>, ApiError>({
    queryKey: [named(route, where)],
    queryFn: ({ signal }) =>
      api<Get>(route, { ...where, signal } as Args<Get>) as Promise<Reply<R>>,
    enabled: options.enabled ?? true,
    refetchInterval:
      typeof poll === "function" ? (query) => poll(query.state.data) : (poll ?? false),
  });
}

export function usePages<R extends Paged>(
  route: R,
  where: WhereRest<R>,
  options: { enabled?: boolean } = {},
) {
  const loose: Loose = where ?? {};
  const found = useInfiniteQuery<
    Page<Item<R>>,
    ApiError,
    InfiniteData<Page<Item<R>>>,
    string[],
    string | undefined
  >({
    queryKey: [named(route, where), "pages"],
    queryFn: ({ pageParam, signal }) =>
      api<Get>(route, {
        params: loose.params,
        query: { ...loose.query, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      } as Args<Get>) as Promise<Page<Item<R>>>,
    initialPageParam: undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    enabled: options.enabled ?? true,
  });
  return { ...found, items: found.data?.pages.flatMap((page) => page.items) };
}

/* Something the user does. Whatever lies at or below the paths in `forgets` is asked for again afterwards. */
export function useAct<In, Out>(
  act: (input: In) => Promise<Out>,
  options: {
    forgets?: string[];
    done?: (out: Out, input: In) => void;
    failed?: (error: ApiError) => void;
  } = {},
) {
  const client = useQueryClient();
  return useMutation<Out, ApiError, In>({
    mutationFn: act,
    onSuccess: async (out, input) => {
      options.done?.(out, input);
      if (options.forgets) await forget(client, ...options.forgets);
    },
    onError: (error) => options.failed?.(error),
  });
}

/* Marks as old everything cached at these paths and below them. */
export function forget(client: QueryClient, ...paths: string[]): Promise<void> {
  return client.invalidateQueries({
    predicate: (query) => {
      const name = query.queryKey[0];
      return (
        typeof name === "string" &&
        paths.some(
          (prefix) =>
            name === prefix || name.startsWith(`${prefix}/`) || name.startsWith(`${prefix}?`),
        )
      );
    },
  });
}

/* Puts a fresh answer in place, for a GET of the same path. */
export function remember<R extends Get>(
  client: QueryClient,
  route: R,
  where: WhereRest<R>,
  reply: Reply<R>,
): void {
  client.setQueryData([named(route, where)], reply);
}

/* An Idempotency-Key for what the user wants now. The same wish keeps its key until the server has given an answer to it,
 * so a retry after a lost connection is never done twice; another wish, or one that was answered, gets a new key. */
export function useIntent() {
  const held = useRef<{ wish: string; key: string } | null>(null);
  return useCallback(async <T>(wish: unknown, act: (key: string) => Promise<T>): Promise<T> => {
    const name = JSON.stringify(wish);
    if (held.current?.wish !== name) held.current = { wish: name, key: newKey() };
    try {
      const out = await act(held.current.key);
      held.current = null;
      return out;
    } catch (error) {
      if (!(error instanceof ApiError) || !error.unsettled) held.current = null;
      throw error;
    }
  }, []);
}

/* First data that the server wrote into a public page. It is shown at once and asked for again, as it may be another viewer's. */
export function seed(client: QueryClient): void {
  const text = document.getElementById("first-data")?.textContent;
  if (!text) return;
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
    const key = name.replace(/^GET /, "");
    const paged =
      typeof value === "object" && value !== null && "items" in value && "next" in value;
    if (paged)
      client.setQueryData(
        [key, "pages"],
        { pages: [value], pageParams: [undefined] },
        { updatedAt: 1 },
      );
    else client.setQueryData([key], value, { updatedAt: 1 });
  }
}
