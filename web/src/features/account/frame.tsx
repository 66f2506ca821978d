/* frame.tsx -- the doorway around the forms of people who are not logged in. */
/* SPDX-License-Identifier: Apache-2.0 */
import type { ReactNode } from "react";
import { useTitle } from "@/ui/page";

export function Doorway({
  title,
  lead,
  children,
  foot,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  foot?: ReactNode;
}) {
  useTitle(title);
  return (
    <div className="relative isolate flex min-h-[calc(100dvh-4rem)] flex-col items-center px-5 pb-16 pt-12 sm:justify-center sm:pt-4">
      <div aria-hidden className="lamplight absolute inset-x-0 top-0 -z-10 h-96 opacity-70" />
      <div className="w-full max-w-[25rem]">
        <h1 className="display text-4xl">{title}</h1>
        {lead && <p className="mt-3 text-muted">{lead}</p>}
        <div className="mt-8">{children}</div>
        {foot && <div className="mt-8 border-t border-line pt-5 text-sm text-muted">{foot}</div>}
      </div>
    </div>
  );
}
