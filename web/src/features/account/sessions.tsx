/* sessions.tsx -- the devices one is logged in on, each of which can be sent away. */
/* SPDX-License-Identifier: Apache-2.0 */
import { KeyRound, Laptop, Smartphone } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api } from "@/api/client";
import { useAct, usePages } from "@/api/query";
import type { Session } from "@/api/schema";
import { Button, ButtonLink } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { dateTime } from "@/ui/format";
import { Badge, Card, PageHead, useTitle } from "@/ui/page";
import { Empty, Failed, Loading, More, Skeleton } from "@/ui/state";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toast";
import { useBecome } from "./me";

/* A browser's long self-description in two words. */
function device(agent: string): { name: string; phone: boolean } {
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrome\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : agent.split(/[/ ]/)[0] || "Unknown program";
  const system = /iPhone|iPad/.test(agent)
    ? "iOS"
    : /Android/.test(agent)
      ? "Android"
      : /Mac OS X/.test(agent)
        ? "macOS"
        : /Windows/.test(agent)
          ? "Windows"
          : /Linux/.test(agent)
            ? "Linux"
            : "";
  return {
    name: system ? `${browser} on ${system}` : browser,
    phone: system === "iOS" || system === "Android",
  };
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { name, phone } = device(session.agent);
  const Icon = phone ? Smartphone : Laptop;
  return (
    <li className="flex items-center gap-4 px-5 py-4">
      <Icon className="size-6 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium">
          {name} {session.current && <Badge tone="good">This device</Badge>}
        </p>
        <p className="mt-0.5 text-sm text-muted">
          {session.address} · last seen <Time when={session.seen} />
        </p>
        <p className="text-sm text-faint">Logged in {dateTime(session.created)}</p>
      </div>
      <Button size="small" onClick={onEnd} aria-label={`Log out ${name}`}>
        Log out
      </Button>
    </li>
  );
}

export default function Sessions() {
  useTitle("Where you are logged in");
  const navigate = useNavigate();
  const become = useBecome();
  const sessions = usePages("GET /v1/sessions", undefined);
  const [asked, setAsked] = useState<Session | null>(null);
  const end = useAct(
    (session: Session) => api("DELETE /v1/sessions/{session}", { params: { session: session.id } }),
    { forgets: ["/v1/sessions"] },
  );

  const [others, setOthers] = useState(false);
  const endOthers = useAct(() => api("DELETE /v1/sessions"), {
    forgets: ["/v1/sessions"],
    done: () => toast.done("Logged out everywhere else"),
  });

  const confirm = async () => {
    if (!asked) return;
    await end.mutateAsync(asked);
    if (asked.current) {
      await become(null);
      await navigate("/login");
    } else toast.done("Logged out there");
  };

  return (
    <div className="mx-auto max-w-2xl">
      <PageHead
        title="Where you are logged in"
        action={
          (sessions.items?.length ?? 0) > 1 && (
            <Button size="small" onClick={() => setOthers(true)}>
              Log out everywhere else
            </Button>
          )
        }
      >
        If one of these is not you, log it out and set a new password.
      </PageHead>
      {sessions.isPending ? (
        <Loading className="grid gap-3">
          <Skeleton className="h-22" />
          <Skeleton className="h-22" />
        </Loading>
      ) : sessions.isError ? (
        <Failed error={sessions.error} retry={() => void sessions.refetch()} what="your sessions" />
      ) : sessions.items?.length === 0 ? (
        <Empty
          icon={KeyRound}
          title="No sessions"
          action={<ButtonLink to="/login">Log in</ButtonLink>}
        />
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {sessions.items?.map((session) => (
              <Row key={session.id} session={session} onEnd={() => setAsked(session)} />
            ))}
          </ul>
        </Card>
      )}
      <More
        has={sessions.hasNextPage}
        busy={sessions.isFetchingNextPage}
        failed={sessions.isFetchNextPageError}
        load={() => void sessions.fetchNextPage()}
      />
      <Confirm
        open={others}
        onOpen={setOthers}
        title="Log out everywhere else?"
        act="Log out the others"
        keep="Leave them"
        onConfirm={() => endOthers.mutateAsync(undefined)}
      >
        <p>Every other device and program will have to log in again. This one stays.</p>
      </Confirm>
      <Confirm
        open={asked !== null}
        onOpen={(open) => !open && setAsked(null)}
        title={asked?.current ? "Log out here?" : "Log out that device?"}
        act="Log out"
        keep="Stay"
        onConfirm={confirm}
      >
        <p>
          {asked?.current
            ? "You will need your password to come back."
            : `${device(asked?.agent ?? "").name} will have to log in again.`}
        </p>
      </Confirm>
    </div>
  );
}
