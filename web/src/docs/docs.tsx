/* docs.tsx -- the API reference: every route of the OpenAPI document that the program prints, and every error code. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Moon, Search, Sun } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { openapi } from "@/api/client";
import { Logo } from "@/ui/logo";
import { setTheme, useTheme } from "@/ui/theme";
import {
  errorsOf,
  groupsOf,
  listOf,
  type Document,
  type ErrorRow,
  type Listed,
  type Schema,
} from "./openapi";
import { Members, Method, Route } from "./route";

type State = { document: Document } | { failed: string } | null;

function useDocument(): [State, () => void] {
  const [state, setState] = useState<State>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let here = true;
    setState(null);
    openapi().then(
      (document) => here && setState({ document: document as Document }),
      (error: Error) => here && setState({ failed: error.message }),
    );
    return () => {
      here = false;
    };
  }, [round]);
  return [state, () => setRound((n) => n + 1)];
}

const matches = (route: Listed, words: string[]) => {
  const text =
    `${route.method} ${route.path} ${route.tag} ${route.operation.summary ?? ""} ${route.operation.description ?? ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

function Events({ document, events }: { document: Document; events: [string, Schema][] }) {
  return (
    <section aria-labelledby="events" className="mt-16">
      <h2 id="events" className="display scroll-mt-24 text-3xl">
        Events
      </h2>
      <p className="mt-3 max-w-prose text-muted">
        <code className="text-text">GET /v1/events</code> is a stream of server-sent events for the
        one who is logged in. <code className="text-text">Last-Event-ID</code> goes on where it
        broke off.
      </p>
      <div className="mt-6 grid gap-4">
        {events.map(([name, schema]) => (
          <article
            key={name}
            aria-label={name}
            className="rounded-card border border-line bg-surface px-5 py-4 shadow-card"
          >
            <h3 className="font-mono text-[0.9375rem] font-semibold">{name}</h3>
            {schema.description && <p className="mt-1 text-muted">{schema.description}</p>}
            <Members document={document} schema={schema} />
          </article>
        ))}
      </div>
    </section>
  );
}

function Errors({ errors }: { errors: ErrorRow[] }) {
  return (
    <section aria-labelledby="errors" className="mt-16">
      <h2 id="errors" className="display scroll-mt-24 text-3xl">
        Errors
      </h2>
      <p className="mt-3 max-w-prose text-muted">
        A refusal is <code className="text-text">application/problem+json</code> (RFC 9457):{" "}
        <code className="text-text">code</code> is one of these,{" "}
        <code className="text-text">detail</code> says what to do,{" "}
        <code className="text-text">field</code> names the member to blame where there is one, and{" "}
        <code className="text-text">request</code> is the number to quote.
      </p>
      <dl className="mt-6 overflow-hidden rounded-card border border-line bg-surface">
        {errors.map(({ code, status, title }) => (
          <div
            key={code}
            id={`error-${code}`}
            className="grid scroll-mt-24 gap-x-6 gap-y-1 border-line px-5 py-3.5 not-first:border-t target:bg-lamp/15 sm:grid-cols-[16rem_1fr]"
          >
            <dt className="flex items-baseline gap-3">
              <a
                href={`#error-${code}`}
                className="rounded font-mono text-sm font-semibold underline-offset-4 hover:underline"
              >
                {code}
              </a>
              {status !== undefined && <span className="tabular text-sm text-faint">{status}</span>}
            </dt>
            <dd className="text-[0.9375rem] text-muted">{title}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Body({ document }: { document: Document }) {
  const [text, setText] = useState("");
  const words = useDeferredValue(text).toLowerCase().split(/\s+/).filter(Boolean);
  const wish = words.join(" ");
  const list = useMemo(() => listOf(document), [document]);
  const groups = useMemo(
    () =>
      groupsOf(
        document,
        list.filter((route) => matches(route, wish.split(" ").filter(Boolean))),
      ),
    [document, list, wish],
  );
  const errors = useMemo(() => errorsOf(document, list), [document, list]);
  const events = Object.entries(document["x-events"] ?? {});

  /* The anchor in the address exists only now that the page has been drawn. */
  useEffect(() => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id) globalThis.document.getElementById(id)?.scrollIntoView();
  }, []);

  return (
    <div className="mx-auto flex max-w-7xl gap-12 px-4 sm:px-6">
      <nav
        aria-label="Routes"
        className="sticky top-15 hidden h-[calc(100dvh-3.75rem)] w-72 shrink-0 overflow-y-auto py-8 pr-2 lg:block"
      >
        {groups.map(({ tag, routes }) => (
          <div key={tag} className="mb-6">
            <p className="mb-1.5 text-sm font-semibold capitalize">{tag}</p>
            <ul>
              {routes.map((route) => (
                <li key={route.id}>
                  <a
                    href={`#${route.id}`}
                    className="flex items-baseline gap-2 rounded-lg px-2 py-1 text-[0.8125rem] text-muted -outline-offset-2 hover:bg-raised hover:text-text"
                  >
                    <Method method={route.method} small />
                    <span className="min-w-0 truncate font-mono">
                      {route.path.replace(/^\/v1/, "")}
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        {events.length > 0 && (
          <a
            href="#events"
            className="mb-2 block w-fit rounded text-sm font-semibold underline-offset-4 hover:underline"
          >
            Events
          </a>
        )}
        {errors.length > 0 && (
          <a
            href="#errors"
            className="rounded text-sm font-semibold underline-offset-4 hover:underline"
          >
            Errors
          </a>
        )}
      </nav>
      <main id="main" className="min-w-0 grow py-8 pb-32">
        <h1 className="display text-4xl sm:text-5xl">{document.info.title}</h1>
        <p className="mt-3 text-muted">
          Version {document.info.version} · OpenAPI {document.openapi} ·{" "}
          <a href="/openapi.json" className="rounded text-glow underline underline-offset-4">
            the document itself
          </a>
        </p>
        {document.info.description && (
          <p className="mt-5 max-w-prose whitespace-pre-line leading-relaxed">
            {document.info.description}
          </p>
        )}
        <div className="relative mt-8">
          <Search
            className="pointer-events-none absolute left-4 top-1/2 size-5 -translate-y-1/2 text-muted"
            aria-hidden
          />
          <input
            type="search"
            aria-label="Search the routes"
            placeholder="Search the routes"
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="h-12 w-full rounded-full border border-edge bg-surface pl-12 pr-5 placeholder:text-faint focus:border-glow"
          />
        </div>
        <p role="status" className="mt-3 text-sm text-muted">
          {wish
            ? `${groups.reduce((sum, group) => sum + group.routes.length, 0)} of ${list.length} routes`
            : `${list.length} routes`}
        </p>
        {groups.map(({ tag, description, routes }) => (
          <section key={tag} aria-labelledby={`tag-${tag}`} className="mt-12">
            <h2 id={`tag-${tag}`} className="display scroll-mt-24 text-3xl capitalize">
              {tag}
            </h2>
            {description && <p className="mt-2 max-w-prose text-muted">{description}</p>}
            <div className="mt-5 grid gap-4">
              {routes.map((route) => (
                <Route key={route.id} document={document} route={route} />
              ))}
            </div>
          </section>
        ))}
        {groups.length === 0 && (
          <p className="mt-12 text-muted">No route has these words. Try fewer of them.</p>
        )}
        {events.length > 0 && <Events document={document} events={events} />}
        {errors.length > 0 && <Errors errors={errors} />}
      </main>
    </div>
  );
}

export function Docs() {
  const [state, again] = useDocument();
  const theme = useTheme();
  const dark =
    theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  return (
    <>
      <a
        href="#main"
        className="fixed left-3 top-3 z-70 -translate-y-20 rounded-full bg-lamp px-5 py-3 font-semibold text-onlamp focus:translate-y-0"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-40 border-b border-line bg-bg/92 backdrop-blur-md">
        <div className="mx-auto flex h-15 max-w-7xl items-center gap-4 px-4 sm:px-6">
          <a href="/" aria-label="Stagedoor, start page" className="rounded-lg">
            <Logo />
          </a>
          <span className="mr-auto rounded-full bg-raised px-3 py-1 text-sm font-medium text-muted">
            API
          </span>
          <button
            type="button"
            onClick={() => setTheme(dark ? "light" : "dark")}
            aria-label={dark ? "Use the light theme" : "Use the dark theme"}
            className="flex size-10 items-center justify-center rounded-full text-muted hover:bg-raised"
          >
            {dark ? (
              <Sun className="size-5" aria-hidden />
            ) : (
              <Moon className="size-5" aria-hidden />
            )}
          </button>
        </div>
      </header>
      {state && "document" in state ? (
        <Body document={state.document} />
      ) : (
        <main id="main" className="mx-auto max-w-md px-6 py-24 text-center">
          {state ? (
            <div role="alert">
              <h1 className="display text-3xl">The document did not arrive</h1>
              <p className="mt-3 text-muted">{state.failed}</p>
              <button
                type="button"
                onClick={again}
                className="mt-6 h-11 rounded-full bg-lamp px-6 font-semibold text-onlamp"
              >
                Try again
              </button>
            </div>
          ) : (
            <p role="status" className="text-muted">
              Loading
            </p>
          )}
        </main>
      )}
    </>
  );
}
