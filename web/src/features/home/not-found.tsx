/* not-found.tsx -- the wrong door. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ButtonLink } from "@/ui/button";
import { useTitle } from "@/ui/page";
import { Door } from "./door";

export function NotFound({
  what = "There is nothing behind this door",
  why = "The link may be wrong, or what was here is gone.",
}: {
  what?: string;
  why?: string;
}) {
  useTitle("Not found");
  return (
    <div className="mx-auto flex max-w-md flex-col items-center py-10 text-center sm:py-16">
      <Door shut className="mb-8 h-52" />
      <h1 className="display text-4xl">{what}</h1>
      <p className="mt-3 text-muted">{why}</p>
      <div className="mt-8 flex flex-wrap justify-center gap-3">
        <ButtonLink to="/explore" look="lamp">
          Explore creators
        </ButtonLink>
        <ButtonLink to="/">Start page</ButtonLink>
      </div>
    </div>
  );
}
