/* toast.tsx -- short notices, with an undo where the act allows it. They wait while the pointer or the focus is on them. */
/* SPDX-License-Identifier: Apache-2.0 */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { ApiError } from "@/api/client";
import { reason } from "./advice";
import { IconButton } from "./button";

interface Notice {
  id: number;
  kind: "done" | "failed";
  text: string;
  detail?: string;
  act?: { label: string; run: () => void };
}

let notices: Notice[] = [];
let last = 0;
const listeners = new Set<() => void>();

function put(next: Notice[]) {
  notices = next;
  for (const listener of listeners) listener();
}

const add = (notice: Omit<Notice, "id">) => put([...notices.slice(-2), { ...notice, id: ++last }]);
const drop = (id: number) => put(notices.filter((notice) => notice.id !== id));

export const toast = {
  /* Takes away what was said of a page that is being left. */
  clear: () => put([]),
  done: (text: string, act?: Notice["act"]) => add({ kind: "done", text, ...(act ? { act } : {}) }),
  failed: (text: string, error?: unknown, act?: Notice["act"]) =>
    add({
      kind: "failed",
      text,
      ...(error instanceof ApiError ? { detail: reason(error) } : {}),
      ...(act ? { act } : {}),
    }),
};

function Card({ notice }: { notice: Notice }) {
  const [held, setHeld] = useState(false);
  const left = useRef(notice.kind === "failed" || notice.act ? 9000 : 4500);
  useEffect(() => {
    if (held) return;
    const from = Date.now();
    const timer = setTimeout(() => drop(notice.id), left.current);
    return () => {
      clearTimeout(timer);
      left.current = Math.max(1500, left.current - (Date.now() - from));
    };
  }, [held, notice.id]);
  const Icon = notice.kind === "done" ? CircleCheck : CircleAlert;
  return (
    <li
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="night pointer-events-auto flex w-full items-start gap-3 rounded-2xl border border-line bg-raised py-3 pl-4 pr-2 text-sm shadow-float animate-rise"
    >
      <Icon
        className={
          notice.kind === "done"
            ? "mt-1 size-4.5 shrink-0 text-lamp"
            : "mt-1 size-4.5 shrink-0 text-danger"
        }
        aria-hidden
      />
      <div className="min-w-0 grow py-0.5">
        <p className="font-medium">{notice.text}</p>
        {notice.detail && <p className="mt-0.5 text-muted">{notice.detail}</p>}
      </div>
      {notice.act && (
        <button
          type="button"
          className="rounded-full px-3 py-1 font-semibold text-glow hover:bg-surface"
          onClick={() => {
            notice.act?.run();
            drop(notice.id);
          }}
        >
          {notice.act.label}
        </button>
      )}
      <IconButton
        label="Dismiss"
        className="size-8! [&>svg]:size-4!"
        onClick={() => drop(notice.id)}
      >
        <X aria-hidden />
      </IconButton>
    </li>
  );
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <section
      aria-label="Notices"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-20 z-45 flex justify-center px-4 lg:bottom-6"
    >
      <ol className="grid w-full max-w-md gap-2">
        {shown.map((notice) => (
          <Card key={notice.id} notice={notice} />
        ))}
      </ol>
    </section>
  );
}
